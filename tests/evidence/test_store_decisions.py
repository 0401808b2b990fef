# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What people signed, as the doctor of a store knows it."""

from datetime import timedelta
from pathlib import Path

from tests.builders.estates import START, estate, instance
from tests.builders.stores import Desk

from wavegate.estate.model import Limit
from wavegate.evidence.decisions import COURSES
from wavegate.evidence.diagnosis import Diagnosis, Grade
from wavegate.evidence.shelf import Shelf
from wavegate.evidence.store_doctor import examine
from wavegate.evidence.trust import load
from wavegate.run import opening
from wavegate.run.approve import Selection, approve
from wavegate.run.decide import Request, decide


def planned(folder: Path) -> Desk:
    """A store with a plan, of an estate with a limit."""
    limit = Limit(
        promise="spf", instances=("acme-prod1",), reason="unknowable", approved_by="C. Approver"
    )
    desk = Desk(folder / "desk", estate(instance("acme-prod1"), limits=(limit,)))
    desk.plan("spf", at=START - timedelta(days=2))
    return desk


def shelf_of(desk: Desk) -> Shelf:
    """Its records as they are now."""
    opened = opening.open_wave(
        desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False
    )
    return opening.shelf_of(opened, load(desk.folder / "home/trust.json"))


def told(desk: Desk) -> list[Diagnosis]:
    """What is found about decisions and approvals."""
    found = examine(desk.store, load(desk.folder / "home/trust.json")).diagnoses
    return [one for one in found if one.name.startswith(("decisions", "approvals"))]


def test_whole_chains_are_well_and_a_gap_is_named(tmp_path: Path) -> None:
    """One whose beginning was taken away is damaged: what was decided first is gone."""
    desk = planned(tmp_path)
    for course in COURSES[1:]:
        shelf = shelf_of(desk)
        decide(shelf, Request(course=course, instance=None, by="Ada", why="because"), desk.signer)
    assert [] == told(desk)

    (desk.folder / f"store/decisions/{desk.wave}/000001.dsse.json").unlink()
    (found,) = told(desk)
    assert (Grade.DAMAGED, True) == (found.grade, "missing" in found.text)


def test_an_approval_in_another_place_is_named(tmp_path: Path) -> None:
    """What was signed of one limit is no approval of another, wherever it is put."""
    desk = planned(tmp_path)
    approve(shelf_of(desk), Selection(everything=True), "Cora", desk.signer)
    assert [] == told(desk)

    (name,) = desk.store.names("approvals/")
    moved = desk.folder / "store" / name.replace(name.split("/")[2], "0" * 64)
    moved.parent.mkdir()
    (desk.folder / "store" / name).rename(moved)
    (found,) = told(desk)
    assert (Grade.DAMAGED, True) == (found.grade, "in another's place" in found.text)
