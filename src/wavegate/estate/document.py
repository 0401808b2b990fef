# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The estate file as a tree in which every key and value knows its line and column.

Built from YAML events: no tag builds an object, aliases share their node, and depth, number of
values and what aliases stand for are bounded before anything is expanded. Plain scalars are read
by the core schema of YAML 1.2 (10.3.2), so an instant stays the text that was written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from wavegate.estate.values import CONTROL

Path = tuple[str | int, ...]
Scalar = str | int | float | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]

MAX_DEPTH = 32
MAX_VALUES = 500_000
MAX_ALIASED = 200_000
_MAX_DIGITS = 18
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_CORE = "tag:yaml.org,2002:"
_NO_TAG = {f"{_CORE}{name}" for name in ("map", "seq", "int", "float", "bool", "null")}
_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value at its place. size: how many values it stands for, aliases expanded."""

    mark: Mark
    value: "Scalar | tuple[Node, ...] | dict[str, Entry]"
    size: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's place and its value."""

    mark: Mark
    node: Node


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong with the form of the file."""

    mark: Mark
    path: Path
    what: str
    cure: str


class _StopError(Exception):
    """The file cannot be read beyond this flaw."""

    def __init__(self, mark: Mark, what: str, cure: str, path: Path = ()) -> None:
        super().__init__(what)
        self.flaw = Flaw(mark, path, what, cure)


@dataclass(slots=True)
class _Composer:
    """Turns events into nodes, noting flaws and going on where it can."""

    events: Iterator[Event]
    flaws: list[Flaw] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)
    values: int = 0
    aliased: int = 0
    last: Mark = Mark(1, 1)

    def document(self) -> Node | None:
        """The first document's root; further ones are a flaw."""
        root = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise _StopError(_mark(event), "a second document", "keep one estate per file")
                root = self.node(next(self.events), ())
            elif isinstance(event, StreamEndEvent):
                break
        return root

    def node(self, event: Event, path: Path) -> Node:
        """The value that starts with this event."""
        if isinstance(event, AliasEvent):
            return self.alias(event, path)
        if len(path) > MAX_DEPTH:
            raise _StopError(_mark(event), f"nested deeper than {MAX_DEPTH}", "flatten it", path)
        self.check_tag(event, path)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self.anchors[anchor] = None
        node = self.build(event, path)
        if anchor:
            self.anchors[anchor] = node
        self.count(event, path)
        return node

    def build(self, event: Event, path: Path) -> Node:
        """A scalar, a sequence or a mapping."""
        if isinstance(event, SequenceStartEvent):
            return self.sequence(event, path)
        if isinstance(event, MappingStartEvent):
            return self.mapping(event, path)
        if not isinstance(event, ScalarEvent):
            raise _StopError(_mark(event), "a value is missing", "write one", path)
        return Node(_mark(event), _scalar(event))

    def alias(self, event: AliasEvent, path: Path) -> Node:
        """The node that an alias stands for, shared and counted in full."""
        if event.anchor not in self.anchors:
            raise _StopError(_mark(event), f"no anchor &{event.anchor} before it", "name one", path)
        node = self.anchors[event.anchor]
        if node is None:
            raise _StopError(
                _mark(event), f"*{event.anchor} stands inside itself", "write it out", path
            )
        self.aliased += node.size
        if self.aliased > MAX_ALIASED:
            raise _StopError(
                _mark(event),
                f"aliases stand for more than {MAX_ALIASED} values",
                "write the values out, or split the estate",
                path,
            )
        return node

    def sequence(self, start: Event, path: Path) -> Node:
        """A list."""
        items: list[Node] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self.node(event, (*path, len(items))))
        return Node(_mark(start), tuple(items), 1 + sum(item.size for item in items))

    def mapping(self, start: Event, path: Path) -> Node:
        """A mapping; merge keys fill in what the mapping itself does not say."""
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event, path)
            node = self.node(next(self.events), (*path, key))
            if key == "<<":
                merged += node.value if isinstance(node.value, tuple) else (node,)
            elif key in entries:
                first = entries[key].mark.line
                what = f"the key stands twice, first on line {first}"
                self.flaw(event, (*path, key), what, "remove one of them")
            else:
                entries[key] = Entry(_mark(event), node)
        self.merge(entries, merged, path)
        size = 1 + sum(entry.node.size for entry in entries.values())
        return Node(_mark(start), entries, size)

    def merge(self, entries: dict[str, Entry], merged: list[Node], path: Path) -> None:
        """Merge keys: an earlier mapping wins over a later one."""
        for node in merged:
            if isinstance(node.value, dict):
                for key, entry in node.value.items():
                    entries.setdefault(key, entry)
            else:
                what = "<< merges only mappings"
                self.flaws.append(Flaw(node.mark, (*path, "<<"), what, "write << : *mapping"))

    def key(self, event: Event, path: Path) -> str:
        """A key as text."""
        if isinstance(event, ScalarEvent):
            self.check_tag(event, path)
            if CONTROL.search(event.value):
                self.flaw(event, path, "a key with control characters", "remove them")
            return str(event.value)
        if isinstance(event, AliasEvent):
            node = self.alias(event, path)
            if isinstance(node.value, str):
                return node.value
        raise _StopError(_mark(event), "a key that is no text", "write `key: value`", path)

    def check_tag(self, event: Event, path: Path) -> None:
        """Only the tags of the core schema; none builds an object."""
        tag = _tag(event)
        if tag and tag not in _NO_TAG and tag not in {"!", f"{_CORE}str"}:
            self.flaw(event, path, f"the tag {tag[:60]} is not allowed", "remove the tag")

    def flaw(self, event: Event, path: Path, what: str, cure: str) -> None:
        """Note a flaw and go on."""
        self.flaws.append(Flaw(_mark(event), path, what, cure))

    def count(self, event: Event, path: Path) -> None:
        """Bound the number of values."""
        self.values += 1
        self.last = _mark(event)
        if self.values > MAX_VALUES:
            raise _StopError(
                _mark(event), f"more than {MAX_VALUES} values", "split the estate", path[:1]
            )


