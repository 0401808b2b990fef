# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Each suite against its passing, its failing and its inconclusive world, built in memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import scipy.stats
from tests.builders.estates import END, IPS, NOW, START, estate, instance, notice, wave
from tests.builders.migrations import Migration, agreed, queue_after, queue_before, quiet_night
from tests.builders.queues import delivery
from tests.builders.snapshots import NS
from tests.builders.stores import HOUR, Desk
from tests.builders.timelines import Shape, at, bad
from tests.builders.worlds import DOMAIN, World, signed_mail

from wavegate.estate.model import Estate, Window
from wavegate.plugin import session
from wavegate.plugin.wire import read_cells
from wavegate.record import queue_file
from wavegate.record.timeline import Gap
from wavegate.verdict import Judgement, Verdict

HALF = HOUR / 2
SUITES = Path(__file__).parents[2] / "suites"
LOADED_ONCE = (session, queue_file, scipy.stats)
"""pytester forgets modules that a run inside it imports; numpy cannot be loaded twice."""
ALL = tuple(sorted(path.stem.removeprefix("test_") for path in SUITES.glob("test_*.py")))


@dataclass
class Play(Migration):
    """A migration that a built-in suite judges."""

    instance: str = "acme-prod1"
    at: datetime = NOW

    def judge(self, promise: str, pytester: pytest.Pytester, folder: Path) -> Judgement:
        """The judgement of the built-in suite of a promise."""
        self.run((promise,), pytester, folder)
        out = pytester.path / "out.json"
        return read_cells(out.read_bytes())[self.instance, promise].judgement

    def run(
        self, promises: Iterable[str], pytester: pytest.Pytester, folder: Path
    ) -> pytest.RunResult:
        """The built-in suites of these promises, over a plan of them."""
        asked = tuple(promises)
        desk = Desk(folder / "desk", self.estate, at=self.at)
        desk.plan(*asked)
        self.file(desk)
        return pytester.runpytest_inprocess(
            *(str(SUITES / f"test_{promise}.py") for promise in asked),
            *desk.options,
            "-p",
            "no:cacheprovider",
            f"--verdicts={pytester.path / 'out.json'}",
        )


def two_waves() -> Estate:
    """acme-prod1 stands in two waves."""
    return estate(waves=(wave(), wave("2024-01-w2")))


def early_window() -> Estate:
    """Half an hour before the new year, in UTC."""
    shift = timedelta(days=16, hours=22, minutes=30)
    return estate(waves=(wave(window=Window(start=START - shift, end=END - shift)),))


def stage_never_gated() -> Estate:
    """acme-stage1 moved, and the store has no gate of it."""
    past = Window(start=START - timedelta(days=30), end=END - timedelta(days=30))
    stage = wave("2023-12-w1", "acme-stage1", window=past)
    return estate(instance(), instance("acme-stage1"), waves=(wave(), stage))


def late_notice() -> Estate:
    """One hour short of seven days."""
    sent = START - timedelta(days=6, hours=23)
    return estate(waves=(wave(notices=(notice(sent=sent),)),))


def signed_move() -> Estate:
    """The estate names a sign of the move."""
    return estate(instance(moved_when={"received_by": "-mta-i-"}))


def after(**changes: object) -> Callable[[], Play]:
    """Something else after."""
    return lambda: Play(after=World(phase="after", **changes))  # type: ignore[arg-type] # fields of World


def leaking() -> Play:
    """One mail leaves in the middle of the window."""
    return Play(more_mails=(signed_mail(900, IPS[0], START + HALF, "acc1", "new-a"),))


def resent_twice() -> Play:
    """A queued mail is sent again under another delivery, ten minutes after its resend."""
    again = signed_mail(0, IPS[0], END + timedelta(minutes=10), "acc1", "new-a", delivery=4002)
    copy = delivery(2, label="Copy of D1", state=95)
    return Play(more_mails=(again,), looks=(queue_before(), queue_after(copy)))


def night(name: str, shape: Shape) -> Callable[[], Play]:
    """A function is bad for a while."""
    return lambda: Play(timelines=(quiet_night(shapes={name: shape}),))


def blind_watch() -> Play:
    """The watch did not look for ten minutes."""
    gap = Gap(since=at(20), until=at(30), reason="killed")
    return Play(timelines=(quiet_night(gaps=(gap,)),))


def taken(instant: datetime) -> Callable[[], Play]:
    """A capture of after at another instant."""
    return after(taken=instant)


def zone(name: str, rdtype: str, *records: str) -> Callable[[], Play]:
    """Other records after, at all servers."""

    def play() -> Play:
        found = Play()
        found.after.zone[name, rdtype] = records
        return found

    return play


