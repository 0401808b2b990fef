# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.builders.judged_here import use
from tests.builders.pair import OTHER, SECRETS, Pair, both, gating
from tests.builders.resealed import seal_anew
from tests.builders.stores import Desk

from wavegate.canonical import dumps
from wavegate.cli.entry import run
from wavegate.estate.load import dump as dump_estate
from wavegate.estate.model import Estate, Limit, Waiver
from wavegate.evidence.approvals import ApprovalPredicate
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.statement import read, write
from wavegate.evidence.trust import Role, Trust, TrustedKey, dump, everything

pytestmark = pytest.mark.timeout(600)
Edit = Callable[[Path], object]
LATER = datetime(2030, 1, 1, tzinfo=UTC)
LIMIT = Limit(
    promise="availability_after",
    instances=("acme-prod1", OTHER),
    reason="node stops are forbidden",
    approved_by="C. Approver",
)


def agreed(limit: Limit = LIMIT) -> Estate:
    """The estate of two customers with a limit for both, and a waiver of each."""
    waivers = (
        Waiver(promise="spf", instance=OTHER, reason="asked", approved_by="boss", until=LATER),
        Waiver(promise="dkim", instance="acme-prod1", reason="old", approved_by="C", until=LATER),
    )
    return both(limits=(limit,), waivers=waivers)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A store of the two, and an approver's key that the trust file lists."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(f"{name.upper()}_SECRET", secret)
        folder = tmp_path_factory.mktemp("pair")
        desk = Pair(folder / "desk", agreed()).file()
        approver = new_key(desk.folder / "approver.pem")
        keys = (everything(desk.signer.public), _may(approver, Role.APPROVE))
        (desk.folder / "home/trust.json").write_bytes(dump(Trust(keys=keys)))
        yield desk


def new_key(place: Path) -> FileSigner:
    """A private key in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return FileSigner.of(key)


def _may(key: FileSigner, role: Role) -> TrustedKey:
    return TrustedKey(key=key.public, roles=frozenset({role}))


@pytest.fixture
def desk(sound: Desk, tmp_path: Path) -> Desk:
    """A copy of it to approve in."""
    shutil.copytree(sound.folder, tmp_path / "desk")
    return Desk(tmp_path / "desk", sound.estate)


def approving(desk: Desk, *more: str, key: str = "approver.pem") -> list[str]:
    """The command line that approves."""
    args = gating(desk, Path("unused"))
    return ["approve", *args[1:7], *args[11:], "--key", str(desk.folder / key), *more]


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def rows(found: Any) -> dict[tuple[str, str, str], list[str]]:
    """Who signed each waiver and limit."""
    return {
        (row["kind"], row["promise"], row["instance"]): [a["by"] for a in row["approvals"]]
        for row in found["rows"]
    }


def test_without_a_selection_it_only_lists(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody signs by accident: all are named, as claims, and nothing is filed."""
    assert 0 == run(approving(desk, "--json"))
    assert {
        ("limit", "availability_after", "acme-prod1"): [],
        ("limit", "availability_after", OTHER): [],
        ("waiver", "spf", OTHER): [],
        ("waiver", "dkim", "acme-prod1"): [],
    } == rows(told(capsys))
    assert 0 == run(approving(desk))
    said = capsys.readouterr().out
    assert (4, True) == (said.count("a claim of the estate file"), "nothing was signed" in said)
    assert () == desk.store.names("approvals/")


