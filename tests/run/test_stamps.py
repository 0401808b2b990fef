# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Trusted timestamps from the capture to the verified bundle, with an authority by openssl."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders.estates import END, START, estate, instance, wave
from tests.builders.migrations import Migration, agreed
from tests.builders.rates import rate_answers
from tests.builders.stores import Desk
from tests.builders.tiny_http import Say, TinyHttp
from tests.builders.tiny_tsa import WITH_OPENSSL, Tsa

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.estate.model import Estate, Window
from wavegate.estate.policy import Policy
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.shelf import open_shelf
from wavegate.evidence.stamp_shelf import envelope_of, token_name
from wavegate.evidence.trust import Trust, load
from wavegate.observe.probe import Looked, Task
from wavegate.run import capture
from wavegate.run.opening import open_wave
from wavegate.run.plan import plan
from wavegate.run.ready import ready
from wavegate.run.suites import find_suites

pytestmark = [WITH_OPENSSL, pytest.mark.timeout(600)]
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    """An authority."""
    return Tsa.make(tmp_path_factory.mktemp("tsa") / "tsa")


def demanding(found: Estate, *urls: str, demand: str = "required") -> Estate:
    """An estate whose policy demands timestamps of these authorities."""
    fields = {"timestamps": demand, "tsa": urls}
    policy = found.policy.model_copy(update=fields)
    return found.model_copy(update={"policy": Policy.model_validate(policy.model_dump())})


# Capturing


class OneAnswer:
    """A probe with one answer, so that something could be asked."""

    name = "one"

    def questions(self, task: Task) -> tuple[str, ...]:
        """Nothing to tell."""
        del task
        return ()

    def look(self, task: Task) -> Looked:
        """An answer about sending, without any hour in it."""
        del task
        return Looked(observations=rate_answers({"77": []}, clock.now()))


@dataclass
class Capturing:
    """A planned wave whose window opens in three days, and what was said while capturing."""

    desk: Desk

    def __post_init__(self) -> None:
        self.said: list[str] = []

    def before(self) -> capture.Taken:
        """A capture of its one instance."""
        where = self.desk.folder
        opened = open_wave(where / "estate.json", self.desk.wave, where / "store", create=False)
        request = capture.Request(phase="before", because=None, force=False, vantage="here")
        (taken,) = capture.take(opened, request, [OneAnswer()], self.desk.signer, self.said.append)
        return taken

    def ready(self) -> list[str]:
        """What keeps the window shut for want of sound evidence, or is ready about it."""
        where = self.desk.folder
        opened = open_wave(where / "estate.json", self.desk.wave, where / "store", create=False)
        found = ready(opened, _trust(self.desk))
        return [f"{c.word} {c.what}" for c in found.checks if c.promise == "sound_evidence"]


def _trust(desk: Desk) -> Trust:
    return load(desk.folder / "home" / "trust.json")


def capturing(folder: Path, *urls: str, demand: str = "required") -> Capturing:
    """A wave to capture, whose policy names these authorities."""
    opening = clock.now() + timedelta(days=3)
    window = Window(start=opening, end=opening + HOUR)
    found = estate(instance(url=None), waves=(wave(window=window),))
    desk = Desk(folder / "desk", estate=demanding(found, *urls, demand=demand))
    desk.plan("sound_evidence")
    return Capturing(desk)


def test_capture_is_stamped_by_every_authority(tmp_path: Path, tsa: Tsa) -> None:
    """Two authorities, two tokens beside the record, told in the answer of the verb."""
    other = Tsa.make(tmp_path / "other", name="other")
    with tsa.serve() as first, other.serve() as second:
        told = capturing(tmp_path, first.url, second.url)
        taken = told.before()
    store = told.desk.store
    names = [f"stamps/{told.desk.wave}/acme-prod1/000001.{n}.tsr" for n in (1, 2)]
    assert tuple(names) == store.names("stamps/")
    assert (None, ()) == (taken.unstamped, taken.stamped.problems)
    rows: Any = taken.to_json()["timestamps"]
    assert ["tsa", "other"] == [row["authority"] for row in rows]
    assert any(line.startswith("GO capture 1 existed by") for line in told.ready())


