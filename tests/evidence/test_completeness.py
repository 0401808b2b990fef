# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.evidence.small_bundle import GOOD, KEY, Edit, edit_json, make

from wavegate.errors import InvalidError
from wavegate.evidence.trust import Trust, everything
from wavegate.evidence.verify import verify_bundle

TRUST = Trust(keys=(everything(KEY.public),))
EXTRACT = "customers/acme"


def in_extract(change: Callable[[Path], object]) -> Edit:
    """Change the customer's part before sealing."""
    return lambda folder: change(folder / EXTRACT)


def _other_decision(found: dict[str, object]) -> None:
    found["instances"] = {"acme-prod1": "GO", "acme-prod2": "NO-GO"}


LIES: dict[str, tuple[Edit, str]] = {
    "no extract": (lambda folder: shutil.rmtree(folder / EXTRACT), "acme has no extract"),
    "an extract of nobody": (
        lambda folder: shutil.copytree(folder / EXTRACT, folder / "customers/ghost"),
        "ghost is no customer here",
    ),
    "a capture left out": (
        in_extract(lambda f: next((f / "records/signed").rglob("000002*")).unlink()),
        "it lacks records/signed/2024-01-w1/acme-prod",
    ),
    "mails left out": (
        in_extract(lambda f: shutil.rmtree(f / "records/mails")),
        "it lacks records/mails/",
    ),
    "another verdict": (
        in_extract(lambda f: edit_json(f / "verdicts.json", _other_decision)),
        "says otherwise than the whole run",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_bundle_whose_extracts_leave_something_out(lie: str, tmp_path: Path) -> None:
    """Whoever holds the key cannot seal a part that has less, or says other, than the whole."""
    edit, says = LIES[lie]
    with pytest.raises(InvalidError) as caught:
        verify_bundle(make(tmp_path / "bundle", GOOD, inside=edit), TRUST)
    assert says in str(caught.value)


def test_whole_bundle(tmp_path: Path) -> None:
    """A bundle whose extracts are whole says so, and has the digest that customers compare."""
    found = verify_bundle(make(tmp_path / "bundle"), TRUST)
    assert any("leaves nothing of theirs out" in text for text in found.proven)
    assert (None, None, 64) == (found.customer, found.complete, len(found.run_list or ""))
