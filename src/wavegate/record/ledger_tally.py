# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The ledger's one pass over both sides: a 64-bit key per message, ten counters in another 64 bits.

Polars reads only the columns it needs and groups before, after and copies in one go; a key whose
counters are plain (queued once, sent once, nothing else) is only counted, and the rows of all
others are fetched by their strings and settled one by one (`ledger_settle`). Two different messages
under one 64-bit key show as not plain and are told apart there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from wavegate.record.ledger_entry import Copy, Outcome, Phase
from wavegate.record.queue import LogRow, Meaning, meaning

SCHEMA: Final = {
    "id": pl.String(),
    "delivery": pl.String(),
    "recipient": pl.String(),
    "status": pl.Int32(),
    "status_name": pl.String(),
    "event_at": pl.Datetime("us", "UTC"),
    "reason": pl.String(),
}
"""The columns of log rows, in Parquet and in frames."""

_COUNTERS = (
    "queued",
    "queued_ours",
    "delivered",
    "sent",
    "failed",
    "other",
    "again",
    "before",
    "window",
    "after",
)
_BITS = 5
_LIMIT = (1 << _BITS) - 1
"""The highest count of one counter; a key with more rows than that is not plain."""
_WEIGHT = {name: 1 << (_BITS * place) for place, name in enumerate(_COUNTERS)}
_ROWS_AT = _BITS * len(_COUNTERS)
"""Above the counters stands how many rows a key has, in the 14 bits that are left."""
_ROW = 1 << _ROWS_AT
_TOO_MANY = (_LIMIT + 1) * _ROW


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How rows are keyed and weighed.

    issues: what makes deliveries the same issue, by delivery id: code or label. roots: deliveries
    that the look before knew. ours: a regular expression for recipients of our sources, or None.
    spool_since: mail to ours that was relayed from then on may still have been in the spool at the
    opening (v7); None where Sent means delivered. named: every row has a recipient.
    """

    issues: Mapping[str, str]
    roots: frozenset[str]
    ours: str | None
    spool_since: datetime | None = None
    named: bool = True

    def issue(self, delivery: str) -> str:
        """The issue of a delivery: its code or label, or its id where it has none."""
        return self.issues.get(delivery, f"#{delivery}")


def frame(rows: Sequence[LogRow]) -> pl.DataFrame:
    """Log rows as columns."""
    columns: dict[str, list[object]] = {
        name: [getattr(row, name) for row in rows] for name in SCHEMA
    }
    return pl.DataFrame(columns, schema=SCHEMA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What stands in the rows of a look, from one cheap pass.

    known: what each status means, by number and name. counts: how many rows a delivery has.
    queued: how many of them all wait.
    """

    known: Mapping[tuple[int, str], Meaning]
    counts: Mapping[str, int]
    queued: int

    @property
    def deliveries(self) -> frozenset[str]:
        """The ids of all deliveries that have rows."""
        return frozenset(self.counts)

    def of_issues(self, rule: Rule) -> int:
        """How many rows belong to an issue that was known before."""
        wanted = {rule.issue(root) for root in rule.roots}
        return sum(n for d, n in self.counts.items() if rule.issue(d) in wanted)


def survey(rows: pl.LazyFrame) -> Survey:
    """Count the rows per delivery and status."""
    grouped = rows.group_by("delivery", "status", "status_name").len()
    found = list(grouped.collect(engine="streaming").iter_rows())
    known = {(status, name): meaning(status, name) for _, status, name, _ in found}
    waiting = (Meaning.PENDING, Meaning.ACCEPTED)
    counts: dict[str, int] = {}
    for delivery, _, _, count in found:
        counts[delivery] = counts.get(delivery, 0) + count
    return Survey(
        known=known,
        counts=counts,
        queued=sum(n for _, status, name, n in found if known[status, name] in waiting),
    )


