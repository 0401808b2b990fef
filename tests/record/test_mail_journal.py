# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Mail journals: what was acknowledged comes back whole; flaws, gaps and silences are told."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import digest
from wavegate.errors import InternalError
from wavegate.record.journal import Head, JournalBrokenError
from wavegate.record.listening import Listener
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import (
    MAX_PROBLEMS,
    MailReading,
    listening_intervals,
    read_mails,
    segments,
    stream_mails,
)
from wavegate.record.mail_writer import Bounds, JournalFullError, MailJournalWriter
from wavegate.record.message import Received

AT = datetime(2024, 1, 16, 20, tzinfo=UTC)
RAW = b"From: a@news.acme.example\r\nMessage-ID: <1@news.acme.example>\r\n\r\nhello\r\n"


def mail(raw: bytes = RAW, *, ended: datetime = AT, journal: str = "") -> Received:
    """A mail that the sink received over a plain connection."""
    return Received(
        source="sink",
        peer="192.0.2.10",
        peer_by="socket",
        helo="r10.news.acme.example",
        mail_from="bounce@news.acme.example",
        recipients=("seed@seed.example",),
        connected=AT,
        ended=ended,
        tls=False,
        raw=raw,
        digest=digest(raw),
        journal=journal,
    )


LISTENER = Listener(listen=("127.0.0.1:2525",), vantage="here", heartbeat=timedelta(seconds=5))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A new store."""
    return LocalStore.open(tmp_path / "store", create=True)


def writer(store: LocalStore, *, bounds: Bounds | None = None) -> MailJournalWriter:
    """A writer of the store's mail journals."""
    return MailJournalWriter(store.folder("mail"), LISTENER, bounds=bounds or Bounds(reserve=0))


def path_of(store: LocalStore, segment: str) -> Path:
    """Where a segment lies."""
    return store.root / "mail" / f"{segment}.jsonl"


def kinds(reading: MailReading) -> list[tuple[str, int]]:
    """Kind and line of each problem."""
    return [(problem.kind, problem.n) for problem in reading.problems]


def failing(code: int) -> Callable[..., int]:
    """A system call that fails."""

    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def test_store_without_mail_reads_as_none(store: LocalStore) -> None:
    """No journal at all is no mail, no problem and no listening."""
    assert read_mails(store) == MailReading(
        messages=(), problems=(), segments=(), listening=(), gaps=()
    )


def test_mail_comes_back_with_its_place(store: LocalStore) -> None:
    """A mail is read back as it was given, and says in which line it is recorded."""
    journal = writer(store)
    journal.append([mail(), mail(b"two")])
    journal.heartbeat()
    journal.close()
    (segment,) = segments(store)
    expected = (mail(journal=f"{segment}#2"), mail(b"two", journal=f"{segment}#3"))
    reading = read_mails(store)
    assert reading.messages == expected
    assert (reading.problems, reading.segments, reading.gaps) == ((), (segment,), ())
    assert tuple(stream_mails(store, lambda _: None)) == expected
    only = read_mails(store, wanted=lambda found: found.raw == b"two")
    assert only.messages == expected[1:]


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_any_mail_comes_back(tmp_path_factory: pytest.TempPathFactory, raws: list[bytes]) -> None:
    """Whatever the bytes of a message, it is journalled and read back without loss."""
    store = LocalStore.open(tmp_path_factory.mktemp("any") / "store", create=True)
    journal = writer(store)
    journal.append([mail(raw) for raw in raws])
    journal.close()
    reading = read_mails(store)
    assert [replace(found, journal="") for found in reading.messages] == [mail(raw) for raw in raws]
    assert reading.problems == ()


def test_journal_is_for_its_owner_only(store: LocalStore) -> None:
    """Mail holds personal data: no other user of the machine can read a segment."""
    writer(store).close()
    assert path_of(store, segments(store)[0]).stat().st_mode & 0o077 == 0


