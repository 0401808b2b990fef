# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`availability_after`: each fault of the catalogue as a small world, and the rules around them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from tests.builders.estates import END, IPS, START, estate, instance, wave
from tests.builders.mails import mail
from tests.builders.rates import history, side, steady

from wavegate.compare.availability_after import (
    AvailabilityCase,
    compare_availability_after,
    length,
)
from wavegate.compare.elasticity import offered
from wavegate.record.message import Received
from wavegate.record.rates import Bucket, Deferral, RateHistory
from wavegate.record.snapshot import Tool
from wavegate.record.timeline import Sample, Timeline, Watched
from wavegate.verdict import Judgement, On, Verdict

MINUTE = timedelta(minutes=1)
STOPS = {"new-a": END + 30 * MINUTE, "new-b": END + 50 * MINUTE}
STEP = END + 90 * MINUTE
LAST = END + 120 * MINUTE
PLANNED: tuple[dict[str, object], ...] = (
    *({"stop": "mta", "node": node, "at": at, "for": "5m"} for node, at in STOPS.items()),
    {"load": "double", "at": STEP, "for": "30m"},
)
Host = Callable[[datetime, int, str], str | None]
"""Instant, number and IP of a mail to the host that sends it, or None where nobody does."""


def stopped(at: datetime) -> str | None:
    """The node that is stopped at an instant."""
    return next((n for n, since in STOPS.items() if since <= at < since + 5 * MINUTE), None)


def healthy(at: datetime, number: int, _ip: str) -> str | None:
    """Two nodes in turn; the other takes all while one is stopped."""
    nodes = [node for node in STOPS if node != stopped(at)]
    return nodes[number % len(nodes)]


