# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The folder store: written once, whole or not at all, hashed on reading, no link followed."""

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import digest
from wavegate.errors import DamagedError, InputError, InternalError, MissingError
from wavegate.record.local_store import FORMAT, LocalStore
from wavegate.record.store import Store


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A new store."""
    return LocalStore.open(tmp_path / "store", create=True)


def files(store: LocalStore) -> set[str]:
    """Everything that lies in the folder of a store."""
    return {p.relative_to(store.root).as_posix() for p in store.root.rglob("*") if p.is_file()}


def test_it_is_a_store(store: LocalStore) -> None:
    """The folder store offers the store interface that everything else is written against."""
    interface: Store = store
    assert interface.place == str(store.root)
    assert (store.root / "FORMAT").read_bytes() == FORMAT


def test_object_comes_back_by_its_digest(store: LocalStore) -> None:
    """What was put is found under its SHA-256, read-only, in the place the format says."""
    found = store.put(b"record")
    assert (found, store.get(found)) == (digest(b"record"), b"record")
    path = store.root / "objects" / found[:2] / found
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert files(store) == {"FORMAT", f"objects/{found[:2]}/{found}"}


def test_put_twice_is_one_object(store: LocalStore) -> None:
    """Storing the same bytes again changes nothing and leaves nothing beside."""
    assert store.put(b"record") == store.put(b"record")
    assert len(files(store)) == 2


def test_put_beside_a_damaged_object_says_so(store: LocalStore) -> None:
    """A file with other bytes under the digest is named, not silently taken for the record."""
    found = store.put(b"record")
    path = store.root / "objects" / found[:2] / found
    path.chmod(0o644)
    path.write_bytes(b"recorD")
    with pytest.raises(DamagedError, match="do not match"):
        store.put(b"record")
    with pytest.raises(DamagedError) as caught:
        store.get(found)
    assert caught.value.where == str(path)
    assert path.read_bytes() == b"recorD"


def test_unknown_object_is_missing(store: LocalStore) -> None:
    """An object that was never stored is missing, which is not damage."""
    with pytest.raises(MissingError):
        store.get(digest(b"never"))


@pytest.mark.parametrize("text", ["", "zz", "A" * 64, "../" + "a" * 61, "a" * 63 + "\n"])
def test_no_digest_is_refused(store: LocalStore, text: str) -> None:
    """What is no digest never reaches the file system."""
    with pytest.raises(DamagedError, match="no SHA-256"):
        store.get(text)


def test_name_is_written_once(store: LocalStore) -> None:
    """A second writer of a name is refused and the first one's bytes stay."""
    store.create("plans/w1/000001.dsse.json", b"one")
    with pytest.raises(FileExistsError):
        store.create("plans/w1/000001.dsse.json", b"two")
    assert store.read("plans/w1/000001.dsse.json") == b"one"
    with store.stream("plans/w1/000001.dsse.json") as stream:
        assert stream.read() == b"one"
    assert files(store) == {"FORMAT", "plans/w1/000001.dsse.json"}


def test_one_of_many_writers_wins(store: LocalStore) -> None:
    """Of concurrent writers of one name exactly one succeeds, and its bytes are whole."""

    def write(number: int) -> bool:
        try:
            store.create("signed/w/i/000001.dsse.json", b"%d" % number * 1000)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(8)))
    assert won.count(True) == 1
    assert store.read("signed/w/i/000001.dsse.json") == b"%d" % won.index(True) * 1000


def test_names_are_listed_below_a_prefix(store: LocalStore) -> None:
    """A prefix lists what was written below it, sorted; objects and left-overs are no names."""
    store.put(b"record")
    for name in ["signed/w/b/000001.dsse.json", "signed/w/a/000001.dsse.json", "mail/s.jsonl"]:
        store.create(name, b"")
    (store.root / "signed" / ".new-0123").write_bytes(b"left by a crash")
    signed = ("signed/w/a/000001.dsse.json", "signed/w/b/000001.dsse.json")
    assert store.names("signed/") == signed
    assert store.names("signed/w/a") == signed[:1]
    assert store.names("") == ("mail/s.jsonl", *signed)
    assert store.names("gates/") == ()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "/a",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            ".",
            ".new-1",
            "a/.b",
            "ä",
            "a b",
            "a\0b",
            "a\n",
        ),
        *("objects/aa/x", "FORMAT", "a" * 201),
    ],
)
def test_bad_name_is_refused(store: LocalStore, name: str) -> None:
    """A name that could leave the store, or meet its own files, is refused on every path."""
    with pytest.raises(InputError, match="no name"):
        store.create(name, b"x")
    with pytest.raises(InputError, match="no name"):
        store.read(name)
    assert files(store) == {"FORMAT"}


