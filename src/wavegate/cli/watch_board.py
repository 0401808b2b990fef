# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The live board of a watch: it fits the terminal, and what is bad stands first.

One row per instance with its sending and its provisional word; under it what is not well, and as
far as there is room what is up. The gate judges, not the board.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group
from rich.text import Text

from wavegate import clock
from wavegate.cli.watch_words import amount, countdown
from wavegate.clock import format_instant
from wavegate.estate.model import Instance, Window
from wavegate.observe.watch_events import Event, Ticked
from wavegate.observe.watch_tally import FunctionTally, Tally
from wavegate.run.watch_mail import Flow, MailPulse

REDRAW = 1.0
MAIL_EVERY = 2.0
COLOURS = {"ok": "green", "wrong": "red", "silent": "yellow"}
HEAD, FOOT = 3, 2
"""Lines above and below the instances."""
NAMED = 2
"""Addresses named in a line."""


@dataclass(frozen=True, slots=True)
class Size:
    """The room there is, in characters and lines."""

    width: int
    height: int


class Board:
    """What a watch knows, as lines. mail: read now and then only."""

    def __init__(self, tally: Tally, mail: MailPulse, instances: Sequence[Instance]) -> None:
        self._tally = tally
        self._mail = mail
        self._instances = {instance.name: instance for instance in instances}
        self._drawn = self._looked = float("-inf")
        self._flow = Flow()

    def take(self, event: Event, draw: Callable[[datetime], None]) -> None:
        """Take an event in, and have it drawn now and then."""
        self._tally(event)
        now = clock.monotonic()
        if isinstance(event, Ticked) and now - self._drawn >= REDRAW:
            self._drawn = now
            draw(event.at)

    def drawn(self, at: datetime, size: Size) -> Group:
        """Everything, as it stands at an instant, in so much room."""
        if clock.monotonic() - self._looked >= MAIL_EVERY:
            self._looked = clock.monotonic()
            self._flow = self._mail.flow(at, self._tally.window)
        tally = self._tally
        last = tally.problems[-1] if tally.problems else "none"
        lines = [
            Text(countdown(tally.window, at), style="bold"),
            Text(amount(tally)),
            Text(""),
            *self._body(at, size),
            Text(""),
            Text(f"last problem: {last}", style="yellow" if tally.problems else ""),
        ]
        for line in lines:
            line.truncate(size.width, overflow="ellipsis")
            line.no_wrap = True
        return Group(*lines)

    def _body(self, at: datetime, size: Size) -> list[Text]:
        """The instances, the worst first, in the lines that are left."""
        room = max(1, size.height - HEAD - FOOT - 1)
        names = sorted(self._tally.functions, key=self._worst_first)
        if len(names) > room:
            names, more = names[: room - 1], len(names) - room + 1
            return [*(self._row(name, at, names) for name in names), Text(f"and {more} more")]
        room -= len(names)
        bad = {name: list(self._bad(name))[:room] for name in names}
        for name in names:
            bad[name] = bad[name][: max(0, room)]
            room -= len(bad[name])
        good = {name: _wrapped(self._good(name), size.width) for name in names}
        roomy = sum(map(len, good.values())) <= room
        return [
            line
            for name in names
            for line in (self._row(name, at, names), *bad[name], *(good[name] if roomy else ()))
        ]

    def _worst_first(self, name: str) -> tuple[int, int, str]:
        found = self._probed(name)
        disrupted = sum(one.worst_row >= self._tally.confirm for one in found)
        return -disrupted, -sum(map(_unwell, found)), name

    def _probed(self, name: str) -> list[FunctionTally]:
        return [f for f in self._tally.functions[name].values() if not f.watched.not_probed]

    def _row(self, name: str, at: datetime, names: Sequence[str]) -> Text:
        found = self._probed(name)
        up = sum(one.last is not None and one.last.state == "ok" for one in found)
        bad = sum(one.worst_row >= self._tally.confirm for one in found)
        wide = max(map(len, names))
        word = f"{bad} disrupted so far" if bad else "undisturbed so far"
        return Text.assemble(
            (f"{name:{wide}}", "bold"),
            (f"  {up:2} of {len(found):2} up", "green" if up == len(found) else "yellow"),
            (f"  {word:18}", "red" if bad else "green"),
            *self._sending(name, at),
        )

    def _sending(self, name: str, at: datetime) -> Iterator[tuple[str, str]]:
        """How mail flows from the instance's addresses, by where the window stands."""
        instance = self._instances.get(name)
        ips = [str(ip) for ip in instance.sending_ips] if instance else []
        if ips:
            yield sending(self._flow, ips, self._tally.window, at)

    def _bad(self, name: str) -> Iterator[Text]:
        """What is not well, the worst first."""
        found = [one for one in self._probed(name) if _unwell(one)]
        for one in sorted(found, key=lambda f: (-f.worst_row, f.watched.name)):
            last = one.last
            state = (last.state if last.heard else "unheard") if last else "-"
            since = f" since {format_instant(one.since)}" if one.since else ""
            yield Text.assemble(
                f"  {one.watched.name}  ",
                (f"{one.word(self._tally.confirm)}{since}", "red"),
                (f"  now {state}: {last.detail if last else ''}", COLOURS.get(state, "dim")),
            )

    def _good(self, name: str) -> list[str]:
        return [one.watched.name for one in self._probed(name) if not _unwell(one)]


def _unwell(found: FunctionTally) -> bool:
    """Whether a function is worth a line of its own."""
    bad_now = found.last is not None and (found.last.state != "ok" or not found.last.heard)
    return bad_now or found.worst_row > 0


def _wrapped(names: Sequence[str], width: int) -> list[Text]:
    """Names in as few dim lines as hold them."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) + 2 <= width:
            lines[-1] += f"  {name}"
        else:
            lines.append(f"    {name}")
    return [Text(line, style="dim") for line in lines]


def sending(flow: Flow, ips: Sequence[str], window: Window, at: datetime) -> tuple[str, str]:
    """How mail flows from some addresses, in words, and the colour of that.

    Silence is told as such only where a sink is known to listen.
    """
    leaked = {ip: flow.within[ip] for ip in ips if flow.within[ip]}
    if not (flow.heard or leaked):
        return "  nobody listens for mail", "yellow"
    if at < window.start:
        alive = [ip for ip in ips if flow.minute[ip]]
        told = f"  {sum(flow.minute[ip] for ip in ips)} mails/min from {len(alive)} of {len(ips)}"
        return told, "green" if len(alive) == len(ips) else "yellow"
    if leaked:
        first = ", ".join(f"{ip} {count}" for ip, count in list(leaked.items())[:NAMED])
        return f"  MAIL IN THE WINDOW so far: {first}", "red"
    if at < window.end:
        return "  no mail in the window so far", "green"
    back = [ip for ip in ips if flow.after[ip]]
    return f"  back from {len(back)} of {len(ips)}", "green" if len(back) == len(ips) else "yellow"
