# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders.estates import END, START
from tests.builders.judged_here import use
from tests.builders.pair import DEV, OTHER, SECRETS, Pair, both, gating, mail
from tests.builders.stores import Desk

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.decision import Withdrawal
from wavegate.evidence.predicates import cell_from_json, cell_to_json
from wavegate.evidence.trust import load
from wavegate.run import opening
from wavegate.run.receipt import receipt

pytestmark = pytest.mark.timeout(600)
EARLY = START - timedelta(hours=1)
WORDS = ("--by", "Ada Byron", "--why", "not ready; moves later")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A store of two customers, planned and recorded."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(f"{name.upper()}_SECRET", secret)
        yield Pair(tmp_path_factory.mktemp("pair") / "desk").file()


@pytest.fixture
def desk(sound: Desk, tmp_path: Path) -> Desk:
    """A copy of it to plan in."""
    shutil.copytree(sound.folder, tmp_path / "desk")
    return Desk(tmp_path / "desk", sound.estate)


def planning(desk: Desk, monkeypatch: pytest.MonkeyPatch, *more: str, at: datetime = EARLY) -> int:
    """The exit code of `plan --json` at an instant."""
    monkeypatch.setenv("WAVEGATE_HOME", str(desk.folder / "home"))
    args = gating(desk, Path("unused"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: at)
        return run(["plan", *args[1:7], "--json", *more])


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def gone(found: Any) -> set[tuple[str, str]]:
    """Who is withdrawn by whom in a plan."""
    return {(c["instance"], c["withdrawn_by"]) for c in found["cells"] if c["withdrawn_by"]}


def test_the_row_stays_and_later_plans_keep_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All its cells are still planned; planning again changes nothing; --restore takes it back."""
    assert 0 == planning(desk, monkeypatch, "--withdraw", OTHER, *WORDS)
    found = told(capsys)
    rows = [cell for cell in found["cells"] if cell["instance"] == OTHER]
    assert {(OTHER, "Ada Byron")} == gone(found)
    assert len(rows) > 1
    assert ["scope"] == [cell["promise"] for cell in rows if cell["not_applicable"] is None]
    assert OTHER not in found["questions"]

    assert 0 == planning(desk, monkeypatch)
    assert {(OTHER, "Ada Byron")} == gone(told(capsys))
    assert 0 == planning(desk, monkeypatch, "--restore", OTHER)
    found = told(capsys)
    assert (set(), 4, True) == (gone(found), found["version"], OTHER in found["questions"])


REFUSED: dict[str, tuple[tuple[str, ...], datetime, str]] = {
    "after the opening": (("--withdraw", OTHER, *WORDS), START, "the window opened"),
    "restored after the opening": (("--restore", OTHER), START, "the window opened"),
    "unknown": (("--withdraw", "nobody", *WORDS), EARLY, "not in wave"),
    "of another wave": (("--withdraw", "zebra-dev1", *WORDS), EARLY, "not in wave"),
    "by nobody": (("--withdraw", OTHER, "--why", "x"), EARLY, "empty"),
    "for no reason": (("--withdraw", OTHER, "--by", "x"), EARLY, "empty"),
    "not withdrawn": (("--restore", OTHER), EARLY, "is not withdrawn"),
    "both at once": (
        ("--withdraw", OTHER, "--restore", OTHER, *WORDS),
        EARLY,
        "both withdrawn and restored",
    ),
    "names another customer": (
        ("--withdraw", OTHER, "--by", "Ada", "--why", "after acme"),
        EARLY,
        "names acme",
    ),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_withdrawn(
    how: str, desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with one clear sentence and a cure, exit 2; no version of the plan is signed."""
    more, at, word = REFUSED[how]
    assert 2 == planning(desk, monkeypatch, *more, at=at)
    error = told(capsys)["error"]
    assert (True, True) == (word in error["message"], bool(error["cure"]))
    assert 1 == len(desk.store.names(f"plans/{desk.wave}/"))


def test_withdrawn_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first reason is not replaced in silence."""
    assert 0 == planning(desk, monkeypatch, "--withdraw", OTHER, *WORDS)
    capsys.readouterr()
    again = ("--by", "Eve", "--why", "other")
    assert 2 == planning(desk, monkeypatch, "--withdraw", OTHER, *again)
    assert "withdrawn already, by Ada Byron" in told(capsys)["error"]["message"]


def test_a_strangers_withdrawal_is_not_forgotten_in_silence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A last plan that no trusted key signed is not planned over as if it had withdrawn nobody."""
    assert 0 == planning(desk, monkeypatch, "--withdraw", OTHER, *WORDS)
    capsys.readouterr()
    shutil.move(desk.folder / "home", desk.folder / "elsewhere")
    assert 2 == planning(desk, monkeypatch)
    assert f"withdrew {OTHER}" in told(capsys)["error"]["message"]


def verify(place: Path, desk: Desk, *more: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """What verify tells of something that is valid."""
    capsys.readouterr()
    key = str(desk.folder / "home/keys/default.pub")
    assert 0 == run(["verify", str(place), "--key", key, "--json", *more])
    return told(capsys)


def test_a_wave_is_decided_without_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """GO for the others; its row is told with who and why, in an extract of its customer too."""
    given = _receipt(desk)
    assert 0 == planning(desk, monkeypatch, "--withdraw", OTHER, *WORDS)
    use(monkeypatch)
    bundle = desk.folder / "bundle"
    capsys.readouterr()
    code = run([*gating(desk, bundle), "--json"])
    found = told(capsys)
    mine = [cell for cell in found["cells"] if cell["instance"] == OTHER]
    assert len(mine) > 1
    assert {"NOT_APPLICABLE"} == {cell["verdict"] for cell in mine}
    assert {("Ada Byron", "not ready; moves later")} == {
        (cell["withdrawn"]["by"], cell["withdrawn"]["why"]) for cell in mine
    }
    assert not [line for line in found["why"] if line.startswith(OTHER)]
    assert (OTHER in found["holds"], OTHER in found["attempts"]) == (False, False)
    assert {0: "GO", 1: "NO-GO", 3: "HOLD"}[code] == found["decision"]

    assert verify(bundle, desk, "--rejudge", capsys=capsys)["rejudged"]
    out = desk.folder / "zebra"
    assert 0 == run(["report", str(bundle), "--customer", "zebra", "--out", str(out)])
    extract = json.loads((out / "verdicts.json").read_text("utf-8"))
    assert mine == [cell for cell in extract["cells"] if cell["instance"] == OTHER]
    assert ("HOLD", ["the wave has no instance"]) == (extract["decision"], extract["why"])
    place = desk.folder / "given"
    place.write_bytes(given)
    proven = verify(out, desk, "--receipt", str(place), capsys=capsys)["proven"]
    assert [True] == [OTHER in text for text in proven if "withdrawn after the receipt" in text]
    assert verify(out, desk, "--rejudge", capsys=capsys)["rejudged"]


def _receipt(desk: Desk) -> bytes:
    """What zebra was given before the withdrawal."""
    opened = opening.open_wave(
        desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False
    )
    shelf = opening.shelf_of(opened, load(desk.folder / "home/trust.json"))
    return receipt(shelf, "zebra", desk.signer, EARLY).envelope


def test_it_must_really_have_stayed_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its mail flowed until the window, stopped in it and came back: `scope` is FAILED."""
    desk = Desk(tmp_path / "desk", both())
    desk.plan("scope", "spf", at=START - timedelta(days=2))
    minutes = [START - timedelta(minutes=m) for m in range(1, 40)]
    minutes += [END + timedelta(minutes=m) for m in range(1, 20)]
    flow = [replace(mail("before"), connected=at, ended=at) for at in sorted(minutes)]
    desk.hear(flow, START - timedelta(days=1), END + timedelta(days=1))
    assert 0 == planning(desk, monkeypatch, "--withdraw", OTHER, *WORDS)
    use(monkeypatch)
    capsys.readouterr()
    assert 1 == run([*gating(desk, desk.folder / "bundle"), "--json"])
    (cell,) = (
        c
        for c in told(capsys)["cells"]
        if (c["instance"], c["promise"], c["verdict"]) == (OTHER, "scope", "FAILED")
    )
    assert ["stopped-outside-its-wave"] == [finding["rule"] for finding in cell["findings"]]


def test_production_does_not_follow_what_was_withdrawn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dev instance that was taken out of its wave has not moved, whatever that wave is."""
    early = START.replace(year=2023, month=12) - timedelta(hours=1)
    dev = Desk(desk.folder, desk.estate, wave=DEV)
    assert 0 == planning(dev, monkeypatch, "--withdraw", "zebra-dev1", *WORDS, at=early)
    use(monkeypatch)
    run(gating(dev, desk.folder / "dev", DEV))
    assert desk.store.names(f"gates/{DEV}/")
    capsys.readouterr()
    assert 1 == run([*gating(desk, desk.folder / "bundle"), "--json"])
    (cell,) = (
        c for c in told(capsys)["cells"] if (c["instance"], c["promise"]) == (OTHER, "schedule")
    )
    assert "FAILED" == cell["verdict"]
    assert "was withdrawn from" in cell["reason"]


@pytest.mark.parametrize("verb", [("capture", "--phase", "before"), ("watch",)])
def test_nobody_looks_at_it(
    verb: tuple[str, ...],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Named, or the last one left: whoever looks is told who withdrew it, and why."""
    assert 0 == planning(desk, monkeypatch, "--withdraw", OTHER, *WORDS)
    args = gating(desk, Path("unused"))
    command = [*verb, *args[1:7], "--instance", OTHER, "--json"]
    monkeypatch.setattr(clock, "now", lambda: EARLY)
    capsys.readouterr()
    assert 2 == run(command)
    assert "was withdrawn from wave" in told(capsys)["error"]["message"]
    assert 0 == planning(desk, monkeypatch, "--withdraw", "acme-prod1", *WORDS)
    capsys.readouterr()
    assert 2 == run([*verb, *args[1:7], "--json"])
    assert "by Ada Byron" in told(capsys)["error"]["message"]


def test_who_planned_and_then_decides_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same person under another spelling, with another key, approves of their own work."""
    assert 0 == planning(desk, monkeypatch, "--by", "Ada  BYRON")
    args = gating(desk, Path("unused"))
    words = ("--by", "ada byron", "--why", "so be it")
    assert 0 == run(["decide", "keep", *args[1:7], *args[9:], *words])
    use(monkeypatch)
    capsys.readouterr()
    assert 1 == run([*gating(desk, desk.folder / "bundle"), "--json"])
    (decision,) = told(capsys)["decisions"]
    assert ["key", "name"] == decision["implementer"]


def test_a_grid_without_withdrawals_is_written_as_ever(desk: Desk) -> None:
    """Plans, receipts and baselines of earlier versions keep their bytes and digests."""
    opened = opening.open_wave(
        desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False
    )
    plan = opening.shelf_of(opened, load(desk.folder / "home/trust.json")).plan
    assert plan is not None
    cell = plan.cells[0]
    assert "withdrawn" not in cell_to_json(cell)
    taken = replace(cell, withdrawn=Withdrawal(by="Ada", why="later", at=EARLY))
    assert (cell, taken) == (
        cell_from_json(cell_to_json(cell)),
        cell_from_json(cell_to_json(taken)),
    )
