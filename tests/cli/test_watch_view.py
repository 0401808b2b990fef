# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from tests.builders.estates import END, START, WINDOW, estate, instance
from tests.builders.mails import mail

from wavegate import clock
from wavegate.cli.watch_board import Board, Size, sending
from wavegate.cli.watch_view import Lines
from wavegate.cli.watch_words import amount, countdown
from wavegate.observe.watch_events import (
    Began,
    Event,
    Gapped,
    Sampled,
    Shown,
    Ticked,
    Told,
)
from wavegate.observe.watch_tally import Tally
from wavegate.record.listening import Listener
from wavegate.record.mail_writer import MailJournalWriter
from wavegate.record.timeline import Gap, Sample, State, Watched
from wavegate.run.watch_mail import Flow, MailPulse

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PING = Watched(name="ping", every=5 * SECOND, expects="OK")
PONG = Watched(name="pong", every=5 * SECOND, expects="OK")
SFTP = Watched(name="sftp", every=MINUTE, expects="a key", not_probed="no host")
NAME = "acme-prod1"


def sampled(second: int, state: State = "ok", *, heard: bool = True) -> Sampled:
    """A sample of ping so many seconds after the opening."""
    at = START + second * SECOND
    return Sampled(
        NAME,
        Sample(function="ping", sent=at, ended=at, state=state, detail="said", heard=heard),
    )


def tallied(*events: Event) -> Tally:
    """A tally that took events in."""
    tally = Tally(window=WINDOW, confirm=3)
    for event in (Began(NAME, (PING, SFTP)), *events):
        tally(event)
    return tally


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ([], "nothing heard"),
        ([sampled(1)], "undisturbed so far"),
        ([sampled(1), sampled(2, "wrong")], "1 bad in a row"),
        ([sampled(1), *(sampled(s, "wrong") for s in (2, 3, 4)), sampled(5)], "disrupted so far"),
        # before the opening nothing is a disruption of the window
        (
            [sampled(-9), *(sampled(s, "wrong") for s in (-4, -3, -2)), sampled(1)],
            "undisturbed so far",
        ),
        # what the vantage could not hear does not count
        (
            [sampled(1), *(sampled(s, "silent", heard=False) for s in (2, 3, 4))],
            "undisturbed so far",
        ),
        ([sampled(s, "wrong") for s in (1, 2)], "never right so far"),
    ],
)
def test_words_are_provisional_and_by_confirm_in_a_row(events: list[Event], word: str) -> None:
    """What this watch alone shows; the gate has the whole rule."""
    assert word == tallied(*events).functions[NAME]["ping"].word(3)


def test_the_countdown_knows_three_times() -> None:
    """Before, within and after the window."""
    assert "the window opens in 1m30s" == countdown(WINDOW, START - 90 * SECOND)
    assert "the window is open; it closes in 59m" == countdown(WINDOW, START + MINUTE)
    assert "the window closed 1s ago; settling" == countdown(WINDOW, WINDOW.end + SECOND)


def test_lines_tell_changes_and_not_each_sample() -> None:
    """Without a terminal: turns, problems, gaps, and when a function's state changes."""
    said: list[str] = []
    lines = Lines(Tally(window=WINDOW, confirm=3), said.append)
    gap = Gap(since=START, until=START + SECOND, reason="killed")
    lacking = Watched(name="mcping", every=SECOND, expects="OK", not_probed="HTTP 404")
    events: list[Event] = [
        Began(NAME, (PING, SFTP)),
        sampled(1),
        sampled(2),
        sampled(3, "wrong"),
        sampled(4, "wrong"),
        sampled(5),
        Shown(NAME, lacking),
        Gapped(None, gap),
        Told(START, "the disk is full", problem=True, instance=NAME),
        Ticked(START),
    ]
    for event in events:
        lines.take(event)
    assert [
        "acme-prod1: 1 functions are probed",
        "2024-01-16T22:00:03Z acme-prod1 ping: wrong, said",
        "2024-01-16T22:00:05Z acme-prod1 ping: ok, said",
        "acme-prod1 mcping: not probed, HTTP 404",
        "gap from 2024-01-16T22:00:00Z to 2024-01-16T22:00:01Z: killed",
        "2024-01-16T22:00:00Z acme-prod1: the disk is full",
    ] == said


