# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The journal: chained lines, durable or not there, and a reader that says what is wrong."""

import errno
import hashlib
import io
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import dumps
from wavegate.errors import InternalError
from wavegate.record.journal import (
    Head,
    JournalBrokenError,
    JournalLine,
    JournalProblem,
    JournalWriter,
    read_journal,
)

SCHEMA = "wavegate/test/v1"


def read(
    data: bytes, *, max_line: int = 1000, schema: str = SCHEMA
) -> tuple[list[JournalLine], list[JournalProblem]]:
    """All lines and problems of a journal's bytes."""
    problems: list[JournalProblem] = []
    stream = io.BytesIO(data)
    lines = read_journal(
        stream, journal="j", schema=schema, note=problems.append, max_line=max_line
    )
    return list(lines), problems


def kinds(problems: list[JournalProblem]) -> list[tuple[str, int]]:
    """Kind and line of each problem."""
    return [(problem.kind, problem.n) for problem in problems]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal goes."""
    return tmp_path / "j.jsonl"


def three_lines(path: Path) -> bytes:
    """A journal of a header and two lines."""
    journal = JournalWriter.create(path, schema=SCHEMA, header={})
    journal.append({"v": 1})
    journal.append({"v": 2})
    journal.close()
    return path.read_bytes()


def test_lines_are_chained_by_number_and_digest(path: Path) -> None:
    """Each line names the SHA-256 of the line before, as `sha256sum` computes it."""
    journal = JournalWriter.create(path, schema=SCHEMA, header={"at": "now"})
    head = journal.append_many([{"v": 1}, {"v": 2}])
    lines = path.read_bytes().splitlines(keepends=True)
    digests = [hashlib.sha256(line).hexdigest() for line in lines]
    assert head == journal.head == Head(n=2, line=digests[2])
    assert lines[0] == dumps({"schema": SCHEMA, "at": "now", "n": 0, "prev": None}) + b"\n"
    assert lines[1] == dumps({"v": 1, "n": 1, "prev": digests[0]}) + b"\n"
    assert lines[2] == dumps({"v": 2, "n": 2, "prev": digests[1]}) + b"\n"
    journal.close()


def test_reader_gives_back_what_was_written(path: Path) -> None:
    """A whole journal reads without problems, and its last line's digest is the head."""
    lines, problems = read(three_lines(path))
    assert problems == []
    assert [line.fields.get("v") for line in lines] == [None, 1, 2]
    assert lines[2].digest == hashlib.sha256(path.read_bytes().splitlines(True)[2]).hexdigest()


def test_a_journal_is_never_opened_twice(path: Path) -> None:
    """A second writer of the same name is refused, and a link in its place as well."""
    data = three_lines(path)
    with pytest.raises(FileExistsError):
        JournalWriter.create(path, schema=SCHEMA, header={})
    (path.parent / "link").symlink_to(path.parent / "elsewhere")
    with pytest.raises(FileExistsError):
        JournalWriter.create(path.parent / "link", schema=SCHEMA, header={})
    assert path.read_bytes() == data


def test_torn_last_line_is_dropped_and_told(path: Path) -> None:
    """A crash in the middle of a write costs that line only, and the reader says so."""
    data = three_lines(path)
    for cut in range(len(data.splitlines(True)[2]) - 1, 0, -1):
        lines, problems = read(data[:-cut])
        assert len(lines) == 2
        assert kinds(problems) == [("torn", 2)]


def test_empty_and_headless_journals_are_told(path: Path) -> None:
    """No header at all, or a torn one, is a problem and not an empty day."""
    data = three_lines(path)
    assert kinds(read(b"")[1]) == [("torn", 0)]
    assert kinds(read(data[:5])[1]) == [("torn", 0)]


def test_newer_schema_is_refused_with_its_cure(path: Path) -> None:
    """A journal of a newer version is not read half."""
    lines, problems = read(three_lines(path), schema="wavegate/test/v0")
    assert lines == []
    assert kinds(problems) == [("schema", 0)]
    assert "newer" in problems[0].detail


@pytest.mark.parametrize("line", [0, 1])
def test_changed_line_breaks_the_chain_behind_it(path: Path, line: int) -> None:
    """A changed byte in a line is seen at the line after it."""
    rows = three_lines(path).splitlines(True)
    rows[line] = rows[line].replace(b"}", b" }")
    lines, problems = read(b"".join(rows))
    assert len(lines) == 3
    assert kinds(problems) == [("chain", line + 1)]


def test_removed_line_breaks_the_chain(path: Path) -> None:
    """A line taken out is seen at its place."""
    rows = three_lines(path).splitlines(True)
    assert kinds(read(rows[0] + rows[2])[1]) == [("chain", 1)]


def test_unreadable_line_is_left_out_and_reading_goes_on(path: Path) -> None:
    """Damage to one line costs one line; the damage and the broken chain are both told."""
    rows = three_lines(path).splitlines(True)
    for bad in (b"\xff\n", b"[]\n", b'{"n":1.5}\n', b"\n"):
        lines, problems = read(rows[0] + bad + rows[2])
        assert [line.at for line in lines] == [0, 2]
        assert kinds(problems) == [("line", 1), ("chain", 2)]


def test_long_line_is_skipped_within_bounds(path: Path) -> None:
    """A line beyond the bound is never held in memory; the chain still goes over it."""
    journal = JournalWriter.create(path, schema=SCHEMA, header={})
    journal.append({"v": "x" * 5000})
    journal.append({"v": 2})
    journal.close()
    lines, problems = read(path.read_bytes())
    assert [line.at for line in lines] == [0, 2]
    assert kinds(problems) == [("too-long", 1)]
    assert kinds(read(path.read_bytes()[:3000])[1]) == [("torn", 1)]