def test_silent_authority_costs_no_record(tmp_path: Path) -> None:
    """The record stays; what is missing is one sentence; the window may not open yet."""
    with TinyHttp(lambda _: Say(b"garbage")) as broken:
        told = capturing(tmp_path, broken.url)
        taken = told.before()
    assert 1 == len(told.desk.store.names("signed/"))
    assert () == told.desk.store.names("stamps/")
    assert (taken.unstamped or "").startswith(f"a token for {taken.digest} with genTime before ")
    assert [True] == ["no RFC 3161 answer" in line for line in told.said if "no timestamp" in line]
    assert any("HOLD no token for capture 1" in line for line in told.ready())
    assert "timestamps that are required and missing" in capture.summary([taken], "before")


def test_optional_token_is_not_missed(tmp_path: Path) -> None:
    """Where it is optional, a silent authority is told and nothing else."""
    with TinyHttp(lambda _: Say(status=500)) as broken:
        told = capturing(tmp_path, broken.url, demand="optional")
        taken = told.before()
    assert (None, 1) == (taken.unstamped, len(taken.stamped.problems))
    assert not any("token" in line for line in told.ready())


def test_required_without_an_authority(tmp_path: Path) -> None:
    """Plan warns, capture tells what is missing, ready holds."""
    told = capturing(tmp_path)
    where = told.desk.folder
    opened = open_wave(where / "estate.json", told.desk.wave, where / "store", create=False)
    shelf = open_shelf(opened.store, opened.estate, opened.wave, _trust(told.desk), clock.now())
    signed = plan(opened, (), (), told.desk.signer, shelf)
    assert any("names no tsa" in warning for warning in signed.warnings)
    assert (told.before().unstamped or "").endswith("the policy names no tsa")
    assert any("HOLD timestamps are required" in line for line in told.ready())


def test_capture_ends_with_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verb's exit code says that a required token is missing, though all was asked."""
    monkeypatch.setattr("wavegate.run.probes.probes", lambda: [OneAnswer()])
    for demand, code in (("required", 3), ("optional", 0)):
        desk = capturing(tmp_path / demand, demand=demand).desk
        key = str(desk.folder / "home" / "keys" / "default.pem")
        command = ["capture", "--estate", str(desk.folder / "estate.json"), "--wave", desk.wave]
        command += ["--store", str(desk.folder / "store"), "--phase", "before", "--key", key]
        assert code == run([*command, "--json"])
        (row,) = json.loads(capsys.readouterr().out)["snapshots"]
        assert (code == 3) == (row["timestamp_missing"] is not None)


# Judging, sealing, verifying


@dataclass
class Night:
    """A whole migration whose policy demands timestamps, to be stamped and gated."""

    desk: Desk
    out: Path
    capsys: pytest.CaptureFixture[str]

    def stamp(self, tsa: Tsa, sequence: int, at: datetime) -> None:
        """Put a token over a capture beside it, as `capture` would have."""
        place = f"signed/{self.desk.wave}/acme-prod1/{sequence:06d}.dsse.json"
        payload = read_unverified(self.desk.store.read(place))
        self.desk.store.create(token_name(place, 1), tsa.stamp_at(payload, at))

    def gate(self, *more: str) -> tuple[int, Any]:
        """Gate it: exit code, and the cell of sound_evidence."""
        home = self.desk.folder / "home"
        command = ["gate", "--estate", str(self.desk.folder / "estate.json")]
        command += ["--wave", self.desk.wave, "--store", str(self.desk.folder / "store")]
        command += ["--out", str(self.out), "--key", str(home / "keys" / "default.pem")]
        code = run([*command, "--trust", str(home / "trust.json"), *more, "--json"])
        found = json.loads(self.capsys.readouterr().out)
        return code, next(c for c in found["cells"] if c["promise"] == "sound_evidence")

    def verify(self, *more: str) -> tuple[int, Any]:
        """Verify the bundle: exit code and what was said."""
        public = str(self.desk.folder / "home" / "keys" / "default.pub")
        code = run(["verify", str(self.out), "--key", public, *more, "--json"])
        return code, json.loads(self.capsys.readouterr().out)


@pytest.fixture
def night(tmp_path: Path, tsa: Tsa, capsys: pytest.CaptureFixture[str]) -> Iterator[Night]:
    """A migration in which all is as it should be, but that nothing was stamped yet."""
    with tsa.serve() as server:
        whole = Migration(estate=demanding(agreed(), server.url))
        desk = Desk(tmp_path / "desk", whole.estate)
        desk.plan(*(suite.promise.id for suite in find_suites()))
        whole.file(desk)
        yield Night(desk, tmp_path / "bundle", capsys)


