# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Each tampering does to a store what the catalogue tells, as the store's own reader sees it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wavegate.canonical import digest, dumps
from wavegate.errors import DamagedError, InputError
from wavegate.evidence.envelope import UnknownKeyError, open_envelope
from wavegate.evidence.keys import default_signer
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.statement import Statement, read
from wavegate.evidence.trust import Role, load
from wavegate.lab.tampering import TAMPERINGS, Place, other_tool, second_key, tamper
from wavegate.record.local_store import LocalStore
from wavegate.record.observation import Observation, Seen
from wavegate.record.snapshot import Phase, Snapshot, Tool
from wavegate.run.capture import file_snapshot

AT = datetime(2024, 1, 16, 21, tzinfo=UTC)
FOLDER = "signed/w1/acme-prod1/"


def _observed(subject: str, server: str) -> Observation:
    return Observation(
        kind="dns",
        subject=subject,
        asked={"server": f"{server}:53"},
        outcome=Seen(b"answer"),
        at=AT,
        took_us=10,
        vantage="here",
    )


def _snapshot(phase: Phase) -> Snapshot:
    return Snapshot(
        instance="acme-prod1",
        customer="acme",
        wave="w1",
        phase=phase,
        sequence=0,
        previous=None,
        because=None,
        began=AT,
        ended=AT + timedelta(seconds=1),
        complete=True,
        forced=False,
        vantage="here",
        estate="e" * 64,
        tool=Tool(version="1", source="d" * 64),
        observations=(
            _observed("acc2._domainkey.news.acme.example. TXT", "127.53.1.1"),
            _observed("news.acme.example. TXT", "127.53.1.4"),
            _observed("news.acme.example. TXT", "127.53.1.2"),
        ),
    )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store with one record before and two after, a bundle, an extract, a timeline."""
    signer = default_signer(tmp_path / "home")
    store = LocalStore.open(tmp_path / "store", create=True)
    for phase in ("before", "after", "after"):
        file_snapshot(store, _snapshot(phase), signer)
    for name in ("bundle", "extract"):
        _handed_out(tmp_path / name)
    (tmp_path / "store" / "timelines/w1/acme-prod1").mkdir(parents=True)
    (tmp_path / "store" / "timelines/w1/acme-prod1/000001-x.jsonl").write_bytes(_journal())
    return Place(
        store=tmp_path / "store",
        key=tmp_path / "home" / "keys" / "default.pem",
        wave="w1",
        instance="acme-prod1",
        bundle=tmp_path / "bundle",
        extract=tmp_path / "extract",
    )


def _handed_out(folder: Path) -> None:
    cells = [{"instance": name, "verdict": "PASSED"} for name in ("acme-prod1", "acme-mkt1")]
    names = {"acme-prod1": "GO", "acme-mkt1": "GO"}
    (folder / "records" / "acme-mkt1").mkdir(parents=True)
    (folder / "records" / "acme-mkt1" / "one").write_bytes(b"a record")
    (folder / "verdicts.json").write_bytes(dumps({"cells": cells, "instances": names}))
    listed = (f"{'0' * 64}  {name}\n" for name in ("records/acme-mkt1/one", "verdicts.json"))
    (folder / "MANIFEST").write_text("".join(listed), "utf-8")


def _journal() -> bytes:
    states = ("ok", "wrong", "ok", "silent", "ok")
    lines = [{"schema": "x"}, *({"kind": "sample", "state": state} for state in states)]
    return b"".join(dumps({**line, "n": n, "prev": None}) + b"\n" for n, line in enumerate(lines))


def _home(place: Place) -> Path:
    return place.key.parents[1]


def _opened(place: Place, number: int) -> Statement[RecordPredicate]:
    """The statement of an envelope, if a trusted key signed it."""
    store = LocalStore.open(place.store, create=False)
    data = store.read(f"{FOLDER}{number:06d}.dsse.json")
    payload = open_envelope(data, load(_home(place) / "trust.json"), Role.RECORD).payload
    return read(payload, RecordPredicate)


def _record(place: Place, number: int) -> Snapshot:
    record = _opened(place, number).only_digest()
    store = LocalStore.open(place.store, create=False)
    return Snapshot.from_bytes(store.get(record), digest=record)


def test_a_flipped_byte_leaves_the_name(place: Place) -> None:
    """The store's reader meets other bytes than the digest names."""
    found = tamper("byte-flipped", place)
    with pytest.raises(DamagedError):
        _record(place, 1)
    assert dict(found.names)["the record"] == _opened(place, 1).only_digest()


