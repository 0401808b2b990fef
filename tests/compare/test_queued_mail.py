# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.estates import END, IPS, START, estate, instance, wave
from tests.builders.queues import SUFFIX, delivery, event, letter, look, row, seed

from wavegate.clock import format_instant
from wavegate.compare.queued_mail import QueueCase, account, compare_queued_mail
from wavegate.compare.queued_mail_bound import hidden, lost_bound, needed
from wavegate.estate.model import MailSource
from wavegate.estate.policy import Policy
from wavegate.record.message import Received
from wavegate.record.queue import LogRow, QueueLook
from wavegate.verdict import Finding, Judgement, On, Verdict

HOUR = timedelta(hours=1)
DEADLINE = END + 85 * HOUR
LATE = DEADLINE + HOUR
SINK = (MailSource(sink=True, recipients=("*@seed.example",)),)
FIVE_BEFORE = START - timedelta(seconds=5)


def case(
    looks: Sequence[QueueLook],
    mails: Iterable[Received] = (),
    *,
    at: datetime = LATE,
    product: str = "campaign-v8",
    name: str = "acme-prod1",
    policy: dict[str, object] | None = None,
    control: bool = True,
    **other: object,
) -> QueueCase:
    """A case of these looks and mails, past the deadline; a control mail arrived after."""
    one = instance(name, product=product, mail=SINK)
    every = list(mails)
    if control:
        quiet = letter(0, 99, row_id=5, recipient="control@seed.example", at=at - HOUR)
        every.append(quiet)
    fields: dict[str, object] = {
        "estate": estate(one, policy=Policy.model_validate(policy or {})),
        "wave": wave(),
        "instance": one,
        "at": at,
        "looks": tuple(looks),
        "mail_before": tuple(m for m in every if m.ended < START),
        "mail_window": tuple(m for m in every if START <= m.ended < END),
        "mail_after": tuple(m for m in every if END <= m.ended),
    }
    return QueueCase(**{**fields, **other})  # type: ignore[arg-type] # fields by name


def judge(*args: object, **kwargs: object) -> Judgement:
    """The judgement of such a case."""
    return compare_queued_mail(case(*args, **kwargs))  # type: ignore[arg-type] # as `case`


def after(rows: Iterable[LogRow], *deliveries: object, at: datetime = LATE) -> QueueLook:
    """A look after, past the deadline."""
    return look(rows, deliveries, moment="after", at=at)  # type: ignore[arg-type] # deliveries


def only(found: Judgement) -> Finding:
    """The one finding of a FAILED judgement."""
    assert (Verdict.FAILED, 1) == (found.verdict, len(found.findings))
    return found.findings[0]


def queue(count: int, **other: object) -> list[LogRow]:
    """So many rows over D1, D2, D3."""
    return [row(n, 1 + n % 3, **other) for n in range(count)]  # type: ignore[arg-type] # by name


def arrivals(rows: Iterable[LogRow], **other: object) -> list[Received]:
    """A mail of each row, by its own id."""
    return [
        letter(int(r.id) - 70000, int(r.delivery) - 4000, recipient=r.recipient, **other)  # type: ignore[arg-type] # by name
        for r in rows
    ]


def sent(rows: Iterable[LogRow]) -> list[LogRow]:
    """The same rows, Sent."""
    return [replace(r, status=1, status_name="sent") for r in rows]


def test_healthy_queue_is_a_census() -> None:
    """Every message met: PASSED, counted, and no bound is printed."""
    rows = queue(30)
    found = judge([look(rows), after(sent(rows))], arrivals(rows))
    assert Verdict.PASSED is found.verdict
    assert "30 messages were queued: 30 resent once" == found.shown
    assert "%" not in (found.could_hide or "")


def test_v7_spool_lost_says_sent() -> None:
    """140 relayed messages that never arrive are named, with the Message-ID they would bear."""
    rows = [row(n, 1 + n % 3, status=1) for n in range(200)]
    early = arrivals(rows[:60], at=START - timedelta(hours=1))
    found = only(
        judge(
            [look(rows), after(rows)],
            early,
            product="campaign-v7",
            name="acme-mkt1",
            wave=wave("2024-01-w1", "acme-mkt1"),
        )
    )
    assert "lost" == found.rule
    assert {"140", "acme-mkt1", f"<NM6{70060:08X}{4001:08X}{SUFFIX}>"} <= set(found.witness)


