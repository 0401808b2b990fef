# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""All rows of a Campaign table, page by page by the key, whatever cap the instance has.

A page that is shorter than asked proves nothing: the reading ends at an empty page. What makes no
sense on the way (a capped page, an id twice, a row without id, a clock that goes back) is noted,
and no row is dropped.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from wavegate.clock import format_instant
from wavegate.observe.campaign_client import Called, CampaignClient
from wavegate.record.campaign_view import query_rows
from wavegate.record.observation import Unreachable

LINES = 5_000
"""Rows asked per page, below the cap of 10,000 rows that instances are known to have."""
MAX_PAGES = 10_000
MAX_PROBLEMS = 200
_UNKNOWN = re.compile(r"XTK-170036[^']*'([^']{1,200})'")
_EXPIRED = "XSV-350008"
_ID = re.compile(r"-?[0-9]{1,19}")

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is read of a schema. need: columns without which it is no use. more: welcome ones.

    Columns are expressions; `[scheduling/@validityDate]` is shown as `validityDate`. analyze: the
    column of which the instance gives the name beside the number.
    """

    schema: str
    need: tuple[str, ...]
    more: tuple[str, ...] = ()
    analyze: str = ""


class CutShortError(Exception):
    """A table that could not be read to its end, and why."""


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads tables over one session, and notes what makes no sense.

    renew: opens a new session where the old one has expired; says whether it could. stopped: no
    more may be asked.
    """

    client: CampaignClient
    renew: Callable[[], bool] = lambda: False
    stopped: Callable[[], bool] = lambda: False
    lines: int = LINES
    problems: list[str] = field(default_factory=list)
    _date: datetime | None = None
    _lacking: dict[str, set[str]] = field(default_factory=dict)

    def note(self, problem: str) -> None:
        """Name a problem once; of very many, the first two hundred and that there are more."""
        if problem in self.problems:
            return
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append("further problems are not listed")

    def rows(self, table: Table, where: Sequence[str] = ()) -> Iterator[Values]:
        """Every row, by ascending id. Raises CutShortError."""
        last: int | None = None
        short: int | None = None
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            page = self._page(table, where, last)
            if not page:
                return
            if short is not None and 2 * len(page) >= short:  # fewer: rows that came meanwhile
                self.note(f"{table.schema}: a page of {short} rows where {self.lines} were asked")
            short = len(page) if len(page) < self.lines else None
            if len(page) > self.lines:
                self.note(f"{table.schema}: {len(page)} rows where {self.lines} were asked")
            last = self._check(table, page, last, seen)
            yield from page
        raise CutShortError(f"{table.schema}: more than {MAX_PAGES} pages")

    def _check(self, table: Table, page: Sequence[Values], last: int | None, seen: set[str]) -> int:
        """Note ids that are missing, twice or out of order; the key to go on from."""
        numbers = []
        for row in page:
            text = row.get("id", "")
            if not _ID.fullmatch(text):
                self.note(f"{table.schema}: a row without a usable id: {_shown(row)}")
                continue
            if text in seen:
                self.note(f"{table.schema}: id {text} twice")
            seen.add(text)
            numbers.append(int(text))
        if numbers != sorted(numbers):
            self.note(f"{table.schema}: rows are not in the order of their ids")
        highest = max(numbers, default=None)
        if highest is None or (last is not None and highest <= last):
            raise CutShortError(f"{table.schema}: the ids do not go on after {last}")
        return highest

    def grouped(self, schema: str, column: str, where: Sequence[str]) -> dict[str, int]:
        """How many rows per value of a column, counted on the instance. Raises CutShortError."""
        document = _document(schema, where, self.lines)
        nodes = document[0]
        etree.SubElement(nodes, "node", expr=column, groupBy="true")
        etree.SubElement(nodes, "node", expr="count(@id)", alias="@count")
        name = _attribute(column)
        found: dict[str, int] = {}
        for row in self._ask(schema, document, f"count per {column}"):
            if row.get(name) and row.get("count", "").isdecimal():
                found[row[name]] = int(row["count"])
        return found

    def _page(self, table: Table, where: Sequence[str], last: int | None) -> list[Values]:
        """One page; a welcome column that the instance does not know is left out and noted."""
        lacking = self._lacking.setdefault(table.schema, set())
        while True:
            columns = [c for c in (*table.need, *table.more) if c not in lacking]
            paged = where if last is None else (*where, f"@id > {last}")
            document = _select(table, columns, paged, self.lines)
            try:
                return self._ask(table.schema, document, f"rows after {last}, {self.lines} lines")
            except CutShortError as error:
                unknown = _column(str(error), table.more, lacking)
                if unknown is None:
                    raise
                lacking.add(unknown)
                self.note(f"{table.schema}: this instance does not know {unknown}")

    def _ask(self, schema: str, document: etree._Element, told: str) -> list[Values]:
        if self.stopped():
            raise CutShortError("interrupted")
        called = self.client.select(schema, document, {"body": told})
        if _reason(called) and _EXPIRED in _reason(called) and self.renew():
            called = self.client.select(schema, document, {"body": f"{told}, again"})
        if called.reply is None:
            raise CutShortError(f"{schema}: {_reason(called)}")
        self._read_clock(called)
        return [row.values for row in query_rows(called.reply) if row.values]

    def _read_clock(self, called: Called) -> None:
        """Note a server clock that goes back between two answers (HTTP Date, whole seconds)."""
        try:
            date = parsedate_to_datetime(called.observation.heard.get("date", ""))
        except ValueError:
            return
        if self._date is not None and date.tzinfo and date < self._date:
            back = (self._date - date).total_seconds()
            self.note(f"the instance's clock went back by {back:g} s at {format_instant(date)}")
        self._date = date if date.tzinfo else self._date


def _reason(called: Called) -> str:
    outcome = called.observation.outcome
    return outcome.reason if isinstance(outcome, Unreachable) else "no answer"


def _column(reason: str, more: Sequence[str], lacking: set[str]) -> str | None:
    """The welcome column that a fault says the instance does not know."""
    match = _UNKNOWN.search(reason)
    if match is None:
        return None
    name = match[1].strip("[]")
    return next((c for c in more if c.strip("[]") == name and c not in lacking), None)


def _attribute(expression: str) -> str:
    """`validityDate` of `[scheduling/@validityDate]`: under which a column is shown."""
    return expression.strip("[]").rpartition("/")[2].removeprefix("@")


def _document(schema: str, where: Sequence[str], lines: int) -> etree._Element:
    root = etree.Element("queryDef", schema=schema, operation="select", lineCount=str(lines))
    etree.SubElement(root, "select")
    if where:
        conditions = etree.SubElement(root, "where")
        for expression in where:
            etree.SubElement(conditions, "condition", expr=expression)
    return root


def _select(
    table: Table, columns: Sequence[str], where: Sequence[str], lines: int
) -> etree._Element:
    root = _document(table.schema, where, lines)
    for expression in columns:
        node = etree.SubElement(root[0], "node", expr=expression)
        if "/" in expression:
            node.set("alias", f"@{_attribute(expression)}")
        if expression == table.analyze:
            node.set("analyze", "true")
    etree.SubElement(etree.SubElement(root, "orderBy"), "node", expr="@id")
    return root


def _shown(row: Values) -> str:
    return " ".join(f"{name}={value[:40]}" for name, value in sorted(row.items()))[:160] or "empty"