def test_a_stranger_s_record_is_whole(place: Place) -> None:
    """Digest and signature are right, and the key is nobody's that is trusted."""
    names = dict(tamper("resigned", place).names)
    assert LocalStore.open(place.store, create=False).get(names["the record"])
    with pytest.raises(UnknownKeyError, match=names["key id"]):
        _opened(place, 1)


def test_one_record_stands_for_both(place: Place) -> None:
    """What is filed as the second capture is the first, under its good signature."""
    tamper("same-record", place)
    assert _opened(place, 3) == _opened(place, 1)


def test_a_sister_is_filed_here(place: Place) -> None:
    """The records after are signed by the store's key and speak of another instance."""
    tamper("wrong-instance", place)
    assert [_record(place, n).instance for n in (1, 2, 3)] == ["acme-prod1", *["acme-stage1"] * 2]


def test_less_was_asked_and_the_chain_holds(place: Place) -> None:
    """Selector and server are gone from after, and each record names the one before it."""
    tamper("asked-less", place)
    found = [_record(place, n) for n in (1, 2, 3)]
    assert [len(taken.observations) for taken in found] == [3, 1, 1]
    assert [taken.previous for taken in found[1:]] == [taken.digest for taken in found[:2]]


def test_hidden_samples_leave_a_chain(place: Place) -> None:
    """What failed is gone, and the lines are numbered and bound as if it had never been."""
    tamper("samples-hidden", place)
    data = (place.store / "timelines/w1/acme-prod1/000001-x.jsonl").read_bytes()
    lines = data.splitlines(keepends=True)
    told = [json.loads(line) for line in lines]
    assert [line["n"] for line in told] == [0, 1, 2, 3]
    assert [line.get("state") for line in told] == [None, "ok", "ok", "ok"]
    assert [line["prev"] for line in told] == [None, *(digest(line) for line in lines[:-1])]


def test_a_verdict_is_turned(place: Place) -> None:
    """One cell of the sealed file says the opposite."""
    tamper("verdict-edited", place)
    assert place.bundle is not None
    cells = json.loads((place.bundle / "verdicts.json").read_bytes())["cells"]
    assert [cell["verdict"] for cell in cells] == ["FAILED", "PASSED"]


def test_an_extract_loses_an_instance(place: Place) -> None:
    """No record and no cell of it is left, and the MANIFEST is right about the rest."""
    extract = tamper("one-left-out", _of(place, "acme-mkt1")).extract
    assert extract is not None
    text = (extract / "verdicts.json").read_bytes()
    assert b"acme-mkt1" not in text
    assert (extract / "MANIFEST").read_text("utf-8") == f"{digest(text)}  verdicts.json\n"


def _of(place: Place, instance: str) -> Place:
    return Place(
        store=place.store,
        key=place.key,
        wave=place.wave,
        instance=instance,
        bundle=place.bundle,
        extract=place.extract,
    )


def test_a_moved_store_is_the_same(place: Place) -> None:
    """The copy reads as the original does, and lies elsewhere."""
    copy = tamper("moved", place)
    assert copy.store != place.store
    assert [_record(copy, n) for n in (1, 2, 3)] == [_record(place, n) for n in (1, 2, 3)]


def test_a_second_key_is_trusted(place: Place) -> None:
    """After a rotation both keys count."""
    home = _home(place)
    path = second_key(place.key, home / "trust.json")
    keys = load(home / "trust.json").keys
    assert len(keys) == 2
    assert keys[0].roles == keys[1].roles
    assert path.stat().st_mode & 0o077 == 0


def test_another_version_tells_itself(tmp_path: Path) -> None:
    """The copied package is found under its own version, without being installed."""
    package = tmp_path / "wavegate"
    package.mkdir()
    (package / "__init__.py").touch()
    found = other_tool(package, tmp_path / "other", "1.4.0")
    assert (found / "wavegate" / "__init__.py").is_file()
    assert "Version: 1.4.0" in (found / "wavegate-1.4.0.dist-info" / "METADATA").read_text("utf-8")


@pytest.mark.parametrize("what", ["unknown", *TAMPERINGS])
def test_nothing_there_is_a_clear_error(what: str, tmp_path: Path) -> None:
    """A play that tampers too early ends with a sentence, not with a trace."""
    there = tmp_path / "nothing"
    empty = Place(store=there, key=there, wave="w1", instance="acme-prod1")
    with pytest.raises((InputError, OSError)):
        tamper(what, empty)
