# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How a watch is shown: a live table on a terminal, lines elsewhere, JSON lines for machines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from wavegate import clock
from wavegate.cli.outcome import say
from wavegate.clock import format_duration, format_instant
from wavegate.estate.model import Window
from wavegate.observe.watch_events import Began, Event, Gapped, Sampled, Shown, Tell, Ticked, Told
from wavegate.observe.watch_tally import FunctionTally, Tally
from wavegate.run.opening import Opened
from wavegate.run.watch_mail import MailPulse

REDRAW = 0.5
MAIL_EVERY = 2.0
LINE_EVERY = 60.0
SECOND = timedelta(seconds=1)
COLOURS = {"ok": "green", "wrong": "red", "silent": "yellow"}


@contextmanager
def view(opened: Opened, *, json_lines: bool, quiet: bool) -> Iterator[Tell]:
    """What to tell a watch's events to. quiet: only turns and problems, on stderr."""
    tally = Tally(window=opened.window, confirm=opened.estate.policy.confirm)
    if json_lines:
        yield _json_line
    elif not quiet and sys.stdout.isatty():
        with Live(console=Console(), auto_refresh=False) as live:
            board = Board(tally, MailPulse(opened.store.root / "mail"), opened)
            yield lambda event: board.take(event, lambda what: live.update(what, refresh=True))
    else:
        yield Lines(tally, say).take


def _json_line(event: Event) -> None:
    if not isinstance(event, Ticked):
        click.echo(json.dumps(event.to_json(), ensure_ascii=False, sort_keys=True))


class Lines:
    """Lines for a person without a terminal: turns, problems, changes, and one a minute."""

    def __init__(self, tally: Tally, out: Callable[[str], None]) -> None:
        self._tally = tally
        self._out = out
        self._states: dict[tuple[str, str], str] = {}
        self._next = clock.monotonic() + LINE_EVERY

    def take(self, event: Event) -> None:
        """Say what an event brings that is worth a line."""
        self._tally(event)
        match event:
            case Sampled(instance, sample):
                state = sample.state if sample.heard else "unheard"
                before = self._states.get((instance, sample.function), "ok")
                self._states[instance, sample.function] = state
                if state != before:
                    at = format_instant(sample.sent)
                    self._out(f"{at} {instance} {sample.function}: {state}, {sample.detail}")
            case Told():
                place = f"{event.instance}: " if event.instance else ""
                self._out(f"{format_instant(event.at)} {place}{event.text}")
            case Gapped(_, gap):
                since, until = format_instant(gap.since), format_instant(gap.until)
                self._out(f"gap from {since} to {until}: {gap.reason}")
            case Began(instance, functions):
                asked = sum(found.not_probed is None for found in functions)
                self._out(f"{instance}: {asked} functions are probed")
            case Shown(instance, function) if function.not_probed:
                self._out(f"{instance} {function.name}: not probed, {function.not_probed}")
            case Ticked(at):
                self._minute(at)

    def _minute(self, at: datetime) -> None:
        if clock.monotonic() >= self._next:
            self._next = clock.monotonic() + LINE_EVERY
            self._out(f"{countdown(self._tally.window, at)}; {amount(self._tally)}")


class Board:
    """The live table: countdown, instances and functions, mail flow, the last problem."""

    def __init__(self, tally: Tally, mail: MailPulse, opened: Opened) -> None:
        self._tally = tally
        self._mail = mail
        self._opened = opened
        self._drawn = self._looked = 0.0
        self._flow = ""

    def take(self, event: Event, draw: Callable[[Group], None]) -> None:
        """Take an event in, and draw now and then."""
        self._tally(event)
        now = clock.monotonic()
        if isinstance(event, Ticked) and now - self._drawn >= REDRAW:
            self._drawn = now
            draw(self.drawn(event.at))

    def drawn(self, at: datetime) -> Group:
        """Everything, as it stands at an instant."""
        tally = self._tally
        head = Text(countdown(tally.window, at), style="bold")
        last = tally.problems[-1] if tally.problems else "none"
        foot = Text(f"mail, last minute: {self._sending(at)}\nlast problem: {last}")
        return Group(head, self._table(), Text(amount(tally)), foot)

    def _table(self) -> Table:
        table = Table("instance", "function", "now", "ok", "wrong", "silent", "unheard", "so far")
        for name, functions in sorted(self._tally.functions.items()):
            shown = [found for found in functions.values() if not found.watched.not_probed]
            for found in sorted(shown, key=_worst_first):
                table.add_row(*_row(name, found, self._tally.confirm))
        return table

    def _sending(self, at: datetime) -> str:
        """Mails per sending address of the wave; read now and then only."""
        if clock.monotonic() - self._looked < MAIL_EVERY and self._flow:
            return self._flow
        self._looked = clock.monotonic()
        counts = self._mail.per_minute(at)
        ips = [str(ip) for instance in self._opened.instances for ip in instance.sending_ips]
        self._flow = "  ".join(f"{ip} {counts[ip]}" for ip in dict.fromkeys(ips)) or "no addresses"
        return self._flow


def _worst_first(found: FunctionTally) -> tuple[int, str]:
    return (-found.worst_row, found.watched.name)


def _row(instance: str, found: FunctionTally, confirm: int) -> list[Text]:
    last = found.last
    state = (last.state if last.heard else "unheard") if last else "-"
    detail = f"{state}: {last.detail}"[:60] if last else "-"
    counts = [str(found.states[state]) for state in ("ok", "wrong", "silent")]
    texts = [*counts, str(found.unheard), found.word(confirm)]
    return [
        Text(instance),
        Text(found.watched.name),
        Text(detail, style=COLOURS.get(state, "dim")),
        *map(Text, texts),
    ]


def countdown(window: Window, at: datetime) -> str:
    """Where an instant stands to the window."""
    if at < window.start:
        return f"the window opens in {_length(window.start - at)}"
    if at < window.end:
        return f"the window is open; it closes in {_length(window.end - at)}"
    return f"the window closed {_length(at - window.end)} ago; settling"


def _length(length: timedelta) -> str:
    return format_duration(length // SECOND * SECOND)


def amount(tally: Tally) -> str:
    """What there is so far, in one line. The words are provisional: the gate judges."""
    found = [f for functions in tally.functions.values() for f in functions.values()]
    probed = [one for one in found if not one.watched.not_probed]
    bad = sum(one.worst_row >= tally.confirm for one in probed)
    return (
        f"{tally.samples} samples of {len(probed)} functions; {bad} disrupted so far, "
        f"{tally.gaps} gaps (provisional: the gate judges)"
    )
