# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Each suite against its passing, its failing and its inconclusive world, built in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import END, IPS, START, estate, instance, notice, wave
from tests.builders.snapshots import NS
from tests.builders.stores import Desk
from tests.builders.worlds import DOMAIN, World

from wavegate.estate.model import Estate, Window
from wavegate.plugin import session
from wavegate.plugin.wire import read_cells
from wavegate.verdict import Judgement, Verdict

SUITES = Path(__file__).parents[2] / "suites"
LOADED_ONCE = session
ALL = tuple(sorted(path.stem.removeprefix("test_") for path in SUITES.glob("test_*.py")))


@dataclass
class Play:
    """A migration: what was agreed, both phases, and which captures there are."""

    estate: Estate = field(default_factory=estate)
    before: World = field(default_factory=lambda: World(phase="before"))
    after: World = field(default_factory=lambda: World(phase="after"))
    captured: tuple[str, ...] = ("before", "after")
    instance: str = "acme-prod1"

    def judge(self, promise: str, pytester: pytest.Pytester, folder: Path) -> Judgement:
        """The judgement of the built-in suite of a promise."""
        desk = Desk(folder / "desk", self.estate)
        desk.plan(promise)
        found = self.estate.instance("acme-prod1")
        worlds = [w for w in (self.before, self.after) if w.phase in self.captured]
        desk.capture(*(w.snapshot(found) for w in worlds))
        desk.deliver((*self.before.mails(), *self.after.mails()))
        out = pytester.path / "out.json"
        pytester.runpytest_inprocess(
            str(SUITES / f"test_{promise}.py"),
            *desk.options,
            "-p",
            "no:cacheprovider",
            f"--verdicts={out}",
        )
        return read_cells(out.read_bytes())[self.instance, promise].judgement


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
    "sound_evidence": lambda: Play(estate=estate(waves=(wave(),)), after=_too_early()),
}
SILENT = after(silent=NS)
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
}
NO_AFTER = tuple(p for p in ALL if p not in ("scope", "schedule", "notice", "sending_ips"))


class _Early(World):
    """A capture of after that was taken twelve minutes before the close."""

    @property
    def at(self) -> object:  # type: ignore[override] # the instant is all that differs
        return END - timedelta(minutes=12)


def _too_early() -> World:
    return _Early(phase="after")


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


@pytest.mark.parametrize("promise", CANNOT_TELL)
def test_what_cannot_be_told_is_inconclusive(
    promise: str, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Silence and small samples never pass and never convict."""
    found = CANNOT_TELL[promise]().judge(promise, pytester, tmp_path)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.missing[0].what


@pytest.mark.parametrize("promise", NO_AFTER)
def test_without_a_capture_after_nothing_passes(
    promise: str, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Each suite that reads a snapshot says that it is missing, and by which command it comes."""
    found = Play(captured=("before",)).judge(promise, pytester, tmp_path)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "capture" in str(found.missing[0].command)


def test_every_promise_has_its_worlds() -> None:
    """A new suite brings a failing world; an inconclusive one where one can exist."""
    assert set(FAILING) == set(ALL)
    assert set(ALL) - set(CANNOT_TELL) == {"scope", "notice"}
