# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.estates import END, START
from tests.builders.queues import delivery, event, letter, look, row, seed

from wavegate.record.ledger import Ledger, Side, patterns, reckon, side
from wavegate.record.ledger_entry import Outcome, Terms
from wavegate.record.message import Received
from wavegate.record.queue import LogRow, QueueLook

OURS = ("*@seed.example",)
HOUR = timedelta(hours=1)


def terms(hours: float = 5, **other: object) -> Terms:
    """Asked so many hours after the close, looked at just before."""
    at = END + hours * HOUR
    fields: dict[str, object] = {
        "opening": START,
        "close": END,
        "at": at,
        "deadline": END + 85 * HOUR,
        "feedback": True,
        "looked_at": at,
        "controls": frozenset({"@seed.example"}),
        "heard_since": START - 24 * HOUR,
    }
    return Terms(**{**fields, **other})  # type: ignore[arg-type] # fields by name


def ledger(
    before: QueueLook,
    after: QueueLook | None,
    mails: Sequence[Received] = (),
    given_terms: Terms | None = None,
) -> Ledger:
    """The ledger of two looks and some mail."""
    told = given_terms or terms()
    return reckon(side(before), side(after) if after else None, mails, told, OURS)


@pytest.mark.parametrize(
    ("q", "a", "hours", "expected"),
    [
        (1, 1, 5, {Outcome.RESENT: 1}),
        (1, 2, 5, {Outcome.TWICE: 1}),
        (1, 0, 10, {Outcome.QUEUED: 1}),
        (1, 0, 90, {Outcome.LOST: 1}),
        (2, 2, 5, {Outcome.RESENT: 2}),
    ],
)
def test_numbers_of_statistics(q: int, a: int, hours: float, expected: dict[Outcome, int]) -> None:
    """The given cases: q originals and a copies under one key, so many hours after the close."""
    before = look([row(n, recipient=seed(0)) for n in range(q)])
    after = look([], [delivery(1), delivery(9, label="D1")], moment="after")
    mails = [letter(n, 9, row_id=88000 + n, recipient=seed(0)) for n in range(a)]
    assert expected == ledger(before, after, mails, terms(hours)).counts


def test_original_and_resend_both_arrived() -> None:
    """An original that came by its own id, and a resend of it: sent twice."""
    before, after = look([row(1)]), look([row(1, status=1)], moment="after")
    mails = [letter(1), letter(1, 9, row_id=88001)]
    after = replace(after, deliveries=(*after.deliveries, delivery(9, label="D1")))
    found = ledger(before, after, mails)
    assert {Outcome.TWICE: 1} == found.counts
    assert 2 == len(found.entries[0].copies)


def test_next_issue_is_no_second_copy() -> None:
    """Another content under the same label is the next issue, and hides no loss either."""
    before = look([row(1), row(2)])
    after = look(
        [], [delivery(1), delivery(9, label="D1"), delivery(10, label="D1")], moment="after"
    )
    mails = [
        letter(1, 9, row_id=88001),
        letter(1, 10, row_id=99001, text="the next issue", at=END + 3 * HOUR),
    ]
    found = ledger(before, after, mails, terms(90))
    assert {Outcome.RESENT: 1, Outcome.LOST: 1} == found.counts


def test_next_issue_does_not_stand_in_for_a_lost_one() -> None:
    """Where the content of the original is known, another content does not account for it."""
    before = look([row(1), row(2)])
    after = look([row(1)], [delivery(1), delivery(10, label="D1")], moment="after")
    early = START + timedelta(seconds=-40)
    mails = [
        letter(2, at=early),
        letter(3, recipient=seed(3), row_id=70003, at=early),
        letter(1, 10, row_id=99001, text="the next issue"),
    ]
    before = replace(before, rows=(*before.rows, row(3, status=1)))
    found = ledger(before, after, mails, terms(90))
    assert {Outcome.DELIVERED_BEFORE: 1, Outcome.LOST: 1} == found.counts