FAILING: dict[str, Callable[[], Play]] = {
    "scope": lambda: Play(estate=two_waves()),
    "schedule": lambda: Play(estate=early_window()),
    "notice": lambda: Play(estate=late_notice()),
    "sending_ips": after(mail_ips=IPS[:3], count=300),
    "reverse_dns": zone("11.2.0.192.in-addr.arpa", "PTR"),
    "spf": zone(DOMAIN, "TXT", '"v=spf1 ip4:192.0.2.10 -all"', '"site-verification=abc"'),
    "dkim": after(signed_by=None),
    "dmarc": zone(f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=none"'),
    "build_version": after(
        attributes="build='9347' sha1='cc45440' instance='acme_mkt_prod1'", logon={"build": "9347"}
    ),
    "nothing_else_changed": zone(DOMAIN, "MX"),
    "sound_evidence": taken(END - timedelta(minutes=12)),
    "sending_window": leaking,
    "only_sending_disrupted": night("tracking", bad(30, 35)),
    "queued_mail": resent_twice,
    "throughput": after(rate=900.0),
    "availability_after": after(single=True),
}
SILENT = after(silent=NS)
RULES = {
    "sending_window": "sent-in-window",
    "only_sending_disrupted": "wrong-answer",
    "queued_mail": "sent-twice",
    "throughput": "slower",
    "availability_after": "sending-stops-with-node",
}
GAPS = {
    "sending_window": "sink-not-listening",
    "only_sending_disrupted": "watch-gap",
    "queued_mail": "queue-never-listed",
    "throughput": "units-needed",
    "availability_after": "failover-not-tried",
}
CANNOT_TELL: dict[str, Callable[[], Play]] = {
    "schedule": lambda: Play(estate=stage_never_gated()),
    "sending_ips": after(mail_ips=IPS[:3], count=6),
    "reverse_dns": SILENT,
    "spf": SILENT,
    "dkim": SILENT,
    "dmarc": SILENT,
    "build_version": after(attributes="date='x'", logon={"fault": True}),
    "nothing_else_changed": SILENT,
    "sound_evidence": lambda: Play(estate=signed_move()),
    "sending_window": lambda: Play(heard=(2 * HOUR, -HALF)),
    "only_sending_disrupted": blind_watch,
    "queued_mail": lambda: Play(looks=(queue_after(),)),
    "throughput": taken(END + timedelta(minutes=12)),
    "availability_after": lambda: Play(estate=agreed(planned=())),
}
FROM_THE_WINDOW = ("sending_window", "only_sending_disrupted", "queued_mail")
NO_AFTER = tuple(
    p for p in ALL if p not in ("scope", "schedule", "notice", "sending_ips", *FROM_THE_WINDOW)
)


@pytest.mark.parametrize("promise", ALL)
def test_healthy_migration_passes(promise: str, pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Nothing changed: PASSED, with what was shown and what could hide."""
    found = Play().judge(promise, pytester, tmp_path)
    assert (found.verdict, found.reason) == (Verdict.PASSED, found.shown)


@pytest.mark.parametrize("promise", FAILING)
def test_broken_promise_fails(promise: str, pytester: pytest.Pytester, tmp_path: Path) -> None:
    """One thing is broken: FAILED, with a witness."""
    found = FAILING[promise]().judge(promise, pytester, tmp_path)
    assert found.verdict is Verdict.FAILED
    assert found.findings[0].witness
    assert RULES.get(promise, found.findings[0].rule) == found.findings[0].rule


@pytest.mark.parametrize("promise", CANNOT_TELL)
def test_what_cannot_be_told_is_inconclusive(
    promise: str, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Silence and small samples never pass and never convict."""
    found = CANNOT_TELL[promise]().judge(promise, pytester, tmp_path)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.missing[0].what
    assert GAPS.get(promise, found.missing[0].rule) == found.missing[0].rule


@pytest.mark.parametrize("promise", NO_AFTER)
def test_without_a_capture_after_nothing_passes(
    promise: str, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Each suite that reads a snapshot says that it is missing, and by which command it comes."""
    found = Play(captured=("before",)).judge(promise, pytester, tmp_path)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "capture" in str(found.missing[0].command)


@pytest.mark.parametrize("promise", FROM_THE_WINDOW)
def test_without_anything_from_the_window_nothing_passes(
    promise: str, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Nobody watched, nobody listed the queue: both captures do not stand in for it."""
    found = Play(timelines=(), looks=()).judge(promise, pytester, tmp_path)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.off_track == found.missing[0].what


def test_all_suites_together_are_go(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The healthy migration passes every promise in one run, and nothing is left open."""
    result = Play().run(ALL, pytester, tmp_path)
    result.assert_outcomes(passed=len(ALL))
    result.stdout.fnmatch_lines([f"{len(ALL)} cells: {len(ALL)} PASSED", "GO"])


def test_a_window_without_a_witness_is_never_go(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """What nobody watched or listed is off track at once, long before its due."""
    result = Play(timelines=(), looks=()).run(ALL, pytester, tmp_path)
    result.stdout.fnmatch_lines([f"*{promise} is off track*" for promise in FROM_THE_WINDOW])
    result.stdout.fnmatch_lines(["HOLD*"])


def test_every_promise_has_its_worlds() -> None:
    """A new suite brings a failing world; an inconclusive one where one can exist."""
    assert set(FAILING) == set(ALL)
    assert set(ALL) - set(CANNOT_TELL) == {"scope", "notice"}
