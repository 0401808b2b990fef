# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.errors import InternalError
from wavegate.record.local_store import LocalStore
from wavegate.record.snapshot import Tool
from wavegate.record.timeline import Gap, Sample, Timeline, Watched
from wavegate.record.timeline_journal import (
    NOT_RUNNING,
    TimelineHeader,
    TimelineReading,
    folder_of,
    function_line,
    read_timelines,
    sample_line,
    segment_digests,
)
from wavegate.record.timeline_writer import TimelineWriter

AT = datetime(2024, 1, 16, 22, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WAVE, NAME = "2024-01-w1", "acme-prod1"
PING = Watched(name="ping", every=5 * SECOND, expects="OK")
CHECKPOINTS = list[tuple[str, int]]


def sample(second: int, **other: object) -> Sample:
    """A good sample so many seconds after ten."""
    sent = AT + second * SECOND
    fields: dict[str, object] = {
        "function": "ping",
        "sent": sent,
        "ended": sent + SECOND / 10,
        "state": "ok",
        "detail": "OK",
        "heard": True,
    }
    return Sample(**(fields | other))  # type: ignore[arg-type] # named fields


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """An empty store."""
    return LocalStore.open(tmp_path / "store", create=True)


def writer(store: LocalStore, **other: object) -> TimelineWriter:
    """A writer of the usual instance; header fields and `checkpoint` by keyword."""
    checkpoint = other.pop("checkpoint", None)
    fields: dict[str, object] = {
        "at": AT,
        "instance": NAME,
        "customer": "acme",
        "wave": WAVE,
        "vantage": "here",
        "tool": Tool(version="1.4.0", source="5" * 64),
        "functions": (PING,),
    }
    header = TimelineHeader(**(fields | other))  # type: ignore[arg-type] # named fields
    folder = store.folder(folder_of(WAVE, NAME).rstrip("/"))
    return TimelineWriter(folder, header, checkpoint=checkpoint)  # type: ignore[arg-type] # a callable


def put(journal: TimelineWriter, *samples: Sample) -> None:
    """Write samples down in one go."""
    journal.write([sample_line(s) for s in samples], since=samples[0].sent, at=samples[-1].ended)


def read(store: LocalStore) -> TimelineReading:
    """Everything there is."""
    return read_timelines(store, WAVE, NAME)


def only(store: LocalStore) -> Timeline:
    """The one timeline there is, of journals with nothing wrong."""
    found = read(store)
    assert () == found.problems
    return found.timelines[0]


def files(store: LocalStore) -> list[Path]:
    """The journals on the disk."""
    return sorted(store.folder(folder_of(WAVE, NAME).rstrip("/")).glob("*.jsonl"))


SAMPLES = st.builds(
    sample,
    st.integers(0, 10_000),
    function=st.sampled_from(["ping", "tracking", "workflow/cleanup"]),
    state=st.sampled_from(["ok", "wrong", "silent"]),
    detail=st.text(st.characters(codec="utf-8"), max_size=20),
    heard=st.booleans(),
    value=st.none() | st.sampled_from(["7/400", "2024-01-16T22:00:00Z"]),
    stamp=st.none() | st.just(AT),
    resolution_us=st.none() | st.just(1000),
)


@given(st.lists(st.lists(SAMPLES, min_size=1, max_size=5), max_size=6))
def test_what_was_written_is_read_back_in_the_order_of_sending(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Sample]]
) -> None:
    """However samples were batched, the timeline holds each of them once, without loss."""
    store = LocalStore.open(tmp_path_factory.mktemp("s") / "store", create=True)
    journal = writer(store)
    for batch in batches:
        put(journal, *batch)
    journal.stop(AT + timedelta(hours=9), settled=True, reason="settled")
    found = only(store)
    written = [s for batch in batches for s in batch]
    assert sorted(map(repr, written)) == sorted(map(repr, found.samples))
    assert [s.sent for s in found.samples] == sorted(s.sent for s in written)
    assert found.settled
    assert found == Timeline.from_bytes(found.to_bytes(), digest="")


def test_functions_that_show_later_are_part_of_the_timeline(store: LocalStore) -> None:
    """A workflow is met only by asking, and one that turns out lacking is named with its reason."""
    journal = writer(store)
    lacking = Watched(name="mcping", every=SECOND, expects="OK", not_probed="HTTP 404")
    journal.write([function_line(lacking)], since=AT, at=AT)
    assert (lacking, PING) == only(store).functions


def test_a_torn_line_is_left_out_and_said(store: LocalStore) -> None:
    """A crash tears only the end; nothing acknowledged is lost by it."""
    put(writer(store), sample(0), sample(5))
    with files(store)[0].open("ab") as file:
        file.write(b'{"kind":"sample","fun')
    found = read(store)
    assert ["torn"] == [problem.kind for problem in found.problems]
    assert 2 == len(found.timelines[0].samples)


def test_a_changed_line_breaks_the_chain(store: LocalStore) -> None:
    """A silent sample made good afterwards is seen by the line after it."""
    put(writer(store), sample(0, state="wrong"), sample(5))
    path = files(store)[0]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"wrong"', b'"ok"'))
    assert ["chain"] == [problem.kind for problem in read(store).problems]


