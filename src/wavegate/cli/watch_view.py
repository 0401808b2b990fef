# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How a watch is shown: a live board on a terminal, lines elsewhere, JSON lines for machines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from rich.console import Console
from rich.live import Live

from wavegate import clock
from wavegate.cli.outcome import say
from wavegate.cli.watch_board import Board, Size
from wavegate.cli.watch_words import amount, countdown
from wavegate.clock import format_instant
from wavegate.observe.watch_events import Began, Event, Gapped, Sampled, Shown, Tell, Ticked, Told
from wavegate.observe.watch_tally import Tally
from wavegate.record.store_place import APPENDS, on_this_machine
from wavegate.run.opening import Opened
from wavegate.run.watch_mail import MailPulse

LINE_EVERY = 60.0


@contextmanager
def view(opened: Opened, *, json_lines: bool, quiet: bool) -> Iterator[Tell]:
    """What to tell a watch's events to. quiet: only turns and problems, on stderr."""
    tally = Tally(window=opened.window, confirm=opened.estate.policy.confirm)
    if json_lines:
        yield _json_line
    elif not quiet and sys.stdout.isatty():
        console, here = Console(), on_this_machine(opened.store, APPENDS)
        with Live(console=console, auto_refresh=False) as live:
            board = Board(tally, MailPulse(here.root / "mail"), opened.instances)

            def draw(at: datetime) -> None:
                size = Size(console.width, console.height)
                live.update(board.drawn(at, size), refresh=True)

            yield lambda event: board.take(event, draw)
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
