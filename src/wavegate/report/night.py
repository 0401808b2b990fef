# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A night on the terminal: one line where nothing changed, else causes, and what turned."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from wavegate.clock import format_duration, format_instant
from wavegate.decision import Word
from wavegate.evidence.night_file import ChangeEntry, Night
from wavegate.evidence.verdicts import Verdicts
from wavegate.report.safe_text import shorten
from wavegate.report.terminal import summary

LIMIT = 300
TOP = 20
"""Lines of one kind that are told."""


def quiet(verdicts: Verdicts, night: Night) -> bool:
    """Whether there is nothing to tell but that all is as it was accepted."""
    return verdicts.decision is Word.GO and not night.changed and not remarks(night)


def line(verdicts: Verdicts, night: Night) -> str:
    """The one line of a quiet night."""
    names = {cell.instance for cell in verdicts.cells}
    return shorten(
        f"GO   night of {night.night}: nothing changed, {len(verdicts.cells)} cells of "
        f"{len(names)} instances are as accepted in baseline {night.baseline}; run {verdicts.run}",
        LIMIT,
    )


def told(
    verdicts: Verdicts, night: Night, *, paths: Iterable[tuple[str, str]] = ()
) -> RenderableType:
    """What a person reads after a night."""
    if quiet(verdicts, night):
        return Text(line(verdicts, night))
    word = "changed" if night.changed else "unchanged"
    since = f" since {format_instant(night.previous_at)}" if night.previous_at else ""
    head = Text(f"night of {night.night}, against baseline {night.baseline}: {word}{since}")
    lines = [Text(f"  {shorten(text, LIMIT)}") for text in remarks(night)]
    shown = (*lines[:TOP], *([Text(f"  and {len(lines) - TOP} more")] if lines[TOP:] else []))
    return Group(head, *shown, summary(verdicts, paths=paths))


def remarks(night: Night) -> tuple[str, ...]:
    """What a night says beside its verdicts, a line each: what turned first."""
    return tuple(_lines(night))


def _lines(night: Night) -> Iterator[str]:
    for entry in night.transitions:
        yield _transition(entry)
    for change in night.expected_changes:
        if change.state == "consumed" and change.at is not None:
            names = ", ".join(change.instances)
            seen = "now" if change.run == night.run else f"at {format_instant(change.at)}"
            yield (
                f"expected   {change.promise} of {names} by {change.ticket}: consumed {seen}; "
                "accept it with --ticket"
            )
    for cell in night.unstable:
        yield f"unstable   {cell.promise} of {cell.instance}: {cell.flips} flips in 30 nights"
    yield from (f"trend      {text}" for text in night.trend)
    yield from (f"note       {text}" for text in night.notes)


def _transition(entry: ChangeEntry) -> str:
    names = ", ".join(entry.instances[:5])
    more = f" and {len(entry.instances) - 5} more" if len(entry.instances) > 5 else ""
    text = f"{entry.kind:10} {entry.promise} of {names}{more}"
    if entry.broken_since is not None:
        return f"{text}, after {format_duration(entry.since - entry.broken_since)}"
    if entry.kind == "undecided":
        return f"{text}, since {format_instant(entry.since)}"
    return text