def test_full_segment_is_followed_by_another(store: LocalStore) -> None:
    """Segments stay bounded, follow each other by name and digest, and read as one."""
    journal = writer(store, bounds=Bounds(segment=2000, reserve=0))
    for number in range(6):
        journal.append([mail(b"%d" % number * 300)])
    journal.close()
    reading = read_mails(store)
    assert len(reading.segments) > 2
    assert [found.raw[:1] for found in reading.messages] == [b"%d" % n for n in range(6)]
    assert reading.problems == ()
    assert len(reading.listening) == 1


def test_removed_segment_is_missed(store: LocalStore) -> None:
    """A segment taken out of the middle is named by the one that follows it."""
    journal = writer(store, bounds=Bounds(segment=1, reserve=0))
    for number in range(3):
        journal.append([mail(b"%d" % number)])
    journal.close()
    gone, follower = segments(store)[1:3]
    path_of(store, gone).unlink()
    (problem,) = read_mails(store).problems
    assert (problem.kind, problem.journal, problem.n) == ("chain", follower, 0)
    assert gone in problem.detail


def test_cut_segment_is_missed(store: LocalStore) -> None:
    """A segment shortened by a whole line no longer holds what its follower names."""
    journal = writer(store, bounds=Bounds(segment=1, reserve=0))
    journal.append([mail()])
    journal.append([mail()])
    journal.close()
    first, second = segments(store)[:2]
    path = path_of(store, second)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    (problem,) = read_mails(store).problems
    assert (problem.kind, problem.journal, problem.n) == ("chain", second, 1)
    assert first != second


def test_torn_line_is_told_and_the_rest_stands(store: LocalStore) -> None:
    """What a crash tore was never acknowledged; everything before it is there."""
    journal = writer(store)
    journal.append([mail(), mail(b"two")])
    path = path_of(store, segments(store)[0])
    path.write_bytes(path.read_bytes()[:-10])
    reading = read_mails(store)
    assert [found.raw for found in reading.messages] == [RAW]
    assert kinds(reading) == [("torn", 3)]


def test_changed_message_is_left_out(store: LocalStore) -> None:
    """A message that no longer matches its digest is a problem and not a mail."""
    journal = writer(store)
    journal.append([mail()])
    journal.close()
    path = path_of(store, segments(store)[0])
    path.write_bytes(path.read_bytes().replace(digest(RAW).encode(), b"0" * 64))
    reading = read_mails(store)
    assert reading.messages == ()
    assert kinds(reading) == [("line", 2), ("chain", 3)]


def test_odd_lines_are_told(store: LocalStore) -> None:
    """Unknown kinds, wrong types and a broken header are problems; none is raised."""
    folder = store.folder("mail")
    header = b'{"n":0,"prev":null,"schema":"wavegate/mail-journal/v1"%s}\n'
    (folder / "a.jsonl").write_bytes(header % b"" + b'{"kind":"heartbeat","at":"x","n":1}\n')
    (folder / "b.jsonl").write_bytes(b"")
    (folder / "c.jsonl").write_bytes(header.replace(b"v1", b"v2") % b"")
    (folder / "d.jsonl").write_bytes(header % b',"follows":7' + b'{"kind":"dance"}\n')
    reading = read_mails(store)
    told = [(problem.journal, problem.kind, problem.n) for problem in reading.problems]
    assert told == [
        ("a", "line", 0),
        ("a", "chain", 1),
        ("a", "line", 1),
        ("b", "torn", 0),
        ("c", "schema", 0),
        ("d", "line", 0),
        ("d", "chain", 1),
        ("d", "line", 1),
    ]
    assert listening_intervals(store) == ()


