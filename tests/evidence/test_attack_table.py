# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import ast
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evidence.attack_table import ELSEWHERE, NUMBERS, PAGE, ROOT, page, rows
from tests.evidence.attacks import signature
from tests.evidence.more_attacks import EVERY, twin
from tests.evidence.small_bundle import GOOD, KEY, NAMES, make, plan

from wavegate.errors import InputError
from wavegate.evidence.trust import Trust, everything
from wavegate.evidence.verify import verify_bundle

TRUST = Trust(keys=(everything(KEY.public),))


def test_page_is_what_the_tests_make() -> None:
    """The table never says other than the tests; the module's own run writes it anew."""
    assert page() == PAGE.read_text("utf-8")


def test_every_attack_has_its_place() -> None:
    """No attack of the list is passed over."""
    assert set(NUMBERS) == {row.number for row in rows()}


def test_no_attack_stands_twice() -> None:
    """Each tampering is one of its own."""
    names = [attack.name for attack in EVERY]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", ELSEWHERE, ids=lambda row: f"{row.number} {row.attack}")
def test_rows_shown_elsewhere_have_their_test(row: object) -> None:
    """A row that another test shows names one that is there."""
    file, _, function = str(getattr(row, "test", None)).partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_twin_is_the_same_seal(tmp_path: Path) -> None:
    """(r, n-s) verifies too: the seal is told by its payload, so nothing else is gained by it."""
    change = signature(lambda entry: entry.update(sig=twin(str(entry["sig"]))))
    bundle, again = make(tmp_path / "a"), make(tmp_path / "b", outside=change)
    assert (bundle / "seal.dsse.json").read_bytes() != (again / "seal.dsse.json").read_bytes()
    assert verify_bundle(bundle, TRUST).to_json() == verify_bundle(again, TRUST).to_json()


def test_a_zip_is_never_unpacked(tmp_path: Path) -> None:
    """A zip may hold one name twice, or names that lead out: it is no bundle, and says the cure."""
    make(tmp_path / "bundle")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "bundle")
    with pytest.raises(InputError) as caught:
        verify_bundle(Path(packed), TRUST)
    assert (2, True) == (caught.value.exit_code, "unpack" in str(caught.value.cure))


def test_an_instance_without_a_cell_is_never_go(tmp_path: Path) -> None:
    """Leaving an instance out of the plan and the verdicts alike does not make the others a GO."""
    kept = tuple(cell for cell in plan().cells if cell.instance == NAMES[0])
    drop = tuple((cell.instance, cell.promise) for cell in plan().cells if cell not in kept)
    recipe = replace(GOOD, plan=replace(plan(), cells=kept), drop=drop)
    found = verify_bundle(make(tmp_path / "bundle", recipe), TRUST)
    assert ("HOLD", True) == (found.decision, found.ok)


def test_a_false_report_is_not_vouched_for(tmp_path: Path) -> None:
    """Whoever holds the key can seal a report that lies; verify says what it does not compare."""

    def lie(folder: Path) -> None:
        (folder / "report.html").write_bytes(b"<!doctype html><title>NO-GO</title>\n")

    found = verify_bundle(make(tmp_path / "bundle", inside=lie), TRUST)
    assert (True, "GO") == (found.ok, found.decision)
    assert any("reports say what verdicts.json says" in text for text in found.not_proven)