def test_v8_remainder_stuck() -> None:
    """37 rows that stay with the provider past the deadline are lost; their ids are named."""
    rows = queue(100)
    stuck = [replace(r, status=3, status_name="takenIntoAccount") for r in rows[:37]]
    found = only(judge([look(rows), after([*stuck, *sent(rows[37:])])], arrivals(rows[37:])))
    assert {"37", "70000", "70036"} <= set(found.witness)


def test_resent_twice_one_in_many() -> None:
    """One message that comes under two ids is named by its reader and both Message-IDs."""
    rows = queue(50)
    again = letter(7, 9, row_id=88007)
    mails = [*arrivals(rows), again]
    looked = after(sent(rows), delivery(2), delivery(9, label="D2"))
    found = only(judge([look(rows), looked], mails))
    assert "sent-twice" == found.rule
    assert {seed(7), again.message_id, mails[7].message_id} <= set(found.witness)


def test_resent_twice_whole_delivery() -> None:
    """A delivery that is duplicated and sent in full reaches those who had it: 200 of D2."""
    rows = [row(n, 2, status=1 if n < 200 else 6) for n in range(300)]
    mails = arrivals(rows[:200], at=START - HOUR)
    mails += [letter(n, 9, row_id=88000 + n) for n in range(300)]
    looked = after(rows, delivery(2), delivery(9, label="Copy of D2"))
    found = only(judge([look(rows), looked], mails))
    assert ("delivered-and-sent-again", "delivery DM2") == (found.rule, found.subject)
    assert {"D2", "200"} <= set(found.witness)


def test_never_resent() -> None:
    """A queue that nobody resends is lost as a whole; its deliveries are named."""
    rows = queue(300)
    found = only(judge([look(rows), after(rows)]))
    assert {"300", "4001", "4002", "4003", "D1", "D2", "D3"} <= set(found.witness)
    assert "instance:acme-prod1" == found.subject


def test_resent_expired() -> None:
    """Arrival after the validity is named with the message and the instant it ended."""
    ends = START + timedelta(minutes=90)
    rows, valid = queue(30), [delivery(1, valid_until=ends), delivery(2), delivery(3)]
    mails = [
        letter(n, 1 + n % 3, at=START + timedelta(minutes=400 if n == 3 else 70)) for n in range(30)
    ]
    found = only(judge([look(rows, valid), after(sent(rows), *valid)], mails))
    assert "arrived-after-validity" == found.rule
    assert {mails[3].message_id, format_instant(ends), "1"} <= set(found.witness)


def test_late_arrival_is_not_excused_by_policy() -> None:
    """accept_expired is about mail that was not sent; an expired offer that arrives is wrong."""
    ends = START + timedelta(minutes=90)
    rows, valid = [row(0)], [delivery(1, valid_until=ends)]
    mails = [letter(0, at=START + timedelta(minutes=400))]
    found = judge(
        [look(rows, valid), after(sent(rows), *valid)], mails, policy={"accept_expired": True}
    )
    assert "arrived-after-validity" == only(found).rule


@pytest.mark.parametrize(("accept", "verdict"), [(False, Verdict.FAILED), (True, Verdict.PASSED)])
def test_emptied_by_expiry(accept: bool, verdict: Verdict) -> None:
    """Rows that the clean-up cancels empty the queue and are no success, but for the policy."""
    rows = queue(60)
    gone = [replace(r, status=7, status_name="deliveryCancelled") for r in rows[:40]]
    states = [delivery(n, state=95) for n in (1, 2, 3)]
    looks = [look(rows), after([*gone, *sent(rows[40:])], *states)]
    found = judge(looks, arrivals(rows[40:]), policy={"accept_expired": accept})
    assert verdict is found.verdict
    if not accept:
        assert {"40", "cleanup"} <= set(only(found).witness)


def test_resent_to_wrong_recipient() -> None:
    """Two readers of D3 who get each other's content are both named, with the delivery."""
    rows = [row(n, 3) for n in range(10)]
    mails = [
        letter(n, 3, text=f"Dear {seed({1: 2, 2: 1}.get(n, n))}, our news for you")
        for n in range(10)
    ]
    found = only(judge([look(rows), after(sent(rows))], mails))
    assert "content-of-another-reader" == found.rule
    assert {seed(1), seed(2), "D3"} <= set(found.witness)


def test_shifted_rows_are_told_by_ids() -> None:
    """A mail whose Message-ID names another reader's row holds that reader's content."""
    rows = [row(n, 3) for n in range(4)]
    mails = [letter(n, 3, row_id=70000 + {1: 2, 2: 1}.get(n, n)) for n in range(4)]
    found = only(judge([look(rows), after(sent(rows))], mails))
    assert {seed(1), seed(2), "D3"} <= set(found.witness)


