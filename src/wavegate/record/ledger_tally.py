# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The ledger's one pass over both sides: a 64-bit key per message, ten counters per key.

Polars reads only the columns it needs and groups before, after and copies in one go; a key whose
counters are plain (queued once, sent once, nothing else) is only counted, and the rows of all
others are fetched by their strings and settled one by one (`ledger_settle`). Two different messages
under one 64-bit key show as not plain and are told apart there.
"""

from collections.abc import Iterable, Mapping, Sequence
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

_BITS = 12
_LIMIT = (1 << _BITS) - 1
"""The highest count that a counter of twelve bits holds; keys with more rows are not plain."""
_LOW = ("queued", "queued_ours", "delivered", "sent", "failed")
_HIGH = ("other", "again", "before", "window", "after")
_WEIGHT = {name: 1 << (_BITS * place) for place, name in enumerate(_LOW)}
_WEIGHT_HIGH = {name: 1 << (_BITS * place) for place, name in enumerate(_HIGH)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How rows are keyed and weighed.

    issues: what makes deliveries the same issue, by delivery id: code or label. roots: deliveries
    that the look before knew. ours: a regular expression for recipients of our sources, or None.
    spool_since: mail to ours that was relayed from then on may still have been in the spool at the
    opening (v7); None where Sent means delivered.
    """

    issues: Mapping[str, str]
    roots: frozenset[str]
    ours: str | None
    spool_since: datetime | None = None

    def issue(self, delivery: str) -> str:
        """The issue of a delivery: its code or label, or its id where it has none."""
        return self.issues.get(delivery, f"#{delivery}")


