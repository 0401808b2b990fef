# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from wavegate.errors import InvalidError
from wavegate.evidence.authorities import Authorities, load_roots
from wavegate.evidence.completeness import Claimant
from wavegate.evidence.contents import read_contents
from wavegate.evidence.instructions import script
from wavegate.evidence.trust import Trust, of_public_keys
from wavegate.evidence.verdicts import Verdicts, parse
from wavegate.evidence.verify import verify_bundle
from wavegate.report import html, in_toto, markdown, oscal, population
from wavegate.report.case import cases
from wavegate.run.hand_out import hand_out

HERE = Path(__file__).parents[2] / "fixtures" / "bundles"
FOLDERS = sorted(path.parent for path in HERE.glob("*/says.json"))
WITH_STOCK_TOOLS = all(map(shutil.which, ("sh", "openssl", "jq", "sha256sum", "realpath")))
LARGEST = 500_000

every_old_bundle = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def trust_of(folder: Path) -> Trust:
    """Trust in the key that lies beside the bundle."""
    return of_public_keys([folder / "signer.pub"])


def roots_of(folder: Path) -> Authorities:
    """The authority that stamped it, where one did."""
    return load_roots(folder.glob("tsa-root.pem"))


def says(folder: Path) -> Any:
    """What the bundle said when it was made."""
    return json.loads((folder / "says.json").read_text("utf-8"))


def verdicts_of(folder: Path) -> Verdicts:
    """Its verdicts."""
    return parse((folder / "bundle" / "verdicts.json").read_bytes())


def test_there_are_old_bundles() -> None:
    """The tests below are about something."""
    assert ["v1", "v2"] == [folder.name for folder in FOLDERS]
    assert [False, True] == [bool(says(folder).get("secrets")) for folder in FOLDERS]


@every_old_bundle
def test_read_for_ever(folder: Path) -> None:
    """A later verifier accepts what an earlier version sealed, and reads the same in it."""
    expected = says(folder)
    found = verify_bundle(
        folder / "bundle",
        trust_of(folder),
        expect_run=expected["run"],
        authorities=roots_of(folder),
    )
    assert (True, 0, ()) == (found.ok, found.exit_code, found.problems)
    assert bool(roots_of(folder).roots) == found.time_proven
    assert (expected["wave"], expected["decision"]) == (found.wave, found.decision)
    verdicts = verdicts_of(folder)
    cells = Counter(str(cell.verdict) for cell in verdicts.cells)
    assert (expected["cells"], expected["causes"]) == (dict(cells), len(verdicts.causes))


@every_old_bundle
@pytest.mark.skipif(not WITH_STOCK_TOOLS, reason="the stock tools are not on this machine")
def test_stock_tools_for_ever(folder: Path, tmp_path: Path) -> None:
    """Its own verify.sh still accepts it, and so does today's, which a customer may hold."""
    today = tmp_path / "verify.sh"
    today.write_text(script())
    for used in (folder / "bundle" / "verify.sh", today):
        code, told = _run(used, folder, folder / "bundle")
        assert (0, True) == (code, told.startswith("VALID")), told


def _run(used: Path, folder: Path, place: Path, **more: str) -> tuple[int, str]:
    """What a verify.sh says of a bundle or an extract."""
    roots = map(str, folder.glob("tsa-root.pem"))
    done = subprocess.run(
        ["sh", str(used), str(folder / "signer.pub"), *roots],  # noqa: S607 - the sh of this machine
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "BUNDLE": str(place), **more},
    )
    return done.returncode, done.stdout + done.stderr


@every_old_bundle
def test_extracts_for_ever(folder: Path, tmp_path: Path) -> None:
    """What an earlier version handed out is whole for its customer, and can be handed out anew."""
    secrets = says(folder).get("secrets", {})
    for customer, secret in secrets.items():
        out = tmp_path / customer
        assert hand_out(folder / "bundle", customer, out).provable
        found = verify_bundle(
            out,
            trust_of(folder),
            claimant=Claimant(customer=customer, secret=secret),
            authorities=roots_of(folder),
        )
        assert (0, customer, True) == (found.exit_code, found.customer, found.complete)
        claim = Claimant(customer=customer, secret="00" * 32)
        with pytest.raises(InvalidError, match="does not list"):
            verify_bundle(out, trust_of(folder), claimant=claim)
        if WITH_STOCK_TOOLS:
            code, told = _run(out / "verify.sh", folder, out, SECRET=secret, NAME=customer)
            assert (0, True) == (code, "nothing of yours in this run was left out" in told), told
    assert bool(secrets) == (folder / "bundle/RUN").exists()


@every_old_bundle
def test_still_refused_when_changed(folder: Path, tmp_path: Path) -> None:
    """Reading old bundles takes nothing away from what is refused."""
    bundle = tmp_path / "bundle"
    shutil.copytree(folder / "bundle", bundle)
    for name in ("verdicts.json", "seal.dsse.json", "plan.dsse.json", "MANIFEST"):
        path = bundle / name
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"2024", b"2025", 1) if b"2024" in whole else whole[:-1])
        with pytest.raises(InvalidError):
            verify_bundle(bundle, trust_of(folder))
        path.write_bytes(whole)
    assert verify_bundle(bundle, trust_of(folder), authorities=roots_of(folder)).ok


@every_old_bundle
def test_still_handed_on(folder: Path) -> None:
    """An old run can still be reported and exported by a later version."""
    contents = read_contents(folder / "bundle", trust_of(folder))
    run = says(folder)["run"]
    made = (oscal.document(contents).decode(), population.as_csv(contents.verdicts).decode())
    shown = (html.render(contents.verdicts), markdown.render(contents.verdicts))
    assert [True] * 4 == [run in text for text in (*made, *shown)]
    assert b"test-result" in in_toto.statement(contents)
    assert says(folder)["causes"] <= len(cases(contents.verdicts))


@every_old_bundle
def test_stays_small(folder: Path) -> None:
    """What every checkout carries for ever is small."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert total < LARGEST
