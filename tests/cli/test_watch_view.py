# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from tests.builders.estates import START, WINDOW, estate, wave
from tests.builders.mails import mail

from wavegate import clock
from wavegate.cli.watch_view import Board, Lines, amount, countdown
from wavegate.estate.load import Loaded
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
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_writer import MailJournalWriter
from wavegate.record.timeline import Gap, Sample, State, Watched
from wavegate.run.opening import Opened
from wavegate.run.watch_mail import MailPulse

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PING = Watched(name="ping", every=5 * SECOND, expects="OK")
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


def test_the_board_shows_everything(tmp_path: Path) -> None:
    """Countdown, functions with the worst first, mail flow, last problem; brackets stay text."""
    store = LocalStore.open(tmp_path / "store", create=True)
    found = estate(waves=(wave(),))
    loaded = Loaded(estate=found, path=tmp_path / "estate.yaml")
    opened = Opened(loaded=loaded, wave=found.waves[0], window=WINDOW, store=store)
    board = Board(Tally(window=WINDOW, confirm=3), MailPulse(store.root / "mail"), opened)
    events: list[Event] = [
        Began(NAME, (PING, SFTP)),
        sampled(1, "wrong"),
        Told(START, "[red]odd[/red]", problem=True),
    ]
    for event in events:
        board.take(event, lambda _: None)
    console = Console(width=160, record=True, file=(tmp_path / "out").open("w"))
    console.print(board.drawn(START + MINUTE))
    text = console.export_text()
    console.file.close()
    assert "it closes in 59m" in text
    assert "wrong: said" in text
    assert "sftp" not in text
    assert "[red]odd[/red]" in text
    assert "192.0.2.10 0" in text


def test_a_board_draws_now_and_then_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand samples a second do not redraw a thousand times."""
    time = [10.0]
    monkeypatch.setattr(clock, "monotonic", lambda: time[0])
    store = LocalStore.open(tmp_path / "store", create=True)
    found = estate(waves=(wave(),))
    loaded = Loaded(estate=found, path=tmp_path / "estate.yaml")
    opened = Opened(loaded=loaded, wave=found.waves[0], window=WINDOW, store=store)
    board = Board(Tally(window=WINDOW, confirm=3), MailPulse(store.root / "mail"), opened)
    drawn: list[object] = []
    for _ in range(100):
        time[0] += 0.01
        board.take(Ticked(START), drawn.append)
    assert 2 == len(drawn)


def test_the_amount_counts_what_is_probed() -> None:
    """One line about everything, and that it is provisional."""
    text = amount(tallied(sampled(1), *(sampled(s, "wrong") for s in (2, 3, 4))))
    assert "4 samples of 1 functions; 1 disrupted so far, 0 gaps (provisional" in text


def test_the_pulse_of_mail_is_read_as_the_sink_writes(tmp_path: Path) -> None:
    """Mails of the last minute per peer; a torn end is read once it is whole."""
    folder = tmp_path / "mail"
    folder.mkdir()
    pulse = MailPulse(folder)
    at = datetime(2024, 1, 16, 22, tzinfo=UTC)
    assert {} == pulse.per_minute(at)
    listener = Listener(listen=("127.0.0.1:25",), vantage="here", heartbeat=SECOND)
    writer = MailJournalWriter(folder, listener)
    writer.append([mail(at=at, peer="192.0.2.10"), mail(at=at, peer="192.0.2.11")])
    assert {"192.0.2.10": 1, "192.0.2.11": 1} == pulse.per_minute(at)
    writer.append([mail(at=at + MINUTE, peer="192.0.2.10")])
    with next(folder.glob("*.jsonl")).open("ab") as file:
        file.write(b'{"kind":"mail"')
    assert {"192.0.2.10": 1} == pulse.per_minute(at + MINUTE + SECOND)
    writer.close()