def test_partial_delivery_lost() -> None:
    """A delivery that stays paused past the deadline is named, with how many it holds."""
    rows = queue(90)
    mine = [r for r in rows if r.delivery != "4002"]
    left = [r for r in rows if r.delivery == "4002"]
    states = [delivery(1, state=95), delivery(2, state=75), delivery(3, state=95)]
    found = only(judge([look(rows), after([*sent(mine), *left], *states)], arrivals(mine)))
    assert ("lost", "delivery DM2") == (found.rule, found.subject)
    assert {"D2", "30"} <= set(found.witness)
    assert "its delivery is paused" in found.explanation


def test_transactional_events_dropped() -> None:
    """Pending events that are gone without an error are lost and named."""
    looks = [
        look([], events=(event(1), event(2))),
        replace(after([]), events=(event(2, 3, "sent"),)),
    ]
    found = only(judge(looks))
    assert {"1", "901"} <= set(found.witness)


def test_ledger_has_no_before() -> None:
    """A queue that was never listed leaves nothing to account against; why is told."""
    failed = look([], complete=False, missing="HTTP 200 XSV-350008 the session is not valid")
    found = judge([failed, after([])])
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "queue snapshot" in found.missing[0].what
    assert "XSV-350008" in found.missing[0].what
    assert On.OPERATOR is found.missing[0].on


def test_too_early_to_tell() -> None:
    """What still drains is open: how many, until when, by which command; and on track."""
    rows, at = queue(100), END + 5 * HOUR
    looks = [look(rows), after([*rows[:30], *sent(rows[30:])], at=at)]
    found = judge(looks, arrivals(rows[30:]), at=at)
    assert Verdict.INCONCLUSIVE is found.verdict
    (gap,) = found.missing
    assert (30, DEADLINE, On.TIME) == (gap.count, gap.settles_by, gap.on)
    assert "wavegate capture --phase after" == gap.command
    assert None is found.off_track


def test_open_and_nobody_looks() -> None:
    """An open cell whose newest datum is older than two units is off track."""
    rows, looked = queue(10), END + 2 * HOUR
    looks = [look(rows), after(rows, at=looked)]
    found = judge(looks, at=looked + 3 * HOUR, control=False)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "no look at the queue and no mail since 2024-01-17T01:00:00Z" in (found.off_track or "")
    assert None is judge(looks, at=looked + HOUR, control=False).off_track


def test_row_cap_is_no_limit() -> None:
    """60 lost among 12,500 rows are found, those beyond the first 10,000 too."""
    rows = [row(n, 1 + n % 3, recipient=f"r{n}@elsewhere.example") for n in range(12_500)]
    lost = rows[12_000:12_060]
    rest = [r for r in rows if r not in set(lost)]
    found = only(judge([look(rows), after([*lost, *sent(rest)])]))
    assert {"60", "82000", "82059"} <= set(found.witness)


def test_benign_resend_new_ids() -> None:
    """All messages once, under new delivery, row and Message-IDs: PASSED."""
    rows = queue(60)
    mails = [letter(n, 11 + n % 3, row_id=88000 + n) for n in range(60)]
    new = [delivery(11 + n, label=f"D{n + 1}") for n in range(3)]
    old = [delivery(n, state=75) for n in (1, 2, 3)]
    found = judge([look(rows), after(rows, *old, *new)], mails)
    assert Verdict.PASSED is found.verdict
    assert "60 messages were queued: 60 resent once" == found.shown


def test_benign_legit_bounce() -> None:
    """Three that bounce are accounted for and counted."""
    rows = queue(30)
    bounced = [replace(r, status=2, status_name="failed", reason="5.1.1") for r in rows[:3]]
    found = judge([look(rows), after([*bounced, *sent(rows[3:])])], arrivals(rows[3:]))
    assert Verdict.PASSED is found.verdict
    assert "3 bounced, accounted for" in (found.shown or "")


def test_benign_cancelled_by_customer() -> None:
    """What a person cancelled is accounted for; delivery and person are named."""
    rows = queue(30)
    mine = [r for r in rows if r.delivery != "4002"]
    gone = [replace(r, status=7, status_name="cancelled") for r in rows if r.delivery == "4002"]
    states = [delivery(1), delivery(2, state=85, changed_by="jane"), delivery(3)]
    found = judge([look(rows), after([*sent(mine), *gone], *states)], arrivals(mine))
    assert Verdict.PASSED is found.verdict
    (cleared,) = found.cleared
    assert ("delivery DM2", "cancelled by jane") == (cleared.subject, cleared.after)
    assert "D2" in cleared.explanation