def key_of(rule: Rule) -> pl.Expr:
    """A 64-bit hash of recipient and issue; of the row's own id where it has no recipient."""
    deliveries = pl.col("delivery")
    issue = deliveries.hash(2)
    first: dict[str, str] = {}
    same = {d: first.setdefault(name, d) for d, name in sorted(rule.issues.items())}
    same = {d: other for d, other in same.items() if d != other}
    if same:  # deliveries of one issue take the hash of the first of them
        others = pl.Series(list(same), dtype=pl.String), pl.Series(list(same.values()))
        issue = issue.replace(others[0].hash(2), others[1].hash(2))
    by_recipient = pl.col("recipient").hash(1) ^ issue
    if rule.named:
        return by_recipient
    by_id = pl.col("id").hash(3) ^ deliveries.hash(4)
    return pl.when(pl.col("recipient") != "").then(by_recipient).otherwise(by_id)


def _is(known: Mapping[tuple[int, str], Meaning], *wanted: Meaning) -> pl.Expr:
    """Whether a row's status means one of these. Names are asked only where numbers do not tell."""
    test: pl.Expr = pl.lit(value=False)
    for (status, name), found in known.items():
        if found in wanted:
            numbers = {other for key, other in known.items() if key[0] == status}
            same = pl.col("status") == status
            test = test | (same if len(numbers) == 1 else same & (pl.col("status_name") == name))
    return test


def _ours(rule: Rule) -> pl.Expr:
    if rule.ours is None:
        return pl.lit(value=False)
    return pl.col("recipient").str.contains(rule.ours)


def _counted(rows: pl.LazyFrame, rule: Rule, code: pl.Expr) -> pl.LazyFrame:
    return rows.select(key_of(rule).alias("key"), (code + _ROW).cast(pl.UInt64).alias("code"))


def before_side(rows: pl.LazyFrame, rule: Rule, known: Survey) -> pl.LazyFrame:
    """The look before, weighed: queued (ours or not) or delivered; what failed before is out."""
    queued = _is(known.known, Meaning.PENDING, Meaning.ACCEPTED)
    sent = _is(known.known, Meaning.SENT)
    mine = pl.when(_ours(rule)).then(_WEIGHT["queued_ours"]).otherwise(_WEIGHT["queued"])
    spooled = pl.when(_spooled(rule)).then(_WEIGHT["other"]).otherwise(0)
    code = pl.when(queued).then(mine).when(sent).then(_WEIGHT["delivered"] + spooled).otherwise(0)
    return _counted(rows, rule, code)


def _spooled(rule: Rule) -> pl.Expr:
    """Whether a relayed row may be in the spool: its key then needs a second look."""
    if rule.spool_since is None:
        return pl.lit(value=False)
    return _ours(rule) & (pl.col("event_at") >= rule.spool_since).fill_null(value=False)


def after_side(rows: pl.LazyFrame, rule: Rule, known: Survey) -> pl.LazyFrame:
    """The look after, weighed: own rows by their status, rows of other deliveries as `again`."""
    others = known.deliveries - rule.roots
    code = (
        pl.when(_is(known.known, Meaning.SENT))
        .then(_WEIGHT["sent"])
        .when(_is(known.known, Meaning.FAILED))
        .then(_WEIGHT["failed"])
        .otherwise(_WEIGHT["other"])
    )
    if others:
        foreign = pl.col("delivery").is_in(sorted(others))
        code = pl.when(foreign).then(_WEIGHT["again"]).otherwise(code)
    return _counted(of_issues(rows, rule, known), rule, code)


def of_issues(rows: pl.LazyFrame, rule: Rule, known: Survey) -> pl.LazyFrame:
    """The rows whose delivery is, or bears the code or label of, one that was known before."""
    wanted = {rule.issue(root) for root in rule.roots}
    strangers = [d for d in known.deliveries if rule.issue(d) not in wanted]
    return rows.filter(~pl.col("delivery").is_in(sorted(strangers))) if strangers else rows


def copies_frame(copies: Sequence[Copy], rule: Rule) -> pl.DataFrame:
    """Received copies as keyed rows, with their place in `copies`."""
    columns = {
        "id": [copy.row for copy in copies],
        "delivery": [copy.delivery for copy in copies],
        "recipient": [copy.recipient for copy in copies],
        "place": list(range(len(copies))),
    }
    schema = {"id": pl.String(), "delivery": pl.String(), "recipient": pl.String()}
    found = pl.DataFrame(columns, schema={**schema, "place": pl.UInt32()})
    return found.with_columns(key_of(rule).alias("key"))