def test_a_restarted_watch_goes_on_and_the_gap_is_a_gap(store: LocalStore) -> None:
    """Kill -9 and a new start: one timeline, with the span between told."""
    put(writer(store), sample(0))
    tail = read(store).tails["here"]
    again = writer(store, at=AT + 60 * SECOND, follows=tail)
    put(again, sample(61))
    found = only(store)
    assert 2 == len(found.samples)
    gap = Gap(since=sample(0).ended, until=AT + 60 * SECOND, reason=NOT_RUNNING)
    assert (gap,) == found.gaps
    assert not found.settled


def test_a_segment_that_followed_a_lost_line_says_so(store: LocalStore) -> None:
    """Whoever cuts the end of a finished segment off is found by the next one's header."""
    put(writer(store), sample(0), sample(5))
    writer(store, at=AT + 60 * SECOND, follows=read(store).tails["here"])
    first = files(store)[0]
    first.chmod(0o600)
    first.write_bytes(b"".join(first.read_bytes().splitlines(keepends=True)[:-1]))
    assert ["chain"] == [problem.kind for problem in read(store).problems]


def test_a_removed_segment_is_missed(store: LocalStore) -> None:
    """The header of the next segment names the one that is gone."""
    put(writer(store), sample(0))
    writer(store, at=AT + 60 * SECOND, follows=read(store).tails["here"])
    files(store)[0].unlink()
    assert "is not in the store" in read(store).problems[0].detail


def test_vantages_are_timelines_of_their_own(store: LocalStore) -> None:
    """A second place to look from does not mix with the first."""
    put(writer(store), sample(0))
    put(writer(store, vantage="there"), sample(1), sample(2))
    found = read(store)
    assert [("here", 1), ("there", 2)] == [(t.vantage, len(t.samples)) for t in found.timelines]


def test_reading_ends_at_the_last_signed_line(store: LocalStore) -> None:
    """While a watch runs, a gate reads what a checkpoint vouches for and nothing behind it."""
    put(writer(store), sample(0), sample(5), sample(10))
    segment = files(store)[0].name.removesuffix(".jsonl")
    cut = read_timelines(store, WAVE, NAME, upto={segment: 2})
    assert [sample(0), sample(5)] == list(cut.timelines[0].samples)
    assert () == read_timelines(store, WAVE, NAME, upto={}).timelines


def test_what_nobody_signed_is_left_out_and_said(store: LocalStore) -> None:
    """A killed watch leaves lines that no gate may use; to say nothing would hide it."""
    put(writer(store), sample(0), sample(5), sample(10))
    segment = files(store)[0].name.removesuffix(".jsonl")

    problems = read_timelines(store, WAVE, NAME, upto={segment: 2}).problems

    told = [(found.kind, found.n, found.detail) for found in problems]
    assert [("unsigned", 3, "1 line is behind the last signed checkpoint, and left out")] == told


def test_a_full_disk_becomes_a_gap(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is lost, and the timeline says for how long."""
    journal = writer(store)
    put(journal, sample(0))
    real = os.write
    monkeypatch.setattr(os, "write", _full)
    for second in (5, 10):
        with pytest.raises(InternalError, match="space"):
            put(journal, sample(second))
    monkeypatch.setattr(os, "write", real)
    put(journal, sample(15))
    found = only(store)
    assert [sample(0), sample(15)] == list(found.samples)
    assert [(sample(5).sent, sample(15).ended)] == [(g.since, g.until) for g in found.gaps]


def test_after_a_failed_sync_another_segment_follows(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed sync is never repeated on the same file: the kernel may have dropped the pages."""
    journal = writer(store)
    put(journal, sample(0))
    monkeypatch.setattr("wavegate.record.journal._fdatasync", _no_sync)
    with pytest.raises(InternalError):
        put(journal, sample(5))
    monkeypatch.undo()
    put(journal, sample(10))
    found = read(store)
    assert 2 == len(files(store))
    assert () == found.problems
    assert {sample(0), sample(10)} <= set(found.timelines[0].samples)
    assert found.timelines[0].gaps


def test_checkpoints_are_given_when_asked_and_at_the_end(store: LocalStore) -> None:
    """The opening, the close and the end of a window are signed, not only every minute."""
    given_heads: CHECKPOINTS = []
    report: Callable[..., None] = lambda name, head: given_heads.append((name, head.n))  # noqa: E731 - a callback
    journal = writer(store, checkpoint=report)
    put(journal, sample(0))
    journal.sign()
    journal.stop(AT + 9 * SECOND, settled=False, reason="interrupted")
    segment = files(store)[0].name.removesuffix(".jsonl")
    assert [(segment, 1), (segment, 2)] == given_heads
    assert {1, 2} == set(segment_digests(store, WAVE, NAME, segment, [1, 2, 99]))


def _full(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def _no_sync(_: int) -> None:
    raise OSError(errno.EIO, "Input/output error")
