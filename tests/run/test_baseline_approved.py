# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An accepted baseline that an approver signed too, in the nights that are held against it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.builders import judged_here
from tests.builders.nights import Nights, night
from tests.builders.resealed import seal_anew

from wavegate.canonical import dumps
from wavegate.cli.entry import run
from wavegate.errors import InputError
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.trust import Role, Trust, TrustedKey, dump
from wavegate.run.accept import Request, accept

pytestmark = pytest.mark.timeout(600)
REQUEST = Request(by="Cora", why="reviewed")


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A store with one night to accept; its trust file has a recording and an approving key."""
    judged_here.use(monkeypatch)
    found = Nights(tmp_path)
    both = frozenset({Role.RECORD, Role.SEAL})
    keys = (
        TrustedKey(key=found.signer.public, roles=both),
        TrustedKey(key=approver(tmp_path).public, roles=frozenset({Role.APPROVE})),
    )
    (found.home / "trust.json").write_bytes(dump(Trust(keys=keys)))
    found.play(night(1))
    return found


def approver(folder: Path) -> FileSigner:
    """The approver's key, made on first use."""
    place = folder / "approver.pem"
    if not place.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        place.with_suffix(".pub").write_text(FileSigner.of(key).public.pem, "ascii")
    return FileSigner.load(place)


def approvals(bundle: Path) -> list[tuple[str, str, str, list[str]]]:
    """Kind, name, key and own work of each approval that a night tells."""
    found = json.loads((bundle / "verdicts.json").read_text("utf-8"))["approvals"]
    return [(a["kind"], a["by"], a["keyid"], a["implementer"]) for a in found]


def verify(bundle: Path, *keys: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    """Verify with trust in some keys."""
    args = [item for key in keys for item in ("--key", str(key))]
    capsys.readouterr()
    code = run(["verify", str(bundle), *args, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_who_accepted_is_a_claim_until_an_approver_signs(
    nights: Nights, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next night tells by which key, and verify proves it for who trusts that one."""
    nights.accept(night(1, hours=7))
    plain = nights.play(night(2)).gated
    assert plain is not None
    assert [] == approvals(plain.bundle)
    assert "a claim of the estate file" not in (plain.bundle / "summary.md").read_text("utf-8")

    own = {"approver": approver(tmp_path), "at": night(2, hours=7)}
    accept(nights.opened, REQUEST, nights.signer, nights.trust, **own)  # type: ignore[arg-type] # keywords of it
    signed = nights.play(night(3)).gated
    assert signed is not None
    keyid = approver(tmp_path).keyid
    assert [("baseline", "Cora", keyid, [])] == approvals(signed.bundle)
    page = (signed.bundle / "report.html").read_text("utf-8")
    assert f"{keyid}</code> (Cora)" in page

    gate = nights.home / "keys/default.pub"
    code, found = verify(signed.bundle, gate, tmp_path / "approver.pub", capsys=capsys)
    said = [text for text in found["proven"] if "Cora approved version 2" in text]
    assert (0, 1) == (code, len(said))
    code, found = verify(signed.bundle, gate, capsys=capsys)
    assert (0, True) == (code, any("That Cora approved" in t for t in found["not_proven"]))


def test_told_to_be_approved_by_another(
    nights: Nights, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A night that names another approver, or another key, is refused, though it was sealed."""
    own = {"approver": approver(tmp_path), "at": night(1, hours=7)}
    accept(nights.opened, REQUEST, nights.signer, nights.trust, **own)  # type: ignore[arg-type] # keywords of it
    found = nights.play(night(2)).gated
    assert found is not None
    told = json.loads((found.bundle / "verdicts.json").read_text("utf-8"))
    keys = nights.home / "keys"
    for change in ({"by": "Mallory"}, {"keyid": "0" * 64}):
        entry = told["approvals"][0] | change
        (found.bundle / "verdicts.json").write_bytes(dumps(told | {"approvals": [entry]}))
        seal_anew(found.bundle, keys / "default.pem")
        assert 1 == verify(found.bundle, keys / "default.pub", capsys=capsys)[0]


def test_a_key_that_may_not_approve(nights: Nights) -> None:
    """It is refused when it signs, and no version is made."""
    with pytest.raises(InputError, match="not trusted to approve"):
        accept(nights.opened, REQUEST, nights.signer, nights.trust, approver=nights.signer)
    assert () == nights.store.names("baselines/")


def test_by_the_command_line(nights: Nights, tmp_path: Path) -> None:
    """--approver-key names the approver's key."""
    words = ("--by", "Cora", "--why", "reviewed", "--approver-key", str(tmp_path / "approver.pem"))
    assert 0 == run(["nightly", "accept", *nights.options(), *words])
    (name,) = nights.store.names("baselines/")
    assert 2 == len(json.loads(nights.store.read(name))["signatures"])