def test_benign_two_mails_same_subject() -> None:
    """A reader who is in two deliveries of one subject gets two mails, not a duplicate."""
    rows = [row(n, d, id=str(70000 + 100 * d + n)) for n in range(25) for d in (1, 3)]
    mails = [letter(n, d, row_id=70000 + 100 * d + n) for n in range(25) for d in (1, 3)]
    found = judge([look(rows), after(sent(rows))], mails)
    assert (Verdict.PASSED, "50 messages were queued: 50 resent once") == (
        found.verdict,
        found.shown,
    )


def test_empty_queue_needs_a_fresh_complete_look() -> None:
    """Nothing queued passes only by a complete list from just before the opening."""
    fresh = judge([look([]), after([])])
    assert Verdict.PASSED is fresh.verdict
    assert "nothing was queued: the complete list 1m before the opening is empty" == fresh.shown
    old = judge([look([], at=START - 30 * HOUR), after([])])
    assert ("queue-list-too-old", Verdict.INCONCLUSIVE) == (old.missing[0].rule, old.verdict)
    assert "queue-never-listed" == judge([after([])]).missing[0].rule


def test_a_queue_that_nobody_listed_is_not_left_open() -> None:
    """Once the window has opened no list of it can be had: HOLD, and not GO until the due."""
    never, stale = judge([after([])]), judge([look([], at=START - 30 * HOUR), after([])])
    assert [never.reason, stale.reason] == [never.off_track, stale.off_track]
    assert judge([], at=START - HOUR).off_track is None


def test_last_complete_look_counts() -> None:
    """A later look that was cut short does not take the place of a complete one, and is named."""
    rows = queue(10)
    cut = look(rows[:3], complete=False, missing="timeout", at=FIVE_BEFORE)
    found = judge([look(rows), cut, after(sent(rows))], arrivals(rows))
    assert Verdict.PASSED is found.verdict
    assert "timeout" in [gap.reason for gap in found.not_compared]


def test_no_look_after() -> None:
    """Without a look after, one side of the proof is missing."""
    rows = queue(6)
    found = judge([look(rows)], arrivals(rows))
    assert "queue-not-listed-after" == found.missing[0].rule


def test_problems_of_looks_are_named() -> None:
    """Rows that make no sense stand in the report."""
    rows = queue(6)
    odd = look(rows, problems=("row 70001 twice", "the clock went back by 3 s"))
    found = judge([odd, after(sent(rows))], arrivals(rows))
    assert {"row 70001 twice", "the clock went back by 3 s"} <= {
        gap.reason for gap in found.not_compared
    }


def test_v7_sample_is_bounded() -> None:
    """On v7 seeds in the queue are a sample: its bound is held against lost_share."""
    rows = [row(n, recipient=seed(n) if n < 300 else f"r{n}@x.example") for n in range(1000)]
    looks = [look(rows), after(sent(rows))]
    mails = arrivals(rows[:300])
    strict = judge(looks, mails, product="campaign-v7")
    assert Verdict.INCONCLUSIVE is strict.verdict
    assert ("sample-too-small", 650) == (strict.missing[0].rule, strict.missing[0].count)
    lax = judge(looks, mails, product="campaign-v7", policy={"lost_share": 0.02})
    assert Verdict.PASSED is lax.verdict
    assert "300 of 1000 met, none lost: up to 1.0% of a large queue, 8 of this one (95 %)" in (
        lax.could_hide or ""
    )


def test_v7_is_open_before_the_deadline() -> None:
    """On v7 every relayed row to others is open until the deadline."""
    rows = [row(n, recipient=f"r{n}@x.example") for n in range(10)]
    at = END + 5 * HOUR
    found = judge([look(rows), after(sent(rows), at=at)], product="campaign-v7", at=at)
    assert (10, DEADLINE) == (found.missing[0].count, found.missing[0].settles_by)


def test_lost_share_is_tolerated() -> None:
    """Losses within the agreed share do not convict; beyond it they do."""
    rows = queue(100)
    looks = [look(rows), after([*rows[:2], *sent(rows[2:])])]
    mails = arrivals(rows[2:])
    assert Verdict.PASSED is judge(looks, mails, policy={"lost_share": 0.02}).verdict
    assert Verdict.FAILED is judge(looks, mails, policy={"lost_share": 0.01}).verdict


def test_lost_needs_a_control_mail() -> None:
    """Where nothing reaches a mailbox, what did not arrive there is not known to be lost."""
    rows = queue(5)
    found = judge([look(rows), after(rows)], control=False)
    assert Verdict.INCONCLUSIVE is found.verdict
    assert "no control mail shows its mailbox" in found.missing[0].what


