# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What moves by itself in a running instance, at chosen instants: no clock, no sockets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wavegate.lab.campaign_functions import Functions
from wavegate.lab.campaign_state import Value
from wavegate.lab.clockwork import Clockwork
from wavegate.lab.estate_functions import BOUNCING
from wavegate.lab.faults import planted
from wavegate.lab.live import Live
from wavegate.lab.live_rates import LoadStep
from wavegate.lab.live_tables import ACTIVITY, table, written
from wavegate.lab.reference import reference_world
from wavegate.lab.world import Phase, World

OPENS = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
WINDOW, PERIOD = timedelta(seconds=10), timedelta(seconds=2)
CLOCK = Clockwork(opens=OPENS, closes=OPENS + WINDOW, period=PERIOD)
WORLD = reference_world()
ROOM = (7, 400)
EARLY, DURING, LATE = (CLOCK.share(at) for at in (-0.5, 0.3, 1.01))


def _live(name: str = "acme-prod1", world: World = WORLD, *, steps: bool = False) -> Live:
    found = (LoadStep(factor=2.0, since=CLOCK.share(2.0), until=CLOCK.share(2.3)),)
    return Live(
        world.before.instance(name),
        CLOCK,
        token="t0",
        began=CLOCK.share(-1.0),
        steps=found if steps else (),
    )


def _after(live: Live, world: World = WORLD, at: datetime = LATE) -> Live:
    live.show("window", world.window.instance(live.name), OPENS)
    live.show("after", world.after.instance(live.name), at)
    return live


def _column(live: Live, schema: str, column: str, at: datetime) -> list[Value]:
    found = table(live, schema, at)
    assert found is not None
    place = found.columns.index(column)
    return [row[place] for row in found.rows]


def _statuses(live: Live, at: datetime) -> list[Value]:
    """Of the rows of the queue."""
    found = table(live, "nms:broadLogRcp", at)
    assert found is not None
    return [row[2] for row in found.rows if 82_000 <= int(row[0]) < 90_000]


def test_the_queue_waits_until_the_close() -> None:
    """Pending is what a look before and in the window must list."""
    live = _live()
    assert _statuses(live, EARLY) == [6] * 39
    live.show("window", WORLD.window.instance(live.name), OPENS)
    assert _statuses(live, DURING) == [6] * 39
    assert live.backlog.next(DURING) is None


@pytest.mark.parametrize(("name", "handed"), [("acme-prod1", 8), ("acme-mkt1", 1)])
def test_a_status_follows_the_mail(name: str, handed: int) -> None:
    """v8 takes a message into account and calls it Sent when it is; v7 calls it Sent at once."""
    live = _after(_live(name))
    row = live.backlog.next(LATE)
    assert row is not None
    assert _statuses(live, LATE)[0] == handed
    live.backlog.done(row, LATE)
    assert _statuses(live, LATE)[0] == 1


def test_a_message_that_was_not_taken_comes_again() -> None:
    """Exactly once: neither lost by a refusal nor doubled."""
    live = _after(_live())
    first = live.backlog.next(LATE)
    assert first is not None
    live.backlog.back(first)
    sent = []
    while (row := live.backlog.next(LATE)) is not None:
        live.backlog.done(row, LATE)
        sent.append(row.id)
    assert (len(sent), len(set(sent)), sent[0]) == (39, 39, first.id)
    assert _column(live, "nms:delivery", "@state", LATE)[5:8] != [55, 55, 55]


def test_a_delivery_is_finished_when_nothing_of_it_waits() -> None:
    """State 95 says that no more will come."""
    live = _after(_live())
    while (row := live.backlog.next(LATE)) is not None:
        live.backlog.done(row, LATE)
    assert {live.backlog.states[id_] for id_ in (4101, 4102, 4103)} == {95}


@pytest.mark.parametrize(
    ("fault", "sent", "left"),
    [
        ("v8-remainder-stuck", 34, {8: 5}),
        ("never-resent", 0, {6: 39}),
        ("emptied-by-expiry", 21, {7: 18}),
        ("benign-legit-bounce", 36, {2: 3}),
        ("benign-cancelled-by-customer", 27, {7: 12}),
        ("resent-twice-one-in-thousand", 40, {}),
        ("resent-twice-whole-delivery", 51, {}),
        ("benign-resend-new-ids", 39, {7: 39}),
        ("queued-one-lost", 38, {}),
        ("resent-to-wrong-recipient", 39, {}),
        ("row-cap-hides-queue", 273, {8: 6}),
    ],
)
def test_the_fates_of_queued_mail(fault: str, sent: int, left: dict[int, int]) -> None:
    """Each fault of the queue is what its entry tells, in mails sent and rows that stay."""
    world = planted(WORLD, (fault,))
    live = _after(_live(world=world), world)
    count = 0
    while (row := live.backlog.next(LATE)) is not None:
        live.backlog.done(row, LATE)
        count += 1
    statuses = _statuses(live, LATE)
    assert count == sent
    assert {s: statuses.count(s) for s in set(statuses) - {1}} == left


