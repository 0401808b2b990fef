# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""ExecuteQuery: a small reader of Campaign's query language over the lab's tables.

Knows select, count, get and getIfExists; paths, aliases, groupBy, analyze, count/min/max/sum;
conditions joined by AND and OR; orderBy, lineCount, startLine. All else is Campaign's own fault.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from wavegate.lab.campaign_state import CampaignState, Table, Value

LINES, MOST = 200, 10_000
WEIGHT = ""
"""In a row: for how many it stands. No column has this name."""
Row = Mapping[str, Value]
_CONDITION = re.compile(
    r"\s*(?P<path>\[?[@\w/:-]+\]?)\s*(?P<op>=|<>|!=|<=|>=|<|>|in|LIKE)\s*(?P<value>.+?)\s*",
    re.IGNORECASE | re.DOTALL,
)
_AGGREGATE = re.compile(r"\s*(?P<what>count|min|max|sum)\((?P<path>[^)]*)\)\s*", re.IGNORECASE)


class QueryFaultError(Exception):
    """A Campaign fault: its code and text as they stand in the fault's detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One selected expression: path or aggregate over a path, where it is written, options."""

    path: str
    alias: str
    what: str = ""
    group: bool = False
    analyze: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query as it was asked."""

    operation: str
    nodes: tuple[Node, ...]
    order: tuple[tuple[str, bool], ...]
    lines: int
    start: int
    where: Callable[[Row], bool]

    @property
    def grouped(self) -> bool:
        """Whether rows are put together rather than shown."""
        return any(node.group or node.what for node in self.nodes)


def execute(state: CampaignState, document: etree._Element, *, cap: int = MOST) -> etree._Element:
    """The result document of a `queryDef` element. Raises QueryFaultError.

    cap: how many rows it brings at most, whatever was asked.
    """
    schema = document.get("schema", "")
    try:
        table = state.table(schema)
    except KeyError:
        raise QueryFaultError(f"XFR-180000 Unknown schema '{schema}'.") from None
    query = _read(document, table)
    rows = [row for row in _rows(table, whole=not query.grouped) if query.where(row)]
    name = schema.split(":")[1]
    if query.operation == "count":
        return _element(name, {"count": sum(map(_weight, rows))})
    return _select(replace(query, lines=min(query.lines, cap)), table, rows, name)


def _rows(table: Table, *, whole: bool) -> Iterator[Row]:
    """The rows by column. whole: one for each that is stood for, ids counting on."""
    weights = table.weights or (1,) * len(table.rows)
    for values, weight in zip(table.rows, weights, strict=True):
        row = dict(zip(table.columns, values, strict=True))
        if not whole:
            yield row | {WEIGHT: weight}
        else:
            yield from (row | {"@id": int(row["@id"]) + n} if n else row for n in range(weight))


def _weight(row: Row) -> int:
    return int(row.get(WEIGHT, 1))


def _select(query: Query, table: Table, rows: list[Row], name: str) -> etree._Element:
    shown = _grouped(query, rows) if query.grouped else _ordered(query, rows)
    elements = [_write(name, query, table, row) for row in shown]
    if query.operation == "select":
        collection = etree.Element(f"{name}-collection")
        collection.extend(elements[query.start : query.start + query.lines])
        return collection
    if not elements and query.operation == "get":
        raise QueryFaultError(f"XTK-170040 The document of type '{table.schema}' does not exist.")
    return elements[0] if elements else etree.Element(name)


def _read(document: etree._Element, table: Table) -> Query:
    operation = document.get("operation", "select")
    if operation not in ("select", "get", "getIfExists", "count"):
        raise QueryFaultError(f"XTK-170019 Unknown operation '{operation}'.")
    return Query(
        operation=operation,
        nodes=tuple(_node(item, table) for item in document.iterfind("select/node")),
        order=tuple(
            (_path(item.get("expr", ""), table), _true(item.get("sortDesc")))
            for item in document.iterfind("orderBy/node")
        ),
        lines=_number(document.get("lineCount"), LINES),
        start=_number(document.get("startLine"), 0),
        where=_where(document.find("where"), table),
    )


def _number(text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isdigit():
        raise QueryFaultError(f"XTK-170006 The value '{text}' is not a valid number.")
    return int(text)


def _true(text: str | None) -> bool:
    return text in ("true", "1")


def _path(text: str, table: Table) -> str:
    path = text.strip().strip("[]")
    if path not in table.columns:
        raise QueryFaultError(
            f"XTK-170036 Unable to parse expression '{text}'. "
            f"Unknown attribute '{path}' (see definition of schema '{table.schema}')."
        )
    return path


def _node(item: etree._Element, table: Table) -> Node:
    text = item.get("expr", "")
    found = _AGGREGATE.fullmatch(text)
    path = _path(found["path"], table) if found else _path(text, table)
    alias = (item.get("alias") or ("@count" if found else path)).strip("[]")
    return Node(
        path=path,
        alias=alias,
        what=found["what"].lower() if found else "",
        group=_true(item.get("groupBy")),
        analyze=_true(item.get("analyze")),
    )


def _where(element: etree._Element | None, table: Table) -> Callable[[Row], bool]:
    """Conditions in order; each joins what stands before it by its boolOperator, AND by default."""
    if element is None:
        return lambda _: True
    tests = [
        (item.get("boolOperator", "AND").upper(), _condition(item, table))
        for item in element.iterfind("condition")
    ]

    def holds(row: Row) -> bool:
        result = True
        for place, (_, test) in enumerate(tests):
            joined = "AND" if place == 0 else tests[place - 1][0]
            result = (result or test(row)) if joined == "OR" else (result and test(row))
        return result

    return holds


def _condition(item: etree._Element, table: Table) -> Callable[[Row], bool]:
    if item.find("condition") is not None:
        return _where(item, table)
    text = item.get("expr", "")
    parts = [_comparison(part, table) for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE)]
    return lambda row: all(part(row) for part in parts)


def _comparison(text: str, table: Table) -> Callable[[Row], bool]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise QueryFaultError(f"XTK-170036 Unable to parse expression '{text}'.")
    path, op = _path(found["path"], table), found["op"].lower()
    if op == "in":
        values = [_literal(part) for part in found["value"].strip("() ").split(",")]
        return lambda row: str(row[path]) in {str(value) for value in values}
    if op == "like":
        pattern = re.escape(str(_literal(found["value"]))).replace("%", ".*")
        return lambda row: re.fullmatch(pattern, str(row[path])) is not None
    value = _literal(found["value"])
    return lambda row: _compare(op, row[path], value)


def _literal(text: str) -> Value:
    text = text.strip()
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    quoted = re.fullmatch(r"'(.*)'|\"(.*)\"|#(.*)#", text)
    if quoted is None:
        raise QueryFaultError(f"XTK-170036 Unable to parse expression '{text}'.")
    return next(part for part in quoted.groups() if part is not None)


def _compare(op: str, left: Value, right: Value) -> bool:
    order = _order(left, right)
    return {
        "=": order == 0,
        "<>": order != 0,
        "!=": order != 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
    }[op]


def _order(left: Value, right: Value) -> int:
    """-1, 0 or 1; numbers as numbers, all else as text."""
    if isinstance(left, int) and isinstance(right, int):
        return (left > right) - (left < right)
    return (str(left) > str(right)) - (str(left) < str(right))


def _ordered(query: Query, rows: list[Row]) -> list[Row]:
    for path, descending in reversed(query.order):
        rows = sorted(rows, key=lambda row: row[path], reverse=descending)
    return rows


def _grouped(query: Query, rows: Iterable[Row]) -> list[Row]:
    keys = [node for node in query.nodes if node.group]
    groups: dict[tuple[Value, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[node.path] for node in keys), []).append(row)
    return [
        {node.path: value for node, value in zip(keys, key, strict=True)}
        | {node.alias: _aggregate(node, held) for node in query.nodes if node.what}
        for key, held in sorted(groups.items(), key=lambda item: tuple(map(str, item[0])))
    ]


def _aggregate(node: Node, rows: list[Row]) -> Value:
    values = [row[node.path] for row in rows]
    if node.what == "count":
        return sum(map(_weight, rows))
    if node.what == "sum":
        return sum(int(row[node.path]) * _weight(row) for row in rows)
    chosen = max if node.what == "max" else min
    return chosen(values, key=lambda value: value) if values else ""


def _write(name: str, query: Query, table: Table, row: Row) -> etree._Element:
    element = etree.Element(name)
    for node in query.nodes:
        value = row[node.alias if node.what else node.path]
        _put(element, node.alias, str(value))
        if node.analyze:
            _label(element, node, table, value)
    return element


def _label(element: etree._Element, node: Node, table: Table, value: Value) -> None:
    for path, held, internal, label in table.labels:
        if path == node.path and held == value:
            _put(element, f"{node.alias}Name", internal)
            _put(element, f"{node.alias}Label", label)


def _put(element: etree._Element, path: str, text: str) -> None:
    """Write an attribute at `@a` or `b/@a`, or an element's text at `b`."""
    *parents, last = path.split("/")
    for parent in parents:
        found = element.find(parent)
        element = etree.SubElement(element, parent) if found is None else found
    if last.startswith("@"):
        element.set(last[1:], text)
    else:
        etree.SubElement(element, last).text = text


def _element(name: str, attributes: Mapping[str, Value]) -> etree._Element:
    element = etree.Element(name)
    for key, value in attributes.items():
        element.set(key, str(value))
    return element