def test_no_link_is_followed(store: LocalStore, tmp_path: Path) -> None:
    """A link inside a store, to a file or a folder, is refused: it could point anywhere."""
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_bytes(b"secret")
    store.create("signed/w/real", b"1")
    (store.root / "signed" / "link").symlink_to(tmp_path / "secret")
    (store.root / "plans").symlink_to(tmp_path / "folder")
    for name in ("signed/link", "plans/x"):
        with pytest.raises(DamagedError, match="link"):
            store.read(name)
    with pytest.raises(InternalError):
        store.create("plans/new", b"x")
    assert list((tmp_path / "folder").iterdir()) == [tmp_path / "folder" / "x"]
    assert store.names("signed/") == ("signed/link", "signed/w/real")


def test_no_store_is_missing(tmp_path: Path) -> None:
    """Without create nothing is made, and the error says how a store comes to be."""
    with pytest.raises(MissingError) as caught:
        LocalStore.open(tmp_path / "none", create=False)
    assert "wavegate plan" in (caught.value.cure or "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_store(tmp_path: Path) -> None:
    """A file given as --store is an input error."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="file"):
        LocalStore.open(tmp_path / "file", create=True)


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder with other things in it does not become a store by mistake."""
    (tmp_path / "thesis.txt").write_bytes(b"years of work")
    with pytest.raises(InputError, match="something else"):
        LocalStore.open(tmp_path, create=True)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_opening_again_finds_what_was_written(store: LocalStore) -> None:
    """A store is found again, with and without create."""
    found = store.put(b"record")
    assert LocalStore.open(store.root, create=True).get(found) == b"record"
    assert LocalStore.open(store.root, create=False).get(found) == b"record"


@pytest.mark.parametrize(
    ("text", "message"),
    [(b"wavegate-store 2\n", "format 2"), (b"", "FORMAT"), (b"wavegate-store one\n", "FORMAT")],
)
def test_other_format_is_refused(store: LocalStore, text: bytes, message: str) -> None:
    """A store of a newer Wavegate, or with an unreadable FORMAT, is not guessed at."""
    path = store.root / "FORMAT"
    path.chmod(0o644)
    path.write_bytes(text)
    with pytest.raises(DamagedError, match=message) as caught:
        LocalStore.open(store.root, create=True)
    assert caught.value.cure


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "cannot be written"), (errno.EIO, "cannot")],
)
def test_failed_write_leaves_nothing(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, code: int, message: str
) -> None:
    """A full or read-only disk is our error with its cure; no half-written file stays."""

    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("wavegate.record.local_store.os.write", fail)
    with pytest.raises(InternalError, match=message) as caught:
        store.put(b"record")
    with pytest.raises(InternalError, match=message):
        store.create("plans/w/000001.dsse.json", b"x")
    monkeypatch.undo()
    assert caught.value.cure
    assert files(store) == {"FORMAT"}


def test_failed_sync_is_an_error(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be synced is not said to be stored, and the half-safe file goes."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr("wavegate.record.local_store.os.fsync", fail)
    (store.root / "plans").mkdir()
    with pytest.raises(InternalError):
        store.create("plans/x", b"x")
    monkeypatch.undo()
    assert files(store) == {"FORMAT"}


def test_short_writes_are_completed(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that writes less than asked for still ends with the whole object."""
    write = os.write
    monkeypatch.setattr(
        "wavegate.record.local_store.os.write", lambda file, data: write(file, bytes(data[:3]))
    )
    assert store.get(store.put(b"0123456789")) == b"0123456789"


def test_folder_for_journals_is_made(store: LocalStore) -> None:
    """A journal gets a folder inside the store."""
    assert store.folder("mail") == store.root / "mail"
    assert (store.root / "mail").is_dir()


@given(st.binary(max_size=200))
def test_any_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever the bytes, the store gives them back under their digest."""
    store = LocalStore.open(tmp_path_factory.getbasetemp() / "any", create=True)
    assert store.get(store.put(data)) == data