def test_second_mail_without_content_is_doubt() -> None:
    """A second row for a reader whom we do not receive, of unknown content, is not proof."""
    outside = "reader@elsewhere.example"
    before = look([row(1, recipient=outside)])
    rows = [row(1, status=1, recipient=outside), row(2, 9, status=1, recipient=outside)]
    after = look(rows, [delivery(1), delivery(9, label="Copy of D1")], moment="after")
    assert {Outcome.UNTOLD: 1} == ledger(before, after).counts


def test_second_row_is_proof_where_deliveries_are_alike() -> None:
    """Two deliveries whose content our seeds saw to be the same send everyone the same."""
    outside = "reader@elsewhere.example"
    before = look([row(1, recipient=outside), row(3, status=1)])
    rows = [row(1, status=1, recipient=outside), row(2, 9, status=1, recipient=outside)]
    after = look(rows, [delivery(1), delivery(9, label="D1")], moment="after")
    mails = [letter(3, at=START - HOUR), letter(3, 9, row_id=88003)]
    found = ledger(before, after, mails)
    assert {Outcome.TWICE: 1} == found.counts
    assert ["70003"] == [entry.original.id for entry in found.again]


def test_two_arrivals_of_one_message_count_once() -> None:
    """The same Message-ID twice is an SMTP duplicate: its own class, with both hosts."""
    before, after = look([row(1)]), look([row(1, status=1)], moment="after")
    mails = [letter(1), letter(1, at=END + HOUR, host="new-b.mta.example")]
    found = ledger(before, after, mails)
    assert {Outcome.SMTP_DUPLICATE: 1} == found.counts
    assert ("new-a.mta.example", "new-b.mta.example") == found.entries[0].copies[0].hosts


def test_status_accounts_for_what_does_not_come() -> None:
    """Failed is bounced; cancelled is by a person or by the clean-up; its row gone is open."""
    before = look([row(n, d) for n, d in ((1, 1), (2, 2), (3, 3), (4, 1))])
    rows = [row(1, status=2, reason="5.1.1"), row(2, 2, status=7), row(3, 3, status=7)]
    states = [delivery(1), delivery(2, state=85, changed_by="jane"), delivery(3, state=95)]
    found = ledger(before, look(rows, states, moment="after"))
    expected = {
        Outcome.EXPIRED: 1,
        Outcome.BOUNCED: 1,
        Outcome.QUEUED: 1,
        Outcome.CANCELLED: 1,
    }
    assert expected == found.counts
    assert "its delivery was cancelled by jane" == found.of(Outcome.CANCELLED)[0].why


def test_late_arrival_is_expired() -> None:
    """A mail that arrives after the validity of its delivery has expired, whatever its id."""
    ends = START + timedelta(minutes=90)
    before = look([row(1), row(2)], [delivery(1, valid_until=ends)])
    after = look([row(1, status=1), row(2, status=1)], [delivery(1)], moment="after")
    mails = [letter(1), letter(2, at=ends + HOUR)]
    found = ledger(before, after, mails)
    assert {Outcome.RESENT: 1, Outcome.EXPIRED: 1} == found.counts


def test_v7_spool_lost_says_sent() -> None:
    """Relayed before the opening, Sent for ever, never arrived: in the queue, and lost."""
    rows = [row(n, status=1) for n in range(3)]
    mails = [letter(0, at=START - timedelta(minutes=50)), letter(1)]
    v7 = terms(90, feedback=False)
    found = ledger(look(rows), look(rows, moment="after"), mails, v7)
    assert {Outcome.RESENT: 1, Outcome.LOST: 1} == found.counts
    assert (2, 0) == (found.queued, found.remainder)
    assert "the log says Sent, and it has not arrived" == found.of(Outcome.LOST)[0].why


