# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from tests.evidence.small_bundle import GOOD, KEY, NO_GO, OTHER_KEY, make

from wavegate.cli.entry import run
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.keys import default_signer
from wavegate.evidence.trust import Role, Trust, everything

FORMS = ("oscal", "intoto", "csv")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A NO-GO with one cause, and its key beside it."""
    (tmp_path / "signer.pub").write_text(KEY.public.pem)
    return make(tmp_path / "bundle", NO_GO)


@pytest.mark.parametrize("form", FORMS)
def test_same_bytes_again(form: str, bundle: Path, tmp_path: Path) -> None:
    """A bundle gives the same bytes each time it is exported."""
    key = ("--key", str(tmp_path / "signer.pub"))
    for name in ("one", "two"):
        assert 0 == run(["export", form, str(bundle), "--out", str(tmp_path / name), *key])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_invalid_bundle_is_not_exported(form: str, bundle: Path, tmp_path: Path) -> None:
    """What verify refuses is not handed on in another form."""
    (bundle / "summary.md").write_bytes(b"GO")
    assert 1 == run(["export", form, str(bundle), "--out", str(tmp_path / "out")])
    (tmp_path / "other.pub").write_text(OTHER_KEY.public.pem)
    whole, out = make(tmp_path / "whole"), str(tmp_path / "out")
    key = str(tmp_path / "other.pub")
    assert 1 == run(["export", form, str(whole), "--out", out, "--key", key])
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(bundle: Path, tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    (tmp_path / "out").write_bytes(b"mine")
    assert 2 == run(["export", "csv", str(bundle), "--out", str(tmp_path / "out")])
    assert b"mine" == (tmp_path / "out").read_bytes()


def test_without_a_key_it_says_so(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody vouches for a bundle that was read without a key: told on stderr and in --json."""
    out = tmp_path / "out"
    assert 0 == run(["export", "csv", str(bundle), "--out", str(out), "--json"])
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert ([str(out)], True) == (found["written"], "--key" in found["problems"][0])
    assert "not proven" in said.err


def test_signed_statement(bundle: Path, tmp_path: Path) -> None:
    """With a key the in-toto statement comes in an envelope, as collectors want it."""
    signer = default_signer(tmp_path / "home")
    args = ["export", "intoto", str(bundle), "--out", str(tmp_path / "out")]
    assert 0 == run([*args, "--sign-with", str(tmp_path / "home/keys/default.pem")])
    trust = Trust(keys=(everything(signer.public),))
    payload = open_envelope((tmp_path / "out").read_bytes(), trust, Role.SEAL).payload
    assert "FAILED" == json.loads(payload)["predicate"]["result"]


def test_case_texts(bundle: Path, tmp_path: Path) -> None:
    """One file for each cause and customer, in a new folder."""
    out = tmp_path / "cases"
    assert 0 == run(["export", "cases", str(bundle), "--out", str(out), "--customer", "acme"])
    (found,) = out.iterdir()
    assert found.name.startswith("case-acme-spf-")
    assert "192.0.2.10 gets fail" in found.read_text()


@pytest.mark.parametrize(
    ("more", "code"),
    [(("--customer", "nobody"), 2), (("--cause", "ffff"), 3), (("--cause", "2a4b"), 0)],
)
def test_no_such_case(more: tuple[str, ...], code: int, bundle: Path, tmp_path: Path) -> None:
    """An unknown customer is an input error; a cause that is not there is missing."""
    out = tmp_path / "cases"
    assert code == run(["export", "cases", str(bundle), "--out", str(out), *more])
    assert (code == 0) == out.exists()


def test_no_case_of_a_good_run(tmp_path: Path) -> None:
    """Where nothing is bad there is no text, and that is said."""
    good = make(tmp_path / "good", GOOD)
    assert 3 == run(["export", "cases", str(good), "--out", str(tmp_path / "cases")])


@pytest.mark.parametrize("form", FORMS)
def test_a_customer_exports_what_they_hold(form: str, bundle: Path, tmp_path: Path) -> None:
    """An extract is exported as a bundle is: a customer has a GRC tool too."""
    extract, key = tmp_path / "extract", ("--key", str(tmp_path / "signer.pub"))
    assert 0 == run(["report", str(bundle), "--customer", "acme", "--out", str(extract)])
    assert 0 == run(["export", form, str(extract), "--out", str(tmp_path / "out"), *key])
    assert b"acme-prod1" in (tmp_path / "out").read_bytes()
