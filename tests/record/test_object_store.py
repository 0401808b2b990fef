# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The store on S3: nothing is overwritten, damage is told, errors are sentences."""

import builtins
import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.builders.tiny_s3 import TinyS3, tiny_s3

from wavegate.canonical import digest
from wavegate.errors import DamagedError, InputError, InternalError, MissingError
from wavegate.record.object_store import ObjectStore
from wavegate.record.store_place import open_here, open_store, url_of


@pytest.fixture(scope="module")
def service() -> Iterator[TinyS3]:
    """One service for all of these tests; each has a bucket of its own."""
    with tiny_s3() as found:
        yield found


@pytest.fixture(scope="module")
def shared(service: TinyS3) -> Iterator[ObjectStore]:
    """One open store: to open one more takes seconds, which the service's library needs."""
    with pytest.MonkeyPatch.context() as patch:
        service.lead(patch)
        yield ObjectStore.open(f"s3://{service.bucket()}/a", create=True)


@pytest.fixture
def bucket(service: TinyS3, shared: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket, and an environment that finds it."""
    service.lead(monkeypatch)
    return shared.root.partition("/")[0]


@pytest.fixture
def store(shared: ObjectStore) -> ObjectStore:
    """A store under a prefix of its own."""
    return replace(shared, root=f"{shared.root}/{secrets.token_hex(4)}")


def test_what_is_put_is_got(store: ObjectStore) -> None:
    """Records come back under their digest, names under their folder, in order."""
    found = store.put(b"record")
    assert (digest(b"record"), b"record") == (found, store.get(found))
    assert found == store.put(b"record")
    store.create("signed/w1/a/000002.dsse.json", b"two")
    store.create("signed/w1/a/000001.dsse.json", b"")
    assert ("signed/w1/a/000001.dsse.json", "signed/w1/a/000002.dsse.json") == store.names(
        "signed/"
    )
    assert store.names("signed") == store.names("signed/w1/") == store.names("")
    assert () == store.names("gates/")
    assert (b"", b"two") == tuple(store.read(name) for name in store.names(""))
    assert frozenset({found}) == store.digests()


def test_name_is_written_once(store: ObjectStore) -> None:
    """Of many at once exactly one writes a name; nobody overwrites it."""

    def attempt(number: int) -> bool:
        try:
            store.create("plans/w1/000001.dsse.json", b"%d" % number)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, new in enumerate(pool.map(attempt, range(8))) if new]
    assert [b"%d" % number for number in won] == [store.read("plans/w1/000001.dsse.json")]


def test_store_is_made_once_and_found_again(bucket: str) -> None:
    """The same prefix is the same store; another prefix of the bucket is none."""
    url = f"s3://{bucket}/one"
    first = ObjectStore.open(url, create=True)
    first.create("a/b", b"x")
    again = ObjectStore.open(f"{url}/", create=True)
    assert ((url, b"x"), ("a/b",)) == ((again.place, again.read("a/b")), again.names(""))
    with pytest.raises(MissingError, match="there is no store here"):
        ObjectStore.open(f"s3://{bucket}/two", create=False)
    assert again.place == open_store(Path(f"s3://{bucket}/one"), create=False).place


def test_still_store_is_one_instant(store: ObjectStore) -> None:
    """Listed once, it says what a listing says, and knows of later what it wrote itself."""
    for name in ("signed/a/1", "signed/ab/1", "signed/b/1", "signed/b/2", "x"):
        store.create(name, b"")
    still = store.still()
    for prefix in ("", "signed", "signed/a", "signed/a/", "signed/b/", "signed/c/", "w/"):
        assert store.names(prefix) == still.names(prefix)
    store.create("signed/c/1", b"")
    assert () == still.names("signed/c/")
    with pytest.raises(FileExistsError):
        still.create("signed/c/1", b"")
    still.create("signed/c/2", b"")
    assert ("signed/c/1", "signed/c/2") == still.names("signed/c/") == store.names("signed/c/")


def test_journal_in_parts_is_one_journal(store: ObjectStore) -> None:
    """Parts are read as the file they were cut from; a missing or doubled one is told."""
    store.append("mail/s.jsonl", b"one\n", offset=0)
    store.append("mail/s.jsonl", b"two\n", offset=4)
    assert (("mail/s.jsonl",), 8) == (store.names("mail/"), store.length("mail/s.jsonl"))
    with store.stream("mail/s.jsonl") as stream:
        assert b"one\ntwo\n" == stream.read()
    with pytest.raises(FileExistsError):
        store.append("mail/s.jsonl", b"three\n", offset=4)
    store.append("mail/s.jsonl", b"four\n", offset=13)
    with pytest.raises(DamagedError, match="the part from byte 8 on is missing"):
        store.read("mail/s.jsonl")
    with pytest.raises(MissingError, match="not in the store"):
        store.read("mail/t.jsonl")
    assert store.length("mail/t.jsonl") is None


def test_overwritten_object_is_refused(store: ObjectStore, service: TinyS3) -> None:
    """Whoever may write to the bucket can overwrite there: the digest does not match any more."""
    found = store.put(b"record")
    bucket, _, prefix = store.root.partition("/")
    key = f"{prefix}/objects/{found[:2]}/{found}"
    service.client.put_object(Bucket=bucket, Key=key, Body=b"forged")
    for attempt in (lambda: store.get(found), lambda: store.put(b"record")):
        with pytest.raises(DamagedError, match="do not match the digest") as caught:
            attempt()
        assert found in str(caught.value.where)
    service.client.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(MissingError, match="not in the store"):
        store.get(found)


def test_locked_object_survives(service: TinyS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a bucket with Object Lock a record can be written, read, and not deleted for a time."""
    service.lead(monkeypatch)
    bucket = service.bucket(ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    service.client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    store = ObjectStore.open(f"s3://{bucket}/locked", create=True)
    found = store.put(b"record")
    key = f"locked/objects/{found[:2]}/{found}"
    (version,) = service.client.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    with pytest.raises(service.client.exceptions.ClientError, match="AccessDenied"):
        service.client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
    assert b"record" == store.get(found)


def test_missing_bucket_is_told(bucket: str) -> None:
    """It is not made by itself, and not mistaken for an empty store."""
    with pytest.raises(MissingError, match="there is no such bucket") as caught:
        ObjectStore.open(f"s3://{bucket}-other/x", create=True)
    assert 3 == caught.value.exit_code


def test_missing_credentials_are_told(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is tried again and again; the cure names where they come from."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(MissingError, match="no access") as caught:
        ObjectStore.open(f"s3://{bucket}/x", create=True)
    assert "AWS_PROFILE" in str(caught.value.cure)
    assert 3 == caught.value.exit_code


def test_network_gone_is_told(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is not there is an error of ours, not an absent record."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(InternalError, match="cannot be reached") as caught:
        ObjectStore.open(f"s3://{bucket}/x", create=True)
    assert 4 == caught.value.exit_code


def test_newer_and_foreign_formats_are_refused(bucket: str, service: TinyS3) -> None:
    """A prefix that a later version wrote, or that holds something else, is not written to."""
    for text, words in ((b"wavegate-store 2\n", "format 2"), (b"hello", "FORMAT does not say")):
        service.client.put_object(Bucket=bucket, Key="x/FORMAT", Body=text)
        with pytest.raises(DamagedError, match=words):
            ObjectStore.open(f"s3://{bucket}/x", create=True)


@pytest.mark.parametrize("name", ["../x", "a//b", "FORMAT", "objects/aa/x", "/a", ".hidden"])
def test_what_is_no_name_is_refused(store: ObjectStore, name: str) -> None:
    """The same names are names as in a folder."""
    for attempt in (lambda: store.create(name, b""), lambda: store.read(name)):
        with pytest.raises(InputError, match="no name in a store"):
            attempt()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs s3fs for a folder; who needs it is told how it is had."""
    real = builtins.__import__

    def refuse(name: str, *more: object) -> object:
        if name == "fsspec":
            raise ImportError(name)
        return real(name, *more)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingError, match="needs the extra s3") as caught:
        open_store(Path("s3://bucket/x"), create=False)
    assert "wavegate[s3]" in str(caught.value.cure)


def test_place_is_a_folder_or_a_url() -> None:
    """A URL comes through as a path; what needs a folder refuses it with the way around."""
    assert "s3://bucket/a/b" == url_of(Path("s3://bucket/a/b"))
    assert None is url_of(Path("folder/s3:/x"))
    with pytest.raises(InputError, match="needs a store on this machine") as caught:
        open_here(Path("s3://bucket/x"), "it appends", create=True)
    assert "wavegate push --store FOLDER --to s3://bucket/x" in str(caught.value.cure)
    with pytest.raises(InputError, match="no bucket is named"):
        open_store(Path("s3://"), create=False)