def test_late_mail_waits_for_its_instant() -> None:
    """The message of an offer that is over leaves after its validity, not before."""
    world = planted(WORLD, ("resent-expired",))
    live = _after(_live(world=world), world)
    soon = []
    while (row := live.backlog.next(LATE)) is not None:
        soon.append(row)
    late = live.backlog.next(CLOCK.share(1.6))
    assert late is not None
    assert (len(soon), live.backlog.busy) == (35, False)
    assert CLOCK.share(1.6) > live.backlog.valid_until(late.delivery)


def test_content_goes_to_the_other_reader() -> None:
    """Two readers of one delivery get each other's; the log tells nothing of it."""
    world = planted(WORLD, ("resent-to-wrong-recipient",))
    live = _after(_live(world=world), world)
    odd = [row for row in live.backlog.rows if row.to]
    assert [row.delivery for row in odd] == [4103, 4103]
    assert [row.to for row in odd] == [row.recipient for row in reversed(odd)]


def test_a_slow_queue_drains_steadily() -> None:
    """One after the other, and not at once."""
    world = planted(WORLD, ("too-early-to-tell",))
    live = _after(_live(world=world), world)
    assert not live.backlog.busy
    assert live.backlog.next(CLOCK.share(1.6)) is None
    late = [live.backlog.next(CLOCK.share(1.7 + 0.7 * n)) for n in range(3)]
    assert None not in late
    assert _statuses(live, CLOCK.share(3.2)).count(6) == 36


def test_two_deliveries_share_readers_and_subject() -> None:
    """Each has a row for each of nine readers, under the same words."""
    live = _live(world=planted(WORLD, ("benign-two-mails-same-subject",)))
    rows = {id_: [r for r in live.backlog.rows if r.delivery == id_] for id_ in (4101, 4103)}
    told = {id_: [(r.recipient, r.subject) for r in found] for id_, found in rows.items()}
    assert told[4103] == told[4101][:9]
    assert len({row.id for row in (*rows[4101], *rows[4103])}) == 27


def test_waiting_events_can_vanish() -> None:
    """They wait through the window; healthy ones are handled after it, these are gone."""
    world = planted(WORLD, ("transactional-events-dropped",))
    live = _live(world=world)
    live.show("window", world.window.instance(live.name), OPENS)
    assert _column(live, "nms:rtEvent", "@status", DURING) == [0, 0, 0]
    healthy = replace(
        world.after.instance(live.name), campaign=WORLD.after.instance(live.name).campaign
    )
    live.show("after", healthy, LATE)
    assert _column(live, "nms:rtEvent", "@status", LATE) == [3, 3, 3]
    gone = _after(_live(world=world), world)
    assert _column(gone, "nms:rtEvent", "@status", LATE) == []


def test_bounces_are_counted_by_the_next_run() -> None:
    """Sent at first, failed with the run after; from the opening on nothing is counted."""
    world = planted(WORLD, ("inbound-bounces-unprocessed",))
    live = _live(world=world)
    assert set(_bounced(live, OPENS - 3 * PERIOD)) == {2}
    assert _bounced(live, OPENS - 2.7 * PERIOD)[-1] == 1
    live = _after(_live(world=world), world)
    assert _bounced(live, CLOCK.share(1.9))[-3:] == [1, 1, 1]
    live = _live(world=world)
    live.show("window", WORLD.window.instance(live.name), OPENS)
    healthy = world.before.instance(live.name)
    live.show("after", healthy, LATE)
    assert _bounced(live, CLOCK.share(1.9))[:-1].count(1) == 0


def _bounced(live: Live, at: datetime) -> list[Value]:
    """The statuses of mail to the address that bounces, oldest first."""
    found = table(live, "nms:broadLogRcp", at)
    assert found is not None
    return [row[2] for row in found.rows if row[3] == BOUNCING]


@pytest.mark.parametrize(("phase", "state"), [("window", [45]), ("after", [95])])
def test_a_campaign_waits_for_the_window(phase: Phase, state: list[int]) -> None:
    """Its delivery is ready while mail may not leave, and done after."""
    world = planted(WORLD, ("benign-email-activity-waits",))
    live = _live(world=world)
    live.show(phase, world.scene(phase).instance(live.name), DURING)
    found = table(live, "nms:delivery", DURING)
    assert found is not None
    assert [row[4] for row in found.rows if row[0] == ACTIVITY] == state