def compose(text: str) -> tuple[Node | None, tuple[Flaw, ...]]:
    """The tree of a YAML (or JSON) text and all flaws of its form; no tree where none can be made.

    Never raises on hostile text.
    """
    composer = _Composer(iter(YAML(typ="safe", pure=True).parse(text)))
    try:
        root = composer.document()
    except _StopError as error:
        return None, (*composer.flaws, error.flaw)
    except (
        YAMLError,
        ValueError,
        LookupError,
        AssertionError,
        TypeError,
        ArithmeticError,
    ) as error:
        return None, (*composer.flaws, _syntax(error, text, composer.last))
    return root, tuple(composer.flaws)


def plain(node: Node) -> Plain:
    """The values alone. Nodes that aliases share become shared values, so nothing multiplies."""
    return _plain(node, {})


def _plain(node: Node, known: dict[int, Plain]) -> Plain:
    if id(node) not in known:
        if isinstance(node.value, tuple):
            known[id(node)] = [_plain(item, known) for item in node.value]
        elif isinstance(node.value, dict):
            known[id(node)] = {key: _plain(entry.node, known) for key, entry in node.value.items()}
        else:
            return node.value
    return known[id(node)]


def locate(root: Node | None, path: Path, *, key: bool = False) -> Mark:
    """Where a path stands, or the deepest part of it that exists; with `key`, its last key."""
    if root is None:
        return Mark(1, 1)
    node, mark = root, root.mark
    for step in path:
        match node.value, step:
            case dict() as entries, str() if step in entries:
                entry = entries[step]
                node, mark = entry.node, entry.mark if key else entry.node.mark
            case tuple() as items, int() if 0 <= step < len(items):
                node = items[step]
                mark = node.mark
            case _:
                break
    return mark


def _mark(event: Event) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1)


def _tag(event: Event) -> str | None:
    tag = getattr(event, "tag", None)
    return None if tag is None else str(tag)


def _scalar(event: ScalarEvent) -> Scalar:
    text = str(event.value)
    tag = _tag(event)
    quoted = event.style is not None and tag not in _NO_TAG
    if quoted or tag in {"!", f"{_CORE}str"}:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return int(text)
    if _FLOAT.fullmatch(text) and len(text) <= 2 * _MAX_DIGITS:
        return float(text)
    return text


def _syntax(error: Exception, text: str, last: Mark) -> Flaw:
    cure = "correct the YAML at this place"
    match error:
        case MarkedYAMLError():
            mark = error.problem_mark or error.context_mark
            what = " ".join(part for part in (error.context, error.problem) if part)
            place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
            return Flaw(place, (), f"not YAML: {what}", cure)
        case ReaderError():
            return Flaw(_place(text, error.position), (), "a character YAML forbids", "remove it")
        case _:
            return Flaw(last, (), "not YAML: an escape or number out of range, after here", cure)


def _place(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