def copies_side(keys: pl.DataFrame, phases: Sequence[Phase], odd: Sequence[bool]) -> pl.LazyFrame:
    """Received copies, weighed by phase; an odd one makes its key not plain."""
    weights = [
        _ROW + _WEIGHT[phase] + (_WEIGHT["again"] if strange else 0)
        for phase, strange in zip(phases, odd, strict=True)
    ]
    return keys.select("key", pl.Series("code", weights, dtype=pl.UInt64)).lazy()


_PLAIN: Mapping[tuple[tuple[str, int], ...], Outcome | None] = {
    (("queued", 1), ("sent", 1)): Outcome.RESENT,
    (("queued", 1), ("failed", 1)): Outcome.BOUNCED,
    (("queued_ours", 1), ("after", 1)): Outcome.RESENT,
    (("queued_ours", 1), ("sent", 1), ("after", 1)): Outcome.RESENT,
    (("queued_ours", 1), ("before", 1)): Outcome.DELIVERED_BEFORE,
    (("queued_ours", 1), ("sent", 1), ("before", 1)): Outcome.DELIVERED_BEFORE,
    (("queued_ours", 1), ("window", 1)): Outcome.IN_WINDOW,
    (("queued_ours", 1), ("sent", 1), ("window", 1)): Outcome.IN_WINDOW,
    (("queued_ours", 1), ("failed", 1)): Outcome.BOUNCED,
    (("delivered", 1),): None,
    (("delivered", 1), ("sent", 1)): None,
    (("delivered", 1), ("before", 1)): None,
    (("delivered", 1), ("sent", 1), ("before", 1)): None,
}
"""Counters that need no second look, all others being 0. None: out of scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one pass found. plain: how many keys per outcome, told by the log alone or received.

    odd: the keys of all other messages that the look before knew.
    """

    by_log: Mapping[Outcome, int]
    received: Mapping[Outcome, int]
    odd: pl.DataFrame


def tally(sides: Sequence[pl.LazyFrame], rows: int) -> Tally:
    """Group all sides by key in one pass. rows: how many they hold together, at most.

    A key with more rows than 14 bits hold shows in the sum; its counters are not to be believed.
    """
    joined = pl.concat(list(sides)).group_by("key")
    grouped = joined.agg(pl.col("code").sum()).collect(engine="streaming")
    counts = grouped["code"].value_counts()
    if sum((code >> _ROWS_AT) * count for code, count in counts.iter_rows()) != rows:
        many = pl.col("n") > _LIMIT
        counted = joined.agg(pl.col("code").sum(), pl.len().alias("n"))
        code = pl.when(many).then(pl.lit(_TOO_MANY, dtype=pl.UInt64)).otherwise(pl.col("code"))
        grouped = counted.select("key", code.alias("code")).collect(engine="streaming")
        counts = grouped["code"].value_counts()
    return _tallied(grouped, counts)


def _tallied(grouped: pl.DataFrame, counts: pl.DataFrame) -> Tally:
    by_log: dict[Outcome, int] = {}
    received: dict[Outcome, int] = {}
    odd: list[int] = []
    for code, count in counts.iter_rows():
        counters, rows = code & (_ROW - 1), code >> _ROWS_AT
        if rows > _LIMIT or counters not in _PLAIN_CODES:
            if rows > _LIMIT or counters & _KNOWN:
                odd.append(code)
            continue
        outcome = _PLAIN_CODES[counters]
        if outcome is not None:
            book = received if counters >= _WEIGHT["before"] else by_log
            book[outcome] = book.get(outcome, 0) + count
    chosen = pl.Series(odd, dtype=pl.UInt64)
    keys = grouped.lazy().filter(pl.col("code").is_in(chosen.implode())).select("key")
    return Tally(by_log=by_log, received=received, odd=keys.collect(engine="streaming"))


_KNOWN: Final = sum(_LIMIT * _WEIGHT[name] for name in ("queued", "queued_ours", "delivered"))
_PLAIN_CODES: Final = {
    sum(_WEIGHT[name] * count for name, count in counters): outcome
    for counters, outcome in _PLAIN.items()
}
