# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.builders import judged_here
from tests.builders.nights import Nights, night, zone
from tests.builders.worlds import DOMAIN, World

from wavegate.run.history import History, Request, history
from wavegate.run.history_index import FILE

pytestmark = pytest.mark.timeout(600)
POLICY = World(phase="after", zone=zone(f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=none"'))


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    """A store with three nights, of which the second failed, and two baselines."""
    with pytest.MonkeyPatch.context() as patch:
        judged_here.use(patch)
        found = Nights(tmp_path)
        found.play(night(1))
        found.accept(night(1, hours=7))
        found.play(night(2))
        found.worlds["acme-dev1"] = POLICY
        found.play(night(3))
        found.accept(night(3, hours=7), why="agreed", ticket="CHG-9")
        found.play(night(4))
        yield found


def read(nights: Nights, **wanted: str | bool) -> History:
    """The history as the verb reads it."""
    request = Request(**wanted)  # type: ignore[arg-type] # keywords of it
    return history(nights.folder / "store", request, nights.trust)


def test_the_index_can_be_deleted_damaged_and_made_again(nights: Nights) -> None:
    """The same history with it, without it, and after it was written over with anything."""
    whole = read(nights)
    place = nights.folder / "store" / FILE
    assert place.exists()
    assert whole == read(nights)
    place.unlink()
    assert whole == read(nights)
    place.write_bytes(b"no database at all" * 100)
    assert whole == read(nights)
    assert whole == read(nights, anew=True)


def test_it_tells_flips_baselines_and_who_accepted(nights: Nights) -> None:
    """One cell through time, and each version of the baseline with name, reason and ticket."""
    found = read(nights, instance="acme-dev1", promise="dmarc")
    (line,) = found.lines
    assert ["PASSED", "FAILED", "PASSED"] == list(line.nights.values())
    assert 2 == line.flips
    told = [
        (row.signed.by, row.signed.why, row.signed.ticket) for row in found.baselines if row.signed
    ]
    assert [("ann", "reviewed", None), ("ann", "agreed", "CHG-9")] == told
    assert [1, 1, 2] == [row.baseline for row in found.runs]


def test_a_run_whose_seal_does_not_hold_is_not_believed(nights: Nights) -> None:
    """Verdicts that were edited in the store are named as such, and none of them is shown."""
    whole = read(nights)
    (name,) = [
        n for n in nights.store.names("gates/") if "0107" in n and n.endswith("verdicts.json")
    ]
    place = nights.folder / "store" / name
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b'"NO-GO"', b'"GO"'))
    found = read(nights, anew=True)
    (bad,) = [row for row in found.runs if row.problem]
    assert "do not match their seal" in str(bad.problem)
    assert len(whole.lines[0].points) - 1 == len(found.lines[0].points)


def test_a_store_that_cannot_be_written_is_read_all_the_same(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a place for its index the history is worked out in memory."""
    whole = read(nights)
    monkeypatch.setattr("wavegate.run.history_index.FILE", "nowhere/index.sqlite")
    assert whole == read(nights)