def test_a_line_a_minute_says_how_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that says nothing for an hour looks like a watch that died."""
    said: list[str] = []
    time = [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: time[0])
    lines = Lines(Tally(window=WINDOW, confirm=3), said.append)
    for second in range(0, 130, 10):
        time[0] = float(second)
        lines.take(Ticked(START - MINUTE))
    assert 2 == len(said)
    assert "the window opens in 1m; 0 samples" in said[0]


def boarded(folder: Path, *names: str) -> Board:
    """A board of instances whose mail lies in a folder."""
    found = estate(*(instance(name) for name in names))
    return Board(Tally(window=WINDOW, confirm=3), MailPulse(folder), found.instances)


def shown(board: Board, at: datetime, width: int = 160, height: int = 40) -> list[str]:
    """The lines of a board as they stand on a terminal of that size."""
    console = Console(width=width, file=StringIO())
    with console.capture() as capture:
        console.print(board.drawn(at, Size(width, height)))
    return capture.get().splitlines()


def test_the_board_shows_everything(tmp_path: Path) -> None:
    """Countdown, what is up and what is not, mail flow, last problem; brackets stay text."""
    board = boarded(tmp_path, NAME)
    events: list[Event] = [
        Began(NAME, (PING, PONG, SFTP)),
        *(sampled(second, "wrong") for second in (1, 2, 3)),
        Sampled(NAME, replace(sampled(1).sample, function="pong")),
        Told(START, "[red]odd[/red]", problem=True),
    ]
    for event in events:
        board.take(event, lambda _: None)
    text = "\n".join(shown(board, START + MINUTE))
    assert "it closes in 59m" in text
    assert "acme-prod1   1 of  2 up  1 disrupted so far" in text
    assert "ping  disrupted so far since 2024-01-16T22:00:01Z  now wrong: said" in text
    assert "    pong" in text
    assert "sftp" not in text
    assert "last problem: [red]odd[/red]" in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 10)])
def test_the_board_fits_the_terminal(tmp_path: Path, width: int, height: int) -> None:
    """However many instances and functions: no line is cut off below, and the worst are above."""
    names = [f"acme-prod{n:02}" for n in range(60)]
    board = boarded(tmp_path, *names)
    for name in names:
        board.take(Began(name, (PING, PONG)), lambda _: None)
    for second in (1, 2, 3):
        bad = replace(sampled(second, "wrong"), instance=names[33])
        board.take(bad, lambda _: None)
    lines = shown(board, START + MINUTE, width, height)
    assert len(lines) < height
    assert max(map(len, lines)) <= width
    assert lines[3].startswith(names[33])
    assert "last problem: none" == lines[-1]
    assert any(line.startswith("and ") and line.endswith(" more") for line in lines)


IPS2 = ["192.0.2.10", "192.0.2.11"]


@pytest.mark.parametrize(
    ("flow", "minute", "word"),
    [
        (Flow(heard=False), -5, "nobody listens for mail"),
        (Flow(heard=True, minute=Counter({IPS2[0]: 7})), -5, "7 mails/min from 1 of 2"),
        (Flow(heard=False), 5, "nobody listens for mail"),
        (Flow(heard=True), 5, "no mail in the window so far"),
        (Flow(heard=True, within=Counter({IPS2[1]: 3})), 5, "MAIL IN THE WINDOW so far: 192"),
        (Flow(heard=True, after=Counter(IPS2)), 65, "back from 2 of 2"),
        (Flow(heard=True, within=Counter({IPS2[1]: 3})), 65, "MAIL IN THE WINDOW so far: 192"),
    ],
)
def test_sending_is_told_by_where_the_window_stands(flow: Flow, minute: int, word: str) -> None:
    """Silence is good news in the window only, and only where somebody listens."""
    assert word in sending(flow, IPS2, WINDOW, START + minute * MINUTE)[0]


def test_a_board_draws_now_and_then_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand samples a second do not redraw a thousand times."""
    time = [10.0]
    monkeypatch.setattr(clock, "monotonic", lambda: time[0])
    board = boarded(tmp_path, NAME)
    drawn: list[datetime] = []
    for _ in range(190):
        time[0] += 0.01
        board.take(Ticked(START), drawn.append)
    assert 2 == len(drawn)


def test_the_amount_counts_what_is_probed() -> None:
    """One line about everything, and that it is provisional."""
    text = amount(tallied(sampled(1), *(sampled(s, "wrong") for s in (2, 3, 4))))
    assert "4 samples of 1 functions; 1 disrupted so far, 0 gaps (provisional" in text


def test_the_pulse_of_mail_is_read_as_the_sink_writes(tmp_path: Path) -> None:
    """Mails per peer, of the last minute and of the window; a torn end is read once it is whole."""
    folder = tmp_path / "mail"
    folder.mkdir()
    pulse = MailPulse(folder)
    at = START - MINUTE
    assert (False, {}) == _read(pulse, at)
    listener = Listener(listen=("127.0.0.1:25",), vantage="here", heartbeat=SECOND)
    writer = MailJournalWriter(folder, listener)
    writer.append([mail(at=at, peer="192.0.2.10"), mail(at=at, peer="192.0.2.11")])
    assert (True, {"192.0.2.10": 1, "192.0.2.11": 1}) == _read(pulse, at)
    writer.append([mail(at=START, peer="192.0.2.10"), mail(at=END, peer="192.0.2.11")])
    with next(folder.glob("*.jsonl")).open("ab") as file:
        file.write(b'{"kind":"mail"')
    found = pulse.flow(START + SECOND, WINDOW)
    assert ({"192.0.2.10": 1}, {"192.0.2.11": 1}) == (found.within, found.after)
    assert 1 == found.minute["192.0.2.10"]
    writer.close()


def _read(pulse: MailPulse, at: datetime) -> tuple[bool, dict[str, int]]:
    found = pulse.flow(at, WINDOW)
    return found.heard, dict(found.minute)
