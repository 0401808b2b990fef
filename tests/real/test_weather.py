# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A bad wire before NSD and nginx: lost, late and silent are told from absent and from wrong."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import estate, instance
from tests.real.daemons import free_port
from tests.real.front import HOST, Front, front
from tests.real.judging import agreed, judged, taken
from tests.real.names import nsd
from tests.real.wire import Weather, Wire, forwarder
from tests.real.zones import PARENT, REVERSE, SENDER, Version

from wavegate.estate.model import Estate
from wavegate.estate.policy import Policy
from wavegate.lab.serve import running
from wavegate.observe.dns_client import DnsLimits
from wavegate.observe.functions.answer import Answer, Lacking
from wavegate.observe.functions.facing import Facing
from wavegate.observe.functions.tracking import redirection
from wavegate.observe.http_client import new_context
from wavegate.record.observation import Outcome, Unreachable
from wavegate.record.snapshot import Snapshot
from wavegate.verdict import Verdict

LIMITS = DnsLimits(timeout=0.3, tries=3)
CALM = Weather()


@dataclass
class Names:
    """NSD behind a wire, and what a capture brings when the weather is good."""

    wire: Wire
    estate: Estate
    clean: Snapshot

    def taken(self, weather: Weather) -> Snapshot:
        """A capture in other weather."""
        self.wire.weather = weather
        try:
            return taken("after", self.estate, LIMITS)
        finally:
            self.wire.weather = CALM


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    """One NSD with all zones, asked through the wire alone."""
    folder = tmp_path_factory.mktemp("weather")
    with (
        nsd(folder, "127.53.1.4", Version(serial=5).zones()) as server,
        forwarder((server.address, server.port)) as wire,
    ):
        given = dict.fromkeys((SENDER, PARENT, REVERSE), (wire.place,))
        found = agreed(wire.place, given)
        yield Names(wire, found, taken("before", found, LIMITS))


def outcomes(found: Snapshot) -> dict[tuple[str, str], Outcome]:
    """What came of each question to the DNS."""
    return {(o.subject, o.asked["role"]): o.outcome for o in found.observations if o.kind == "dns"}


def test_what_is_lost_is_asked_again_and_never_taken_for_absent(names: Names) -> None:
    """A fifth of the datagrams vanish: each question has its answer, or a time-out."""
    found, clean = outcomes(names.taken(Weather(loss=0.2))), outcomes(names.clean)
    assert names.wire.lost > 0
    heard = {asked: o for asked, o in found.items() if not isinstance(o, Unreachable)}
    assert {asked: type(o) for asked, o in heard.items()} == {
        asked: type(o) for asked, o in clean.items() if asked in heard
    }
    assert {o.reason for o in found.values() if isinstance(o, Unreachable)} <= {"timeout"}
    assert len(heard) > len(clean) / 2


def test_a_late_answer_counts(names: Names) -> None:
    """An answer to the first try that comes after the second was sent is an answer all the same."""
    late = names.taken(Weather(delay=LIMITS.timeout * 0.75))  # there and back: one and a half tries
    assert {asked: type(o) for asked, o in outcomes(late).items()} == {
        asked: type(o) for asked, o in outcomes(names.clean).items()
    }
    tries = {o.heard["tries"] for o in late.observations if o.kind == "dns"}
    assert tries & {"2", "3"}


def test_nothing_heard_is_inconclusive(names: Names) -> None:
    """When everything is lost nothing is absent, and nothing is convicted."""
    found = judged(names.clean, names.taken(Weather(loss=1.0)))
    verdicts = {promise: one.verdict for promise, one in found.items()}
    assert dict.fromkeys(found, Verdict.INCONCLUSIVE) == verdicts


@dataclass
class Pages:
    """The front behind a wire, as a watch faces it."""

    wire: Wire
    front: Front
    facing: Facing

    def asked(self, weather: Weather = CALM) -> Answer:
        """One look at the redirection server, in some weather."""
        self.wire.weather = weather
        try:
            found = redirection(self.facing, f"{self.facing.url}/r/test")
        finally:
            self.wire.weather = CALM
        assert not isinstance(found, Lacking)
        (answer,) = found
        return answer


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The lab's Campaign, nginx, the wire."""
    folder: Path = tmp_path_factory.mktemp("weather-pages")
    with running("single", folder / "lab", opens_in=timedelta(minutes=10)) as lab:
        place = front(folder / "nginx", lab.campaigns["acme-prod1"].url)
        with forwarder(("127.0.0.1", place.port)) as wire:
            one = instance(url=f"https://{HOST}:{wire.address[1]}")
            policy = Policy.model_validate({"too_slow": "1s", "timestamps": "optional"})
            facing = Facing(
                estate=estate(one, policy=policy),
                instance=one,
                window=timedelta(seconds=20),
                base=folder,
                context=new_context((place.folder / "ca.pem").read_text()),
            )
            yield Pages(wire, place, facing)


@pytest.mark.parametrize(
    ("weather", "state", "detail"),
    [
        (CALM, "ok", "status OK"),
        (Weather(delay=0.05), "ok", "status OK"),
        (Weather(holds=True), "silent", "timeout"),
        (Weather(cuts=True), "silent", "connection reset"),
    ],
    ids=["calm", "late", "held", "cut"],
)
def test_silence_of_the_wire_is_silence(
    pages: Pages, weather: Weather, state: str, detail: str
) -> None:
    """What the wire does is no wrong answer: it convicts only by rule 15's counts of silence."""
    with pages.front.serving(pages.front.authority.issue_cert(HOST)):
        found = pages.asked(weather)
    assert state == found.state
    assert detail in found.detail


def test_a_front_that_reaches_nothing_answers_wrong(pages: Pages, tmp_path: Path) -> None:
    """A balancer without its Campaign says so itself: 502, a definite wrong answer."""
    nobody = f"http://127.0.0.1:{free_port()}"
    alone = replace(pages.front, folder=tmp_path, behind=nobody)
    with alone.serving(pages.front.authority.issue_cert(HOST)):
        found = pages.asked()
    assert ("wrong", True) == (found.state, "HTTP 502" in found.detail)


def test_a_front_that_is_gone_is_silent(pages: Pages) -> None:
    """Nobody listens behind the wire: the connection breaks off, which is no answer."""
    assert "silent" == pages.asked().state