def test_writer_refuses_what_a_reader_would(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line too long to be read back, or without canonical form, is not written at all."""
    monkeypatch.setattr("wavegate.record.journal.MAX_LINE", 500)
    journal = JournalWriter.create(path, schema=SCHEMA, header={})
    size = path.stat().st_size
    with pytest.raises(ValueError, match="longer"):
        journal.append_many([{"v": 1}, {"v": "x" * 500}])
    with pytest.raises(ValueError, match="canonical"):
        journal.append({"v": 1.5})
    assert path.stat().st_size == size
    journal.append({"v": 1})
    journal.close()
    assert read(path.read_bytes())[1] == []


def test_full_disk_leaves_whole_lines(path: Path) -> None:
    """At a real file size limit the short write is cut back, and appending goes on behind it."""
    script = """
import resource, sys
from pathlib import Path
from wavegate.errors import InternalError
from wavegate.record.journal import JournalWriter
path = Path(sys.argv[1])
journal = JournalWriter.create(path, schema="wavegate/test/v1", header={})
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
done = 0
try:
    while True:
        journal.append({"v": done, "x": "x" * 100})
        done += 1
except InternalError as error:
    print(done, path.stat().st_size == journal.size, "disk is full" in error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append({"v": done})
journal.close()
"""
    command = [sys.executable, "-c", script, str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    lines, problems = read(path.read_bytes())
    assert out[1:] == ["True", "True"]
    assert int(out[0]) > 0
    assert problems == []
    assert [line.fields.get("v") for line in lines] == [None, *range(int(out[0]) + 1)]


def test_no_space_at_all_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC is our error with a cure, and the journal goes on when there is space again."""
    journal = JournalWriter.create(path, schema=SCHEMA, header={})
    with monkeypatch.context() as full:
        full.setattr("wavegate.record.journal.os.write", _raise(errno.ENOSPC))
        with pytest.raises(InternalError, match="disk is full") as caught:
            journal.append({"v": 1})
    assert caught.value.cure
    journal.append({"v": 2})
    journal.close()
    lines, problems = read(path.read_bytes())
    assert (len(lines), problems) == (2, [])


def test_failed_sync_ends_the_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync the descriptor is never written or synced again."""
    journal = JournalWriter.create(path, schema=SCHEMA, header={})
    with monkeypatch.context() as failing:
        failing.setattr("wavegate.record.journal.os.fdatasync", _raise(errno.EIO))
        with pytest.raises(JournalBrokenError):
            journal.append({"v": 1})
    size = path.stat().st_size
    with pytest.raises(JournalBrokenError):
        journal.append({"v": 2})
    assert path.stat().st_size == size
    journal.close()


def test_journal_that_cannot_be_cut_back_is_not_used_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a torn line could not be removed nothing is written behind it."""
    journal = JournalWriter.create(path, schema=SCHEMA, header={})
    with monkeypatch.context() as failing:
        failing.setattr("wavegate.record.journal.os.write", _raise(errno.ENOSPC))
        failing.setattr("wavegate.record.journal.os.ftruncate", _raise(errno.EIO))
        with pytest.raises(InternalError):
            journal.append({"v": 1})
    with pytest.raises(JournalBrokenError):
        journal.append({"v": 2})
    journal.close()


def test_failed_header_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that could not be begun is not there; a folder that is not there is our error."""
    with monkeypatch.context() as full:
        full.setattr("wavegate.record.journal.os.write", _raise(errno.ENOSPC))
        with pytest.raises(InternalError):
            JournalWriter.create(path, schema=SCHEMA, header={})
    assert list(path.parent.iterdir()) == []
    with pytest.raises(InternalError):
        JournalWriter.create(path / "x", schema=SCHEMA, header={})


def test_checkpoints_come_once_a_minute_and_at_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller can sign the head at most once a minute, and the last one at close."""
    clock = iter([0.0, 1.0, 59.0, 61.0, 61.0, 62.0, 122.0, 122.0])
    monkeypatch.setattr("wavegate.record.journal.monotonic", lambda: next(clock))
    heads: list[Head] = []
    journal = JournalWriter.create(path, schema=SCHEMA, header={}, checkpoint=heads.append)
    for number in range(4):
        journal.append({"v": number})
    journal.close()
    journal.close()
    assert [head.n for head in heads] == [2, 4, 4]
    assert heads[-1] == journal.head


def _raise(code: int) -> object:
    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


BODIES = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b", "kind"]),
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**53) + 1, 2**53 - 1),
    ),
    max_size=8,
)


@given(BODIES, st.data())
def test_every_prefix_reads_as_its_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[dict[str, object]], data: st.DataObject
) -> None:
    """Cut anywhere, a journal gives exactly the lines that are whole, and a chain that holds."""
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    journal = JournalWriter.create(path, schema=SCHEMA, header={})
    journal.append_many(bodies)
    journal.close()
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    lines, problems = read(whole[:cut], max_line=100_000)
    assert len(lines) == whole[:cut].count(b"\n")
    assert {problem.kind for problem in problems} <= {"torn"}
    assert all(b.fields["prev"] == a.digest for a, b in pairwise(lines))
    expected = [{**body, "n": n, "prev": ...} for n, body in enumerate(bodies, start=1)]
    assert [{**line.fields, "prev": ...} for line in lines[1:]] == expected[: len(lines[1:])]