def test_v7_log_says_sent_is_open_until_the_deadline() -> None:
    """On v7 a relayed mail to others is not delivered before the deadline has passed."""
    rows = [row(n, recipient=f"r{n}@elsewhere.example") for n in range(4)]
    sent = [replace(r, status=1, status_name="sent") for r in rows]
    looks = look(rows), look(sent, moment="after")
    assert {Outcome.QUEUED: 4} == ledger(*looks, (), terms(5, feedback=False)).counts
    late = ledger(*looks, (), terms(90, feedback=False))
    assert {Outcome.RESENT: 4} == late.counts
    assert (0, 4) == (late.received, late.told_by_log)


def test_without_control_mail_nothing_is_lost() -> None:
    """A reader whom no mail reached at all may not be reachable for us."""
    quiet = terms(90, controls=frozenset())
    found = ledger(look([row(1)]), look([row(1)], moment="after"), (), quiet)
    assert {Outcome.UNTOLD: 1} == found.counts


def test_events_are_accounted_for_by_id() -> None:
    """A pending real-time event that is gone without an error is lost after the deadline."""
    before = look([], events=(event(1), event(2), event(3)))
    after = look([], events=(event(1, 3, "sent"), event(2, 4, "deliveryError")), moment="after")
    expected = {Outcome.RESENT: 1, Outcome.BOUNCED: 1, Outcome.LOST: 1}
    assert expected == ledger(before, after, (), terms(90)).counts


def test_ids_beyond_31_bits_and_hidden_recipients_are_joined() -> None:
    """A negative broadLog id is met by its unsigned hex, and an HMAC by the row's id."""
    hidden = "hmac:" + "5" * 64
    before = look([row(1, id="-5", recipient=hidden)])
    after = look([row(1, id="-5", recipient=hidden, status=1)], moment="after")
    mails = [letter(1, row_id=-5, recipient="x@elsewhere.example")]
    found = ledger(before, after, mails)
    assert {Outcome.RESENT: 1} == found.counts


def test_content_for_another_reader_is_named() -> None:
    """Two readers of one delivery who get each other's content are both told."""
    before = look([row(1), row(2)])
    after = look([row(1, status=1), row(2, status=1)], moment="after")
    mails = [letter(1, text=f"Dear {seed(2)}"), letter(2, text=f"Dear {seed(1)}")]
    found = ledger(before, after, mails)
    assert [(seed(1), seed(2)), (seed(2), seed(1))] == [
        (copy.recipient, copy.instead_of) for copy in found.misdirected
    ]


def test_unknown_copy_is_listed() -> None:
    """A mail of a queued delivery to someone the log did not know is listed."""
    found = ledger(look([row(1)]), look([row(1, status=1)], moment="after"), [letter(1), letter(7)])
    assert [seed(7)] == [copy.recipient for copy in found.unknown]


def test_row_listed_twice_counts_once() -> None:
    """A look that holds a row twice does not make two messages of it."""
    found = ledger(look([row(1), row(1)]), look([row(1, status=1)], moment="after"), [letter(1)])
    assert ({Outcome.RESENT: 1}, 0) == (found.counts, found.remainder)


def test_patterns_are_plain() -> None:
    """A pattern's dots are dots, and no pattern at all is nobody's."""
    assert None is patterns(())
    assert r"^(?:.*@seed\.example)$" == patterns(("*@Seed.example",))


FATES = ("resent", "own", "lost", "twice", "bounced", "pending", "cancelled", "window", "before")