def stream(host: Host, *, every: int = 8, ips: Sequence[str] = IPS) -> tuple[Received, ...]:
    """A mail every few seconds over the IPs in turn, from the close on for two hours."""
    found = []
    for number in range(7200 // every):
        at, ip = END + timedelta(seconds=number * every), ips[number % len(ips)]
        name = host(at, number // len(ips), ip)
        if name is not None:
            received = {"Received": f"from app by {name} (ecelerity 4) with ESMTP"}
            found.append(mail(ip, at=at, headers=received))
    return tuple(found)


def rates(step: float = 2400, base: float = 1200, errors: float = 0.0) -> RateHistory:
    """Minutes before and after; in the step the rate is another, with a share of errors."""

    def rate(at: datetime, _unit: int) -> float:
        return step if STEP <= at < STEP + 30 * MINUTE else base

    before = side(START - 60 * MINUTE, 1, steady(1200), unit=60 * MINUTE, per_unit=60, noise=0.01)
    after = side(END, 2, rate, unit=60 * MINUTE, per_unit=60, noise=0.01, seed=4)
    bad = tuple(_with_errors(b, errors if b.start >= STEP else 0.0) for b in after)
    return history(before, bad)


def _with_errors(bucket: Bucket, share: float) -> Bucket:
    errors = round(bucket.sent * share)
    return Bucket(
        start=bucket.start, length=bucket.length, sent=bucket.sent - errors, errors=errors
    )


def case(host: Host = healthy, **other: object) -> AvailabilityCase:
    """A healthy world but for what is said, asked when all that was planned is over."""
    mine = instance(planned=PLANNED)
    fields: dict[str, object] = {
        "estate": estate(mine),
        "wave": wave(),
        "instance": mine,
        "at": LAST + 10 * MINUTE,
        "fronts_before": ("app-1", "app-2") * 100,
        "fronts_after": ("app-1", "app-2") * 100,
        "mail_after": stream(host),
        "rates": rates(),
    }
    return AvailabilityCase(**(fields | other))  # type: ignore[arg-type] # test data of known shape


def witness(found: Judgement) -> set[str]:
    """All witnesses of the findings."""
    return {name for finding in found.findings for name in finding.witness}


def test_healthy_world_passes() -> None:
    """Both nodes were stopped in turn, the load doubled; what was seen is said."""
    found = compare_availability_after(case())
    assert Verdict.PASSED is found.verdict
    assert "kept pace up to 2398 a minute" in (found.shown or "")
    assert "new-a stopped" in (found.shown or "")


def test_single_mta_is_caught() -> None:
    """new-a carries all, new-b never sends, and the stop of new-a stops the mail."""

    def only_a(at: datetime, _number: int, _ip: str) -> str | None:
        return None if stopped(at) == "new-a" else "new-a"

    found = compare_availability_after(case(only_a))
    assert Verdict.FAILED is found.verdict
    assert {"new-a", "new-b"} <= witness(found)


def test_dead_front_is_caught() -> None:
    """Two hundred looks met app-1 only, where both answered before."""
    found = compare_availability_after(case(fronts_after=("app-1",) * 200))
    assert (Verdict.FAILED, {"app-2", "200 looks"}) == (found.verdict, witness(found))


def test_few_looks_are_open() -> None:
    """Six looks that met one front only may be chance; how many more settle it is said."""
    few = case(fronts_before=("app-1", "app-2") * 3, fronts_after=("app-1",) * 6)
    found = compare_availability_after(few)
    assert (Verdict.INCONCLUSIVE, "front-not-met") == (found.verdict, found.missing[0].rule)
    assert 30 < (found.missing[0].count or 0) < 60


def test_renamed_fronts_are_no_loss() -> None:
    """Fewer fronts under other names are listed, not convicted."""
    found = compare_availability_after(case(fronts_after=("aws-1",) * 200))
    assert Verdict.PASSED is found.verdict
    assert "number of fronts" in {note.what for note in found.not_compared}


def test_slow_failover_is_caught() -> None:
    """new-b takes over twenty minutes after the stop of new-a."""

    def late(at: datetime, number: int, ip: str) -> str | None:
        since = STOPS["new-a"]
        return None if since <= at < since + 20 * MINUTE else healthy(at, number, ip)

    found = compare_availability_after(case(late))
    assert {"new-a", "20 min"} <= witness(found)


def test_flat_rate_is_caught() -> None:
    """1210 a minute at an offered load of 2400."""
    found = compare_availability_after(case(rates=rates(step=1210)))
    assert (Verdict.FAILED, {"1210", "2400"}) == (found.verdict, witness(found))


def test_shared_resolver_is_caught() -> None:
    """The stop of what both nodes need stops all mail."""
    at = STOPS["new-a"]
    mine = instance(planned=({"stop": "the resolver", "at": at, "for": "5m"}, PLANNED[2]))

    def none(now: datetime, number: int, _ip: str) -> str | None:
        return None if at <= now < at + 5 * MINUTE else ("new-a", "new-b")[number % 2]

    found = compare_availability_after(case(none, instance=mine))
    assert Verdict.FAILED is found.verdict
    assert "the resolver" in witness(found)


def test_ip_bound_to_one_node_is_caught() -> None:
    """ip1 and ip2 fall silent with new-a for good, though mail flows in sum."""

    def bound(at: datetime, _number: int, ip: str) -> str | None:
        mine = "new-a" if ip in IPS[:2] else "new-b"
        if mine == "new-a" and at >= STOPS["new-a"]:
            return None
        return None if stopped(at) == mine else mine

    found = compare_availability_after(case(bound))
    by_node = {f.subject: f for f in found.findings}
    assert {"new-a", *IPS[:2]} <= set(by_node["new-a"].witness)
    assert IPS[2] not in by_node["new-a"].witness


def test_failover_not_tried_is_open() -> None:
    """Nothing was stopped: redundancy was seen, not proven; the limits entry is printed."""

    def calm(_at: datetime, number: int, _ip: str) -> str | None:
        return ("new-a", "new-b")[number % 2]

    found = compare_availability_after(case(calm, instance=instance(), rates=RateHistory()))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert {"failover-not-tried", "load-not-tried"} == {m.rule for m in found.missing}
    assert "failover test" in found.missing[0].what
    assert "limits: [{promise: availability_after" in found.missing[0].what
    assert found.off_track is not None


def test_what_is_still_to_come_is_on_track() -> None:
    """Before the planned stops, the cell is open and says until when."""
    mails = tuple(m for m in stream(healthy) if m.ended < END + 10 * MINUTE)
    found = compare_availability_after(case(at=END + 10 * MINUTE, mail_after=mails))
    assert (Verdict.INCONCLUSIVE, None) == (found.verdict, found.off_track)
    assert {On.TIME} == {m.on for m in found.missing}
    assert STOPS["new-a"] + 7 * MINUTE == found.missing[0].settles_by


def test_errors_under_load_are_caught() -> None:
    """451 above 80 % of the load, none below, none before."""
    deferred = tuple(
        Deferral(receiver="", at=STEP + k * MINUTE, reply="451 try later") for k in range(5)
    )
    found = compare_availability_after(case(rates=rates(base=1900, errors=0.3), deferrals=deferred))
    assert {"451", "80 %"} <= witness(found)


def test_uneven_nodes_pass() -> None:
    """70 to 30, each takes all within a minute when the other stops."""

    def uneven(at: datetime, number: int, _ip: str) -> str | None:
        usual = "new-a" if number % 10 < 7 else "new-b"
        gone = stopped(at)
        if usual != gone:
            return usual
        return None if at < STOPS[usual] + MINUTE else ("new-b" if gone == "new-a" else "new-a")

    assert Verdict.PASSED is compare_availability_after(case(uneven)).verdict


def test_replaced_node_passes() -> None:
    """new-b ends, new-c appears within 90 s, no message late."""

    def replaced(at: datetime, number: int, ip: str) -> str | None:
        end = END + 70 * MINUTE
        found = healthy(at, number, ip)
        if found != "new-b" or at < end:
            return found
        return "new-c" if at >= end + timedelta(seconds=90) else "new-a"

    found = compare_availability_after(case(replaced))
    assert Verdict.PASSED is found.verdict
    assert "new-c" in (found.could_hide or "")


def test_survived_accident_counts_as_a_stop() -> None:
    """A host that went away by itself while every IP went on proves as much as a test."""

    def accident(at: datetime, number: int, _ip: str) -> str | None:
        return "new-a" if at >= END + 40 * MINUTE else ("new-a", "new-b")[number % 2]

    mine = instance(planned=(PLANNED[2],))
    found = compare_availability_after(case(accident, instance=mine))
    assert Verdict.PASSED is found.verdict
    assert "new-b stopped" in (found.shown or "")


def test_node_that_went_on_was_not_stopped() -> None:
    """A planned stop that did not happen proves nothing."""

    def never(_at: datetime, number: int, _ip: str) -> str | None:
        return ("new-a", "new-b")[number % 2]

    found = compare_availability_after(case(never))
    assert {"stop-not-seen"} == {m.rule for m in found.missing}


def test_sparse_mail_proves_no_survival() -> None:
    """One mail an IP in several minutes cannot show a silence of two."""
    found = compare_availability_after(case(mail_after=stream(healthy, every=60)))
    assert {"seeds-needed"} == {m.rule for m in found.missing}


def test_one_stall_before_a_stop_leaves_it_judged() -> None:
    """One silence of a minute before does not hide that a stop was survived."""
    stall = END + 15 * MINUTE

    def once(at: datetime, number: int, ip: str) -> str | None:
        return None if stall <= at < stall + MINUTE else healthy(at, number, ip)

    assert Verdict.PASSED is compare_availability_after(case(once)).verdict


def test_a_slow_stretch_convicts_no_single_address() -> None:
    """All mail is slow in a stop and one address's turn did not come: chance, so more seeds."""
    since = STOPS["new-a"]

    def slow(at: datetime, number: int, ip: str) -> str | None:
        if since <= at < since + 3 * MINUTE and (ip == IPS[0] or number % 3):
            return None
        return healthy(at, number, ip)

    found = compare_availability_after(case(slow))
    assert Verdict.INCONCLUSIVE is found.verdict
    assert {"seeds-needed"} == {m.rule for m in found.missing}
    assert any(IPS[0] in m.what for m in found.missing)


def timeline(bad: timedelta) -> Timeline:
    """A function that fails for some time from the stop of new-a on."""
    since = STOPS["new-a"]
    samples = []
    for n in range(0, 3600, 5):
        sent = END + timedelta(seconds=n)
        state = "silent" if since <= sent < since + bad else "ok"
        samples.append(
            Sample(
                function="r_test", sent=sent, ended=sent, detail="", heard=True,
                state="silent" if state == "silent" else "ok",
            )
        )  # fmt: skip
    return Timeline(
        instance="acme-prod1", customer="acme", wave="w", vantage="here",
        tool=Tool(version="1", source="s"), began=END, ended=LAST, settled=True,
        functions=(Watched(name="r_test", every=timedelta(seconds=5), expects="OK"),),
        samples=tuple(samples),
    )  # fmt: skip


@pytest.mark.parametrize(("minutes", "verdict"), [(1, Verdict.PASSED), (4, Verdict.FAILED)])
def test_function_that_stops_with_a_node(minutes: int, verdict: Verdict) -> None:
    """/r/test may fail for as long as the policy allows, not longer."""
    found = compare_availability_after(case(timelines=(timeline(minutes * MINUTE),)))
    assert verdict is found.verdict
    if verdict is Verdict.FAILED:
        assert {"new-a", "r_test"} <= witness(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("double", 2400.0), ("2", 2400.0), ("2.0x", 2400.0), ("x3", 3600.0),
        ("1.5 x", 1800.0), ("200 %", 2400.0),
        ("2400/min", 2400.0), ("2400 messages per minute", 2400.0), ("more", None),
    ],
)  # fmt: skip
def test_load_of_a_step(text: str, expected: float | None) -> None:
    """What people write for a load step, against a base of 1200 a minute."""
    assert expected == offered(text, 1200.0)


def test_unclear_step_is_open() -> None:
    """A step in words that name no load cannot be judged, and is not passed."""
    mine = instance(planned=(*PLANNED[:2], {"load": "more", "at": STEP, "for": "30m"}))
    found = compare_availability_after(case(instance=mine))
    assert {"load-step-not-seen"} == {m.rule for m in found.missing}


def test_length() -> None:
    """Minutes from one minute on."""
    assert ["45 s", "20 min"] == [length(timedelta(seconds=45)), length(timedelta(seconds=1240))]