def test_stamped_wave_is_go_and_its_time_is_proven(night: Night, tsa: Tsa) -> None:
    """Captures on their side, a seal that an authority saw: all of it from the bundle alone."""
    night.stamp(tsa, 1, START - HOUR / 2)
    night.stamp(tsa, 2, END + 2 * HOUR)
    code, cell = night.gate("--tsa-root", str(tsa.root))
    assert (0, "PASSED") == (code, cell["verdict"])
    assert "--tsa-root" in cell["could_hide"]
    assert any("trusted timestamps say" in remark for remark in cell["remarks"])
    root = ("--tsa-root", str(tsa.root))
    code, told = night.verify(*root, "--rejudge")
    assert (0, True, True) == (code, told["time_proven"], told["rejudged"])
    assert any("2 of the 2 captures" in sentence for sentence in told["proven"])
    assert 3 == night.verify()[0]
    (night.out / "seal.tsr").unlink()
    assert 3 == night.verify(*root)[0]


def test_nothing_stamped_is_hold(night: Night, tsa: Tsa) -> None:
    """Each digest that has no token is named; the bundle is honest about it."""
    code, cell = night.gate()
    assert (3, "INCONCLUSIVE") == (code, cell["verdict"])
    whats = [item["what"] for item in cell["missing"]]
    assert [True, True] == [what.startswith("a token for ") for what in whats]
    assert "with genTime before 2024-01-16T22:00:00Z; none can follow" in whats[0]
    assert 0 == night.verify("--tsa-root", str(tsa.root), "--rejudge")[0]


@pytest.mark.parametrize(
    ("sequence", "at", "side"),
    [(1, START + HOUR / 2, "before the opening"), (2, END - HOUR / 2, "after the close")],
)
def test_wrong_side_of_the_window(
    sequence: int, at: datetime, side: str, night: Night, tsa: Tsa
) -> None:
    """A token that contradicts its capture is a finding, and an honest NO-GO verifies."""
    night.stamp(tsa, 3 - sequence, START - HOUR / 2 if sequence == 2 else END + 2 * HOUR)
    night.stamp(tsa, sequence, at)
    code, cell = night.gate()
    assert (1, "FAILED") == (code, cell["verdict"])
    assert any(side in finding["expected"] for finding in cell["findings"])
    assert 0 == night.verify("--tsa-root", str(tsa.root), "--rejudge")[0]


def test_garbage_in_the_store(night: Night, tsa: Tsa) -> None:
    """A token that was changed in the store is a finding; it is not carried into the bundle."""
    night.stamp(tsa, 2, END + 2 * HOUR)
    name = f"stamps/{night.desk.wave}/acme-prod1/000001.1.tsr"
    night.desk.store.create(name, b"garbage")
    code, cell = night.gate()
    assert (1, "FAILED") == (code, cell["verdict"])
    assert any(name in finding["observed"] for finding in cell["findings"])
    assert 0 == night.verify("--tsa-root", str(tsa.root), "--rejudge")[0]


def test_other_authority_at_the_gate(night: Night, tsa: Tsa, tmp_path: Path) -> None:
    """With a root in hand, the gate itself refuses tokens of others; judging again agrees."""
    other = Tsa.make(tmp_path / "other", name="other")
    night.stamp(other, 1, START - HOUR / 2)
    night.stamp(tsa, 2, END + 2 * HOUR)
    code, cell = night.gate("--tsa-root", str(tsa.root))
    assert (1, "FAILED") == (code, cell["verdict"])
    assert any("000001.1.tsr" in finding["observed"] for finding in cell["findings"])
    assert 0 == night.verify("--tsa-root", str(tsa.root), "--rejudge")[0]


def test_names_of_tokens() -> None:
    """A token's place tells which envelope it is over, and nothing else is one."""
    place = "signed/w1/acme-prod1/000007.dsse.json"
    assert place == envelope_of(token_name(place, 2))
    for odd in ("stamps/w1/acme-prod1/000007.tsr", "stamps/w1/000007.1.tsr", "seal.tsr"):
        assert None is envelope_of(odd)
    with pytest.raises(ValueError, match="no place"):
        token_name("mails/w1/x.dsse.json", 1)
