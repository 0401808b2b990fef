# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evidence.small_bundle import (
    GOOD,
    KEY,
    NAMES,
    NO_GO,
    WAVE,
    _write_extracts,
    described,
    make,
    snapshot,
)

from wavegate.canonical import digest
from wavegate.clock import parse_instant
from wavegate.errors import InvalidError
from wavegate.evidence.envelope import sign
from wavegate.evidence.statement import record_subject, write
from wavegate.evidence.trust import Trust, everything
from wavegate.evidence.verify import verify_bundle
from wavegate.evidence.whole_records import check_whole
from wavegate.record.local_store import LocalStore
from wavegate.record.queue_header import header_of
from wavegate.run.rejudge import _check_records

ROOT = Path(__file__).parents[2]
TRUST = Trust(keys=(everything(KEY.public),))


def _retake(folder: Path) -> None:
    """The capture `after` is one that a strict reader refuses, signed by who holds the key."""
    name = NAMES[0]
    store = LocalStore.open(folder / "records", create=False)
    first = digest(snapshot(name, "before", 1, None).to_bytes())
    taken = snapshot(name, "after", 2, first)
    data = taken.to_bytes().replace(b'"kind":"dns"', b'"kind":"dns","kind":"dns"')
    for path in (
        folder / f"records/signed/{WAVE}/{name}/000002.dsse.json",
        folder / f"records/objects/{taken_digest(taken.to_bytes())}",
    ):
        path.unlink()
    record = store.put(data)
    envelope = sign(write(record_subject(record), described(taken)), KEY)
    store.create(f"signed/{WAVE}/{name}/000002.dsse.json", envelope)
    verdicts = folder / "verdicts.json"
    old = digest(taken.to_bytes()).encode()
    verdicts.write_bytes(verdicts.read_bytes().replace(old, record.encode()))
    shutil.rmtree(folder / "customers")
    _write_extracts(folder, GOOD)


def taken_digest(data: bytes) -> str:
    """The place of an object below `objects/`."""
    record = digest(data)
    return f"{record[:2]}/{record}"


def test_good_bundles_are_whole(tmp_path: Path) -> None:
    """Nothing is said of records that are what they should be."""
    for number, recipe in enumerate((GOOD, NO_GO)):
        check_whole(make(tmp_path / str(number), recipe), TRUST)


def test_damaged_inside(tmp_path: Path) -> None:
    """A record that is right outside and damaged inside is refused once it is read to its end."""
    bundle = make(tmp_path / "bundle", inside=_retake)
    found = verify_bundle(bundle, TRUST)
    assert (True, True) == (found.ok, any("--rejudge" in text for text in found.not_proven))
    with pytest.raises(InvalidError, match="duplicate key"):
        check_whole(bundle, TRUST)


def test_damage_that_is_owned_up_to(tmp_path: Path) -> None:
    """A run that says that its evidence is unsound may hold it."""
    recipe = replace(GOOD, bad=tuple((name, "sound_evidence") for name in NAMES))
    check_whole(make(tmp_path / "bundle", recipe, inside=_retake), TRUST)


def _deadly_look(folder: Path) -> None:
    """A look at a queue whose rows end the process that reads them, signed like any other."""
    data = (ROOT / "fixtures/wire/queue-that-ends-its-reader.parquet").read_bytes()
    header = header_of(data, digest=digest(data))
    store = LocalStore.open(folder / "records", create=False)
    taken = snapshot(NAMES[0], "before", 1, None)
    told = replace(
        described(taken, "queue"),
        began=parse_instant(str(header["began"])),
        ended=parse_instant(str(header["ended"])),
        vantage=str(header["vantage"]),
    )
    envelope = sign(write(record_subject(store.put(data)), told), KEY)
    store.create(f"queues/{WAVE}/{NAMES[0]}/before-000001.dsse.json", envelope)
    shutil.rmtree(folder / "customers")
    _write_extracts(folder, GOOD)


def test_a_record_that_ends_its_reader(tmp_path: Path) -> None:
    """It is read in a process of its own: the verifier lives, and refuses the bundle."""
    bundle = make(tmp_path / "bundle", inside=_deadly_look)
    assert verify_bundle(bundle, TRUST).ok
    with pytest.raises(InvalidError, match="ends the process that reads it"):
        _check_records(bundle, TRUST, tmp_path)


def test_a_refusal_in_the_other_process(tmp_path: Path) -> None:
    """What is refused there is told here, in the same words; a whole bundle is told nothing of."""
    _check_records(make(tmp_path / "whole"), TRUST, tmp_path)
    bundle = make(tmp_path / "bundle", inside=_retake)
    with pytest.raises(InvalidError, match="duplicate key") as caught:
        _check_records(bundle, TRUST, tmp_path)
    assert caught.value.where