def frame(rows: Sequence[LogRow]) -> pl.DataFrame:
    """Log rows as columns."""
    columns: dict[str, list[object]] = {
        name: [getattr(row, name) for row in rows] for name in SCHEMA
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def keyed(rows: pl.LazyFrame, rule: Rule) -> pl.LazyFrame:
    """The rows with `key`: a 64-bit hash of recipient and issue, or of the id without recipient."""
    deliveries = pl.col("delivery")
    issue = deliveries.replace_strict(dict(rule.issues), default="#" + deliveries)
    by_recipient = pl.col("recipient").hash(1) ^ issue.hash(2)
    by_id = pl.col("id").hash(3) ^ deliveries.hash(4)
    known = pl.col("recipient") != ""
    return rows.with_columns(pl.when(known).then(by_recipient).otherwise(by_id).alias("key"))


def meanings(rows: pl.LazyFrame) -> dict[tuple[int, str], Meaning]:
    """What each status that stands in the rows means."""
    found = rows.select("status", "status_name").unique().collect(engine="streaming")
    return {(status, name): meaning(status, name) for status, name in found.iter_rows()}


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


def _counted(rows: pl.LazyFrame, low: pl.Expr, high: pl.Expr) -> pl.LazyFrame:
    return rows.select("key", low.cast(pl.UInt64).alias("low"), high.cast(pl.UInt64).alias("high"))


def before_side(rows: pl.LazyFrame, rule: Rule) -> pl.LazyFrame:
    """The look before, weighed: queued (ours or not) or delivered; what failed before is out."""
    known = meanings(rows)
    queued = _is(known, Meaning.PENDING, Meaning.ACCEPTED)
    mine = pl.when(_ours(rule)).then(_WEIGHT["queued_ours"]).otherwise(_WEIGHT["queued"])
    low = pl.when(queued).then(mine).otherwise(_WEIGHT["delivered"])
    sent = _is(known, Meaning.SENT)
    high = pl.when(sent & _spooled(rule)).then(_WEIGHT_HIGH["other"]).otherwise(0)
    return _counted(keyed(rows.filter(queued | sent), rule), low, high)


def _spooled(rule: Rule) -> pl.Expr:
    """Whether a relayed row may be in the spool: its key then needs a second look."""
    if rule.spool_since is None:
        return pl.lit(value=False)
    return _ours(rule) & (pl.col("event_at") >= rule.spool_since).fill_null(value=False)


def queued_rows(rows: pl.LazyFrame) -> int:
    """How many rows of a look are queued."""
    held = _is(meanings(rows), Meaning.PENDING, Meaning.ACCEPTED)
    return int(rows.filter(held).select(pl.len()).collect(engine="streaming").item())


def after_side(rows: pl.LazyFrame, rule: Rule) -> pl.LazyFrame:
    """The look after, weighed: own rows by their status, rows of other deliveries as `again`."""
    known = meanings(rows)
    own = pl.col("delivery").is_in(sorted(rule.roots))
    low = (
        pl.when(own & _is(known, Meaning.SENT))
        .then(_WEIGHT["sent"])
        .when(own & _is(known, Meaning.FAILED))
        .then(_WEIGHT["failed"])
        .otherwise(0)
    )
    settled = _is(known, Meaning.SENT, Meaning.FAILED)
    high = (
        pl.when(~own)
        .then(_WEIGHT_HIGH["again"])
        .when(~settled)
        .then(_WEIGHT_HIGH["other"])
        .otherwise(0)
    )
    return _counted(keyed(of_issues(rows, rule), rule), low, high)


def of_issues(rows: pl.LazyFrame, rule: Rule) -> pl.LazyFrame:
    """The rows whose delivery is, or bears the code or label of, one that was known before."""
    wanted = {rule.issue(root) for root in rule.roots}
    deliveries = [d for d, issue in rule.issues.items() if issue in wanted]
    return rows.filter(pl.col("delivery").is_in(sorted({*deliveries, *rule.roots})))


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
    return keyed(found.lazy(), rule).collect()


def copies_side(keys: pl.DataFrame, phases: Sequence[Phase], odd: Sequence[bool]) -> pl.LazyFrame:
    """Received copies, weighed by phase; an odd one makes its key not plain."""
    weights = [
        _WEIGHT_HIGH[phase] + (_WEIGHT_HIGH["again"] if strange else 0)
        for phase, strange in zip(phases, odd, strict=True)
    ]
    high = pl.Series("high", weights, dtype=pl.UInt64)
    return keys.select("key", pl.lit(0, dtype=pl.UInt64).alias("low"), high).lazy()


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


def tally(sides: Iterable[pl.LazyFrame]) -> Tally:
    """Group all sides by key in one pass."""
    grouped = (
        pl.concat(list(sides))
        .group_by("key")
        .agg(pl.col("low").sum(), pl.col("high").sum(), pl.len().alias("n"))
        .collect(engine="streaming")
    )
    grouped = grouped.filter((pl.col("low") & _known_mask()) != 0)
    small = grouped.filter(pl.col("n") <= _LIMIT)
    by_log: dict[Outcome, int] = {}
    received: dict[Outcome, int] = {}
    for low, high, count in small.group_by("low", "high").len().iter_rows():
        outcome = _PLAIN_CODES.get((low, high))
        if outcome is not None:
            book = received if high else by_log
            book[outcome] = book.get(outcome, 0) + count
    codes = {"low": [low for low, _ in _PLAIN_CODES], "high": [high for _, high in _PLAIN_CODES]}
    plain = pl.DataFrame(codes, schema={"low": pl.UInt64(), "high": pl.UInt64()})
    odd = small.join(plain, on=["low", "high"], how="anti")
    large = grouped.filter(pl.col("n") > _LIMIT)
    keys = pl.concat([odd.select("key"), large.select("key")])
    return Tally(by_log=by_log, received=received, odd=keys)


def _known_mask() -> int:
    return sum(_LIMIT * _WEIGHT[name] for name in ("queued", "queued_ours", "delivered"))


def _plain_codes() -> dict[tuple[int, int], Outcome | None]:
    found: dict[tuple[int, int], Outcome | None] = {}
    for counters, outcome in _PLAIN.items():
        low = sum(_WEIGHT.get(name, 0) * count for name, count in counters)
        high = sum(_WEIGHT_HIGH.get(name, 0) * count for name, count in counters)
        found[low, high] = outcome
    return found


_PLAIN_CODES: Final = _plain_codes()