def world(
    fates: Sequence[str], order: random.Random
) -> tuple[QueueLook, QueueLook, list[Received]]:
    """A queue whose messages have these fates, its rows and mails in any order."""
    old: list[LogRow] = []
    new: list[LogRow] = []
    mails: list[Received] = []
    for n, fate in enumerate(fates):
        old.append(row(n, 1 + n % 3))
        status = {"own": 1, "bounced": 2, "cancelled": 7, "window": 1, "before": 1}.get(fate, 6)
        new.append(row(n, 1 + n % 3, status=status))
        at = {"window": START + timedelta(minutes=5), "before": START - timedelta(seconds=5)}
        if fate in ("own", "window", "before", "twice"):
            mails.append(letter(n, 1 + n % 3, at=at.get(fate)))
        if fate in ("resent", "twice"):
            mails.append(letter(n, 9 + n % 3, row_id=88000 + n, at=END + HOUR))
    for items in (old, new, mails):
        order.shuffle(items)
    again = [delivery(9 + n, label=f"D{1 + n}") for n in range(3)]
    states = [delivery(n, state=85) for n in (1, 2, 3)]
    return look(old), look(new, [*states, *again], moment="after"), mails


EXPECTED = {
    "resent": Outcome.RESENT,
    "own": Outcome.RESENT,
    "lost": Outcome.LOST,
    "pending": Outcome.LOST,
    "twice": Outcome.TWICE,
    "bounced": Outcome.BOUNCED,
    "cancelled": Outcome.CANCELLED,
    "window": Outcome.IN_WINDOW,
    "before": Outcome.DELIVERED_BEFORE,
}


@settings(max_examples=60, deadline=None)
@given(
    fates=st.lists(st.sampled_from(FATES), max_size=25),
    seeds=st.tuples(st.integers(), st.integers()),
)
def test_every_message_has_exactly_its_outcome(fates: list[str], seeds: tuple[int, int]) -> None:
    """Outcomes partition any queue, add up to it, and do not depend on the order of the input."""
    wanted: dict[Outcome, int] = {}
    for fate in fates:
        wanted[EXPECTED[fate]] = wanted.get(EXPECTED[fate], 0) + 1
    found = [
        ledger(*world(fates, random.Random(number)), terms(90))  # noqa: S311 - an order, no secret
        for number in seeds
    ]
    assert wanted == dict(found[0].counts)
    assert (len(fates), 0) == (found[0].queued, found[0].remainder)
    assert found[0] == found[1]
    ids = [entry.original.id for entry in found[0].entries]
    assert len(set(ids)) == len(ids)


def test_reads_columns_of_a_file(tmp_path: object) -> None:
    """The same ledger comes of frames in memory and of Parquet on disk."""
    before, after, mails = world(FATES, random.Random(1))  # noqa: S311 - an order, no secret
    sides: list[Side] = []
    for name, one in (("before", before), ("after", after)):
        path = f"{tmp_path}/{name}.parquet"
        side(one).rows.collect().write_parquet(path)
        sides.append(Side(rows=pl.scan_parquet(path), deliveries=side(one).deliveries))
    assert ledger(before, after, mails, terms(90)) == reckon(
        sides[0], sides[1], mails, terms(90), OURS
    )


def test_empty_queue() -> None:
    """No rows at all: nothing queued, nothing counted."""
    found = ledger(look([]), look([], moment="after"))
    assert (0, {}, 0) == (found.queued, found.counts, found.remainder)


def test_a_key_with_very_many_rows() -> None:
    """Counters that would run over are not believed: 16,385 mails for one reader all count."""
    many = 2**14 + 1
    before = look([row(n, recipient="r@x.example") for n in range(many)])
    after = look([row(n, status=1, recipient="r@x.example") for n in range(many)], moment="after")
    assert {Outcome.DELIVERED_BEFORE: many} == ledger(before, after).counts


def test_rows_without_recipients_are_joined_by_id() -> None:
    """An instance that shows no addresses still tells, row by row, what became of each."""
    before = look([row(n, recipient="") for n in range(40)])
    after = look([row(n, status=1 if n else 2, recipient="") for n in range(39)], moment="after")
    found = ledger(before, after, (), terms(90))
    assert {Outcome.RESENT: 38, Outcome.BOUNCED: 1, Outcome.LOST: 1} == found.counts