@pytest.mark.parametrize(("at", "inside"), [(0.34, False), (0.36, True), (0.86, False)])
def test_a_span_of_the_window(at: float, inside: bool) -> None:
    """From its first instant to before its last."""
    assert CLOCK.within(CLOCK.share(at), (0.35, 0.85)) is inside
    assert not CLOCK.within(CLOCK.share(at), None)


def test_workflows_go_by_their_schedule() -> None:
    """The mark of a run advances by itself; what is stuck keeps its last one."""
    world = planted(WORLD, ("workflow-zombie",))
    live = _live(world=world)
    marks = [_column(live, "xtk:workflow", "@processDate", EARLY + n * PERIOD)[0] for n in range(3)]
    assert len(set(marks)) == 3
    live.show("window", world.window.instance(live.name), OPENS)
    held = [_column(live, "xtk:workflow", "@processDate", CLOCK.share(at))[0] for at in (0.1, 0.9)]
    assert held == [written(OPENS)] * 2
    live.show("after", world.after.instance(live.name), LATE)
    assert _column(live, "xtk:workflow", "@processDate", LATE)[0] == written(CLOCK.closes)


def test_a_click_is_recorded_by_the_next_run() -> None:
    """The effect of a seed link shows in the tracking log."""
    live = _live()
    usual = len(_column(live, "nms:trackingLogRcp", "@id", EARLY))
    live.click(EARLY + timedelta(seconds=0.1))
    dates = _column(live, "nms:trackingLogRcp", "@logDate", EARLY + PERIOD)
    assert written(EARLY + timedelta(seconds=0.1)) in dates
    assert len(dates) == usual + 3


def test_clicks_that_are_not_recorded_are_lost_for_good() -> None:
    """The newest entry stands still, and what was clicked meanwhile never appears."""
    live = _live()
    broken = replace(live.state, functions=Functions(clicks_recorded=False))
    state = replace(WORLD.window.instance(live.name), campaign=broken)
    live.show("window", state, OPENS)
    before = _column(live, "nms:trackingLogRcp", "@logDate", OPENS)
    live.click(DURING)
    assert _column(live, "nms:trackingLogRcp", "@logDate", CLOCK.closes) == before


def test_events_wait_while_no_mail_leaves() -> None:
    """The queue of mcPing grows in the window and drains after it."""
    live = _live()
    live.show("window", WORLD.window.instance(live.name), OPENS)
    ids = [live.push("wavegateProbe", DURING, ROOM) for _ in range(3)]
    assert (min(ids) >= 1 << 56, len(set(ids))) == (True, 3)
    assert live.pending(CLOCK.closes, ROOM) == (10, 400)
    live.show("after", WORLD.after.instance(live.name), LATE)
    assert live.pending(LATE, ROOM) == (7, 400)


def test_a_full_queue_takes_no_event() -> None:
    """Intake is refused by the id 0."""
    assert _live().push("wavegateProbe", EARLY, (400, 400)) == 0


def test_rates_tell_of_ended_buckets_only() -> None:
    """No row for the window, one delivery before it and another one after it."""
    live = _after(_live())
    at = CLOCK.share(1.5) + CLOCK.bucket / 2
    dates = [str(date) for date in _column(live, "nms:deliveryStat", "@date", at)]
    owners = set(_column(live, "nms:deliveryStat", "@delivery-id", at))
    assert owners == {5001, 5002}
    assert [d for d in dates if written(OPENS) <= d < written(CLOCK.closes)] == []
    assert max(dates) == written(CLOCK.share(1.5) - CLOCK.bucket)
    assert min(dates) == written(OPENS - 21 * CLOCK.unit)


def test_a_load_step_doubles_the_rate() -> None:
    """The planned step is followed by a healthy instance, and not by one that is pinned."""
    healthy, pinned = _after(_live(steps=True)), planted(WORLD, ("no-scale-with-load",))
    flat = _after(_live(world=pinned, steps=True), pinned)
    usual, doubled = (_sent(healthy, at) for at in (1.6, 2.1))
    assert doubled == pytest.approx(2 * usual, rel=0.05)
    assert _sent(flat, 2.1) == pytest.approx(usual, rel=0.05)


def _sent(live: Live, since: float) -> int:
    """Messages of a fifth of the window, whole units that are steady by construction."""
    found = table(live, "nms:deliveryStat", CLOCK.share(4.0))
    assert found is not None
    begin, end = written(CLOCK.share(since)), written(CLOCK.share(since + 0.2))
    return sum(int(row[3]) for row in found.rows if begin <= str(row[1]) < end)