def test_problems_are_bounded(store: LocalStore) -> None:
    """A journal of nothing but bad lines cannot fill the memory with complaints."""
    header = b'{"n":0,"prev":null,"schema":"wavegate/mail-journal/v1"}\n'
    (store.folder("mail") / "a.jsonl").write_bytes(header + b"\n" * 2 * MAX_PROBLEMS)
    problems = read_mails(store).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].detail == "further problems are not listed"


def test_full_disk_is_a_gap(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not fit is refused, and the next line says from when to when and why."""
    journal = writer(store)
    with monkeypatch.context() as full:
        full.setattr("wavegate.record.journal.os.write", failing(errno.ENOSPC))
        with pytest.raises(InternalError, match="disk is full"):
            journal.append([mail()])
    journal.append([mail(b"two")])
    journal.close()
    reading = read_mails(store)
    assert [found.raw for found in reading.messages] == [b"two"]
    assert reading.problems == ()
    (gap,) = reading.gaps
    assert "disk is full" in gap.reason
    assert gap.since <= gap.until


def test_failed_sync_goes_on_in_a_new_segment(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed sync the old file is left alone, and the new one tells the gap."""
    journal = writer(store)
    journal.append([mail()])
    with monkeypatch.context() as failed:
        failed.setattr("wavegate.record.journal.os.fdatasync", failing(errno.EIO))
        with pytest.raises(JournalBrokenError):
            journal.append([mail(b"unsure")])
    journal.append([mail(b"two")])
    journal.close()
    reading = read_mails(store)
    assert len(reading.segments) == 2
    assert [found.raw for found in reading.messages] == [RAW, b"unsure", b"two"]
    assert reading.problems == ()
    assert [gap.segment for gap in reading.gaps] == [reading.segments[1]]
    assert len(reading.listening) == 1


def test_bound_on_all_journals(store: LocalStore) -> None:
    """The journals never grow beyond their bound, and older segments count towards it."""
    writer(store).close()
    journal = writer(store, bounds=Bounds(total=4000, reserve=0))
    assert journal.has_room
    for _ in range(2):
        journal.append([mail()])
    with pytest.raises(JournalFullError) as caught:
        journal.append([mail()] * 3)
    assert caught.value.cure
    journal.close()
    total = sum(path.stat().st_size for path in (store.root / "mail").iterdir())
    assert total < 4500
    assert read_mails(store).messages
    assert len(read_mails(store).gaps) == 1


def test_reserve_of_the_disk_is_kept(store: LocalStore) -> None:
    """A disk with less free than the reserve takes no mail."""
    journal = writer(store, bounds=Bounds(reserve=1 << 60))
    assert not journal.has_room
    with pytest.raises(JournalFullError, match="free"):
        journal.append([mail()])
    with pytest.raises(JournalFullError):
        journal.heartbeat()
    journal.close()
    assert read_mails(store).messages == ()


def test_listening_is_proved_by_signs_of_life(store: LocalStore) -> None:
    """Start, heartbeats and stop give the span in which the sink listened, and where."""
    journal = writer(store)
    journal.heartbeat()
    open_span = listening_intervals(store)
    journal.append([mail()])
    journal.close()
    (span,) = listening_intervals(store)
    assert span.listener == LISTENER
    assert span.clean
    assert not open_span[0].clean
    assert AT < span.began <= open_span[0].ended <= span.ended
    assert read_mails(store).listening == (span,)


def test_checkpoints_name_the_segment(store: LocalStore) -> None:
    """Whoever signs heads learns which segment each belongs to, the last one at the end."""
    heads: list[tuple[str, Head]] = []
    journal = MailJournalWriter(
        store.folder("mail"),
        LISTENER,
        bounds=Bounds(segment=1, reserve=0),
        checkpoint=lambda segment, head: heads.append((segment, head)),
    )
    journal.append([mail()])
    journal.close()
    assert [name for name, _ in heads] == list(segments(store))
    for name, head in heads:
        line = path_of(store, name).read_bytes().splitlines(keepends=True)[head.n]
        assert head.line == digest(line)
