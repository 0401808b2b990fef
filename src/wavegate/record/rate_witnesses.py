# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What other sources than nms:deliveryStat tell of the rate: counts of the log, reports. Pure.

The log is counted on the server, by unit, delivery and status; the throughput report tells a
delivery's successes by its own bucket (`trunc`, seconds). Neither ever replaces the statistics.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from wavegate.clock import parse_instant
from wavegate.record.campaign_view import Row, query_rows, server_date
from wavegate.record.observation import Absent, Observation, Seen, Unreachable
from wavegate.record.queue import Meaning, meaning
from wavegate.record.rates import SERIES
from wavegate.record.safe_xml import attribute, find, local_name, parse
from wavegate.record.snapshot import Snapshot
from wavegate.record.soap import Reply, read

WITNESS = "rate witness"
"""In `asked` under `series`, marks the questions whose answers are decoded here."""
SINCE, UNTIL, OF = "since", "until", "delivery"
"""In `asked`: the stretch that was counted, and the delivery that a report is about."""
LOGS = ("nms:broadLogRcp", "nms:broadLogRtEvent")
"""Logs of deliveries to recipients, and of Message Center where an instance executes it."""
REPORT = "throughput report"
REPORT_PATH = "/report/throughput"
COUNTED = (Meaning.SENT, Meaning.ACCEPTED, Meaning.FAILED)
MOST_TRUNC = 31 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCount:
    """Messages of one delivery and status whose last event lies in a stretch."""

    log: str
    delivery: str
    status: Meaning
    start: datetime
    end: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCount:
    """A bucket of the throughput report of a delivery: messages that were relayed."""

    delivery: str
    start: datetime
    length: timedelta
    sent: int

    @property
    def end(self) -> datetime:
        """The first instant that is not in it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Logged:
    """One answer of a log: what was counted in a stretch."""

    since: datetime
    until: datetime
    counts: tuple[LogCount, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """One report: its buckets that had ended a whole length before it was read."""

    trunc: timedelta
    counts: tuple[ReportCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """What the other sources told.

    log: per log, delivery, status and stretch. counted: the stretches of which every log that
    answers was counted. trunc: the bucket of the reports that were read. silent: sources that told
    nothing, with the reason, each once.
    """

    log: tuple[LogCount, ...] = ()
    counted: tuple[tuple[datetime, datetime], ...] = ()
    report: tuple[ReportCount, ...] = ()
    trunc: timedelta | None = None
    silent: tuple[tuple[str, str], ...] = ()


def read_witnesses(snapshots: Iterable[Snapshot]) -> Witnesses:
    """What all captures of an instance told together; the same question counts as first told."""
    logs: dict[tuple[str, datetime, datetime], tuple[LogCount, ...]] = {}
    report: dict[tuple[str, datetime], ReportCount] = {}
    silent: dict[str, str] = {}
    coarse: timedelta | None = None
    for seen in _asked(snapshots):
        source = REPORT if seen.kind == "http" else seen.asked.get("schema", "")
        found = _report(seen) if source == REPORT else _log(seen)
        match found:
            case str():
                silent.setdefault(source, found)
            case Reported(trunc, counts):
                coarse = max(trunc, coarse or trunc)
                report = {(row.delivery, row.start): row for row in counts} | report
            case Logged(since, until, counted):
                logs.setdefault((source, since, until), counted)
    told = {log for log, _, _ in logs} | ({REPORT} if coarse else set())
    return Witnesses(
        log=tuple(row for key in sorted(logs) for row in logs[key]),
        counted=_counted(logs),
        report=tuple(report[key] for key in sorted(report)),
        trunc=coarse,
        silent=tuple((s, why) for s, why in sorted(silent.items()) if s not in told),
    )


def _asked(snapshots: Iterable[Snapshot]) -> Iterator[Observation]:
    for snapshot in sorted(snapshots, key=lambda s: (s.began, s.digest)):
        for seen in snapshot.observations:
            if seen.asked.get(SERIES) == WITNESS and (
                seen.kind == "http" or seen.asked.get("schema") in LOGS
            ):
                yield seen


def _counted(
    logs: Mapping[tuple[str, datetime, datetime], object],
) -> tuple[tuple[datetime, datetime], ...]:
    """The stretches that each log which answered at all was counted over."""
    by_log: dict[str, set[tuple[datetime, datetime]]] = {}
    for log, since, until in logs:
        by_log.setdefault(log, set()).add((since, until))
    return tuple(sorted(set.intersection(*by_log.values()))) if by_log else ()


def _stretch(seen: Observation) -> tuple[datetime, datetime] | None:
    try:
        since = parse_instant(seen.asked.get(SINCE, ""))
        until = parse_instant(seen.asked.get(UNTIL, ""))
    except ValueError:
        return None
    return (since, until) if since < until else None


def _log(seen: Observation) -> Logged | str:
    rows, stretch = group_rows(seen), _stretch(seen)
    if isinstance(rows, str) or stretch is None:
        return rows if isinstance(rows, str) else "a question without its stretch"
    found = [_log_count(row, seen.asked["schema"], *stretch) for row in rows]
    if None in found:
        return "a group whose status or count is no number"
    return Logged(*stretch, tuple(c for c in found if c and c.status in COUNTED))


def _log_count(row: Row, log: str, start: datetime, end: datetime) -> LogCount | None:
    status, count = row.values.get("status", ""), row.values.get("count", "")
    if not (re.fullmatch(r"-?[0-9]{1,4}", status) and re.fullmatch(r"[0-9]{1,12}", count)):
        return None
    return LogCount(
        log=log,
        delivery=row.values.get("delivery-id", ""),
        status=meaning(int(status), row.values.get("statusName", "")),
        start=start,
        end=end,
        count=int(count),
    )


def group_rows(seen: Observation) -> list[Row] | str:
    """The groups of a query, or why there are none to read."""
    match seen.outcome:
        case Unreachable(reason) | Absent(reason):
            return reason
        case Seen(value):
            reply = read(value)
    if not isinstance(reply, Reply) or reply.method != "ExecuteQuery":
        return "an answer that is no reply to ExecuteQuery"
    return list(query_rows(reply))


def _report(seen: Observation) -> Reported | str:
    match seen.outcome:
        case Unreachable(reason) | Absent(reason):
            return reason
        case Seen(value):
            pass
    try:
        root = parse(value)
    except ValueError as error:
        return str(error)
    trunc = _trunc(root)
    if isinstance(trunc, str):
        return trunc
    found = tuple(_successes(root, seen.asked.get(OF, ""), trunc))
    if not found:
        return "no successes in it"
    return Reported(trunc, tuple(row for row in found if row.end + row.length <= seen.at))


def _trunc(root: etree._Element) -> timedelta | str:
    """The length of a bucket, or why the report cannot be read."""
    held = find(root, "trunc")
    text = (held.text or "").strip() if held is not None else ""
    if local_name(root) != "ctx" or not re.fullmatch(r"[0-9]{1,7}", text):
        return "no <ctx> with a bucket length (trunc)"
    scale = find(root, "valueScaleFactor")
    if scale is not None and (scale.text or "").strip() not in ("", "1"):
        return "counts on a scale (valueScaleFactor) that is not documented"
    if not 0 < int(text) <= MOST_TRUNC:
        return f"buckets of {text} s"
    return timedelta(seconds=int(text))


def _successes(root: etree._Element, delivery: str, length: timedelta) -> Iterator[ReportCount]:
    """The rows of the series of successes; errors and bandwidth are left."""
    for row in root.iter("*"):
        series, count = attribute(row, "series") or "", attribute(row, "count") or ""
        date, zone_known = server_date(attribute(row, "date"))
        good = series.lower().startswith("succ") and re.fullmatch(r"[0-9]{1,12}", count)
        if good and date is not None and zone_known:
            yield ReportCount(delivery=delivery, start=date, length=length, sent=int(count))