def test_one_message_from_two_hosts() -> None:
    """One Message-ID from one host twice is a retry; from two hosts it lay in two spools."""
    rows = queue(4)
    looks, mails = [look(rows), after(sent(rows))], arrivals(rows)
    retried = judge(looks, [*mails, letter(1, 2, at=END + HOUR)])
    assert (Verdict.PASSED, "smtp-duplicate") == (retried.verdict, retried.cleared[0].rule)
    replayed = judge(looks, [*mails, letter(1, 2, at=END + HOUR, host="old-a.mta.example")])
    assert "same-message-from-two-hosts" == only(replayed).rule


def test_sent_in_the_window_is_not_ours_to_convict() -> None:
    """Mail of the queue that leaves in the window is counted; sending_window judges it."""
    rows = queue(6)
    mails = arrivals(rows, at=START + timedelta(minutes=10))
    found = judge([look(rows), after(sent(rows))], mails)
    assert Verdict.PASSED is found.verdict
    assert "6 sent in the window (judged by sending_window)" in (found.shown or "")


def test_strangers_do_not_count() -> None:
    """A mail from an unlisted address and another domain is no copy of anything."""
    rows = queue(3)
    forged = letter(0, 1, peer="203.0.113.66", headers={"From": "x@evil.example"})
    found = judge([look(rows), after(rows)], [forged])
    assert "3" in only(found).witness


def test_new_sending_ip_is_not_lost_mail() -> None:
    """A mail of the queue from an address that is not listed has arrived all the same."""
    rows = queue(3)
    found = judge([look(rows), after(sent(rows))], arrivals(rows, peer="203.0.113.66"))
    assert Verdict.PASSED is found.verdict
    assert "203.0.113.66" not in IPS


@pytest.mark.parametrize(
    ("met", "share"), [(20, "13.9%"), (60, "4.9%"), (300, "1.0%"), (3000, "0.1%")]
)
def test_bound_of_a_large_queue(met: int, share: str) -> None:
    """1 - .05^(1/n), as given."""
    assert share == f"{lost_bound(met):.1%}"


@pytest.mark.parametrize(
    ("queued", "lost", "expected"), [(10_000, 100, 294), (10_000, 10, 2588), (1000, 1, 950)]
)
def test_needed_of_a_finite_queue(queued: int, lost: int, expected: int) -> None:
    """How many must be met to meet one of the lost with 95 %, as given."""
    assert expected == needed(queued, lost)


@given(queued=st.integers(1, 3000), met=st.integers(0, 3000))
def test_bounds_agree(queued: int, met: int) -> None:
    """What so many can hide is exactly what a sample of that size does not suffice for."""
    n = min(met, queued)
    most = hidden(n, queued)
    assert 0 <= most <= queued - n
    assert needed(queued, most + 1) <= n or most == queued
    assert most == 0 or needed(queued, most) > n


@settings(max_examples=30, deadline=None)
@given(
    fates=st.lists(st.sampled_from(["sent", "lost", "failed", "twice"]), min_size=1, max_size=12),
    hours=st.integers(1, 120),
)
def test_judgement_follows_the_ledger(fates: list[str], hours: int) -> None:
    """FAILED if and only if something was sent twice, or was lost and the deadline is past."""
    rows = queue(len(fates))
    status = {"sent": (1, "sent"), "twice": (1, "sent"), "failed": (2, "failed")}
    new, mails = [], []
    for n, fate in enumerate(fates):
        number, name = status.get(fate, (6, "pending"))
        new.append(replace(rows[n], status=number, status_name=name))
        mails += arrivals([rows[n]]) if fate in ("sent", "twice") else []
        mails += [letter(n, 11 + n % 3, row_id=88000 + n)] if fate == "twice" else []
    again = [delivery(11 + n, label=f"D{n + 1}") for n in range(3)]
    at = END + hours * HOUR
    looks = [look(rows), after(new, delivery(1), delivery(2), delivery(3), *again, at=at)]
    found = judge(looks, mails, at=at)
    bad = "twice" in fates or ("lost" in fates and at >= DEADLINE)
    expected = Verdict.FAILED if bad else Verdict.PASSED
    if not bad and "lost" in fates:
        expected = Verdict.INCONCLUSIVE
    assert expected is found.verdict
    one = account(case(looks, mails, at=at))
    assert 0 == one.ledger.remainder  # type: ignore[union-attr] # there is a list before