def test_what_is_selected_is_signed_once(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """By promise, instance or all; what the same key signed already is left as it is."""
    assert 0 == run(approving(desk, "--instance", OTHER, "--by", "Cora", "--json"))
    found = rows(told(capsys))
    assert {OTHER} == {instance for (_, _, instance), by in found.items() if by == ["Cora"]}
    assert 0 == run(approving(desk, "--all", "--by", "Cora", "--json"))
    found = told(capsys)
    assert 2 == sum(row["signed_now"] for row in found["rows"])
    assert {("Cora",)} == {tuple(by) for by in rows(found).values()}
    assert 4 == len(desk.store.names("approvals/"))


REFUSED: dict[str, tuple[tuple[str, ...], str, int, str]] = {
    "nobody": (("--all",), "approver.pem", 2, "empty"),
    "nothing fits": (("--promise", "ptr", "--by", "C"), "approver.pem", 2, "no waiver or limit"),
    "by another customer": (("--all", "--by", "zebra"), "approver.pem", 2, "names zebra"),
    "a recorder's key": (("--all", "--by", "C"), "recorder.pem", 2, "not trusted to approve"),
    "unknown wave": (("--all", "--by", "C", "--wave", "w9"), "approver.pem", 2, "unknown wave"),
    "no store": (("--all", "--by", "C", "--store", "nowhere"), "approver.pem", 3, "no store"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_approved(how: str, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with one clear sentence and a cure; nothing is filed."""
    more, key, code, word = REFUSED[how]
    recorder = new_key(desk.folder / "recorder.pem")
    approver = FileSigner.load(desk.folder / "approver.pem")
    keys = (
        everything(desk.signer.public),
        _may(approver, Role.APPROVE),
        _may(recorder, Role.RECORD),
    )
    (desk.folder / "home/trust.json").write_bytes(dump(Trust(keys=keys)))
    assert code == run(approving(desk, *more, "--json", key=key))
    error = told(capsys)["error"]
    assert (True, True) == (word in error["message"], bool(error["cure"]))
    assert () == desk.store.names("approvals/")


@pytest.fixture(scope="module")
def approved(sound: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle and both extracts.

    The limit was signed for both customers, zebra's waiver too; acme's by the key that did the work
    and then its wording was changed.
    """
    folder = tmp_path_factory.mktemp("approved")
    shutil.copytree(sound.folder, folder / "desk")
    desk = Desk(folder / "desk", sound.estate)
    assert 0 == run(approving(desk, "--promise", "availability_after", "--by", "Cora"))
    assert 0 == run(approving(desk, "--promise", "spf", "--by", "Cora"))
    own = "home/keys/default.pem"
    assert 0 == run(approving(desk, "--promise", "dkim", "--by", "Eve", key=own))
    waivers = tuple(
        w if w.promise == "spf" else w.model_copy(update={"reason": "reworded"})
        for w in desk.estate.waivers
    )
    changed = desk.estate.model_copy(update={"waivers": waivers})
    (desk.folder / "estate.json").write_bytes(dump_estate(changed))
    with pytest.MonkeyPatch.context() as patch:
        use(patch)
        assert 1 == run(gating(desk, folder / "bundle"))
    for name in SECRETS:
        out = str(folder / name)
        assert 0 == run(["report", str(folder / "bundle"), "--customer", name, "--out", out])
    return folder


def verdicts(place: Path) -> Any:
    """The verdicts in a bundle or an extract."""
    return json.loads((place / "verdicts.json").read_text("utf-8"))


def lines(place: Path) -> set[tuple[str, str, str, bool, tuple[str, ...]]]:
    """Promise, instance, name, whether it stands, and whose own work it is."""
    return {
        (a["promise"], a["instance"], a["by"], a["stands"], tuple(a["implementer"]))
        for a in verdicts(place)["approvals"]
    }


ACME = {
    ("availability_after", "acme-prod1", "Cora", True, ()),
    ("dkim", "acme-prod1", "Eve", False, ("key",)),
}
ZEBRA = {
    ("availability_after", OTHER, "Cora", True, ()),
    ("spf", OTHER, "Cora", True, ()),
}


def test_the_gate_tells_signatures_from_claims(approved: Path) -> None:
    """Signed, worded otherwise since, by who did the work; and to each customer their own."""
    assert ACME | ZEBRA == lines(approved / "bundle")
    assert (ACME, ZEBRA) == (lines(approved / "acme"), lines(approved / "zebra"))
    page = (approved / "bundle/report.html").read_text("utf-8")
    assert "(Cora), <time" in page
    assert "Eve signed another wording of it" in page


def verify(place: Path, *keys: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    """Verify with trust in some keys."""
    args = [item for key in keys for item in ("--key", str(key))]
    capsys.readouterr()
    code = run(["verify", str(place), *args, "--json"])
    return code, told(capsys)


@pytest.mark.parametrize(("place", "signed"), [("bundle", 4), ("acme", 2), ("zebra", 2)])
def test_verify_checks_who_approved(
    approved: Path,
    place: str,
    signed: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By an approver whom the verifier trusts it is proven; by anybody else it is not."""
    gate, public = approved / "desk/home/keys/default.pub", tmp_path / "approver.pub"
    approver = FileSigner.load(approved / "desk/approver.pem")
    public.write_text(approver.public.pem, "ascii")
    code, found = verify(approved / place, gate, public, capsys=capsys)
    proven = [text for text in found["proven"] if " approved the " in text]
    assert (0, signed) == (code, len(proven))
    claims = [text for text in found["not_proven"] if "a claim of the estate file" in text]
    assert (0 if place == "zebra" else 1) == len(claims)
    code, found = verify(approved / place, gate, capsys=capsys)
    doubted = [text for text in found["not_proven"] if "That Cora approved" in text]
    assert (0, True) == (code, bool(doubted))


def _place(bundle: Path) -> Path:
    """The approval of zebra's waiver."""
    entry = next(a for a in verdicts(bundle)["approvals"] if a["promise"] == "spf")
    name = f"{entry['content']}/{entry['keyid']}.dsse.json"
    return bundle / "records/approvals/2024-01-w1" / name


def signed_otherwise(change: Callable[[ApprovalPredicate], ApprovalPredicate]) -> Edit:
    """Sign another approval in the place of one, with the approver's own key."""

    def edit(bundle: Path) -> None:
        place = _place(bundle)
        statement = read(read_unverified(place.read_bytes()), ApprovalPredicate)
        place.chmod(0o644)
        signer = FileSigner.load(bundle.parent / "approver.pem")
        place.write_bytes(sign(write(statement.subjects, change(statement.predicate)), signer))

    return edit


def told_otherwise(**values: object) -> Edit:
    """Tell something else in the verdicts than was signed."""

    def edit(bundle: Path) -> None:
        found = verdicts(bundle)
        for entry in found["approvals"]:
            entry.update(values if entry["promise"] in {"spf", "dkim"} else {})
        (bundle / "verdicts.json").write_bytes(dumps(found))

    return edit


def not_told(bundle: Path) -> None:
    """Leave all out of the verdicts."""
    (bundle / "verdicts.json").write_bytes(dumps(verdicts(bundle) | {"approvals": []}))


FORGED: dict[str, tuple[Edit, str]] = {
    "by somebody else": (
        signed_otherwise(lambda t: replace(t, by="Eve")),
        "do not tell of this approval",
    ),
    "of other words": (
        signed_otherwise(lambda t: replace(t, approved=replace(t.approved, reason="x"))),
        "not about what it says",
    ),
    "of another wave": (signed_otherwise(lambda t: replace(t, wave="w2")), "another's place"),
    "removed": (lambda bundle: _place(bundle).unlink(), "approved what is not here"),
    "not told": (not_told, "do not tell of this approval"),
    "told to be by another": (told_otherwise(by="Mallory"), "tell it otherwise"),
    "told to stand": (told_otherwise(stands=True), "still words it so"),
}


@pytest.mark.parametrize("how", FORGED)
def test_an_approval_that_is_not_what_was_signed_is_refused(
    how: str, approved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where whoever holds the key of the seal seals the change."""
    edit, word = FORGED[how]
    shutil.copytree(approved / "bundle", tmp_path / "bundle")
    shutil.copy(approved / "desk/approver.pem", tmp_path)
    edit(tmp_path / "bundle")
    seal_anew(tmp_path / "bundle", approved / "desk/home/keys/default.pem")
    key = approved / "desk/home/keys/default.pub"
    code, found = verify(tmp_path / "bundle", key, capsys=capsys)
    assert (1, True) == (code, word in found["error"]["message"]), found


def test_approvals_are_no_evidence(
    approved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Judging again, and each extract by itself, gives the same verdicts."""
    use(monkeypatch)
    key = str(approved / "desk/home/keys/default.pub")
    for place in ("bundle", "zebra"):
        capsys.readouterr()
        assert 0 == run(["verify", str(approved / place), "--key", key, "--rejudge", "--json"])
        assert told(capsys)["rejudged"]
