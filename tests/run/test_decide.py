# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.builders.judged_here import use
from tests.builders.pair import DEV, OTHER, SECRETS, Pair, gating
from tests.builders.resealed import seal_anew
from tests.builders.stores import Desk

from wavegate.canonical import digest, dumps
from wavegate.cli.entry import run
from wavegate.evidence.decisions import DecisionPredicate
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.statement import read, write
from wavegate.evidence.trust import Role, Trust, TrustedKey, dump, everything

pytestmark = pytest.mark.timeout(600)
Edit = Callable[[Path], object]
WORDS = ("--by", "Ada Byron", "--why", "CHG-77 repairs it")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A store of two customers, planned and recorded."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(f"{name.upper()}_SECRET", secret)
        yield Pair(tmp_path_factory.mktemp("pair") / "desk").file()


@pytest.fixture
def desk(sound: Desk, tmp_path: Path) -> Desk:
    """A copy of it to decide in."""
    shutil.copytree(sound.folder, tmp_path / "desk")
    return Desk(tmp_path / "desk", sound.estate)


def deciding(
    desk: Desk, *more: str, course: str = "keep", words: tuple[str, ...] = WORDS
) -> list[str]:
    """The command line that decides."""
    args = gating(desk, Path("unused"))
    return ["decide", course, *args[1:7], *args[9:], *words, *more]


def new_key(place: Path) -> FileSigner:
    """A private key in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return FileSigner.of(key)


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def test_deciding_twice_keeps_both_in_their_order(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second names the first; nothing that was decided is ever replaced."""
    assert 0 == run(deciding(desk, "--json"))
    first = told(capsys)
    assert 0 == run(deciding(desk, "--json", course="roll-back"))
    second = told(capsys)

    assert ("keep", 1, None) == (first["decision"], first["sequence"], first["previous"])
    assert ("roll-back", 2, first["digest"]) == (
        second["decision"],
        second["sequence"],
        second["previous"],
    )
    names = [f"decisions/{desk.wave}/00000{n}.dsse.json" for n in (1, 2)]
    assert names == [first["place"], second["place"]] == list(desk.store.names("decisions/"))


def test_a_person_reads_what_was_filed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """What, about what, by whom, why, by which key, and that the gate decides by itself."""
    assert 0 == run(deciding(desk, "--instance", OTHER, course="extend"))
    said = capsys.readouterr().out
    for part in (
        "extend",
        OTHER,
        "Ada Byron",
        "CHG-77 repairs it",
        desk.signer.keyid,
        "not changed",
    ):
        assert part in said


REFUSED: dict[str, tuple[tuple[str, ...], tuple[str, ...], int, str]] = {
    "unknown wave": (("--wave", "2024-01-w9"), WORDS, 2, "unknown wave"),
    "unknown instance": (("--instance", "acme-prod9"), WORDS, 2, "not in wave"),
    "of another wave": (("--instance", "acme-dev1"), WORDS, 2, "not in wave"),
    "by nobody": ((), ("--by", " ", "--why", "x"), 2, "empty"),
    "for no reason": ((), ("--by", "Ada", "--why", ""), 2, "empty"),
    "an endless reason": ((), ("--by", "Ada", "--why", "x" * 5000), 2, "not a text to sign"),
    "no store": (("--store", "nowhere"), WORDS, 3, "no store"),
    "names a customer": ((), ("--by", "Ada", "--why", "zebra is broken"), 2, "names zebra"),
    "names another's": (
        ("--instance", "acme-prod1"),
        ("--by", "Ada", "--why", f"{OTHER} failed"),
        2,
        f"names {OTHER}",
    ),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_decided(how: str, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with one clear sentence and a cure; nothing is filed."""
    more, words, code, word = REFUSED[how]
    assert code == run(deciding(desk, *more, "--json", words=words))
    error = told(capsys)["error"]
    assert word in error["message"]
    assert error["cure"]
    assert () == desk.store.names("decisions/")


def test_there_is_nothing_to_decide_without_a_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store without a signed plan: exit 3, with the command that makes one."""
    bare = Desk(tmp_path / "desk", Pair(tmp_path).estate)
    assert 3 == run(deciding(bare, "--json"))
    error = told(capsys)["error"]
    assert ("no signed plan" in error["message"], "wavegate plan" in error["cure"]) == (True, True)


def test_a_key_that_may_neither_approve_nor_record_decides_nothing(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key for seals alone is refused when it decides, not silently left out by the gate."""
    key = new_key(tmp_path / "seal.pem")
    trust = tmp_path / "trust.json"
    seals = TrustedKey(key=key.public, roles=frozenset({Role.SEAL}))
    trust.write_bytes(dump(Trust(keys=(everything(desk.signer.public), seals))))
    more = ("--key", str(tmp_path / "seal.pem"), "--trust", str(trust), "--json")
    assert 2 == run(deciding(desk, *more))
    assert "neither to approve nor to record" in told(capsys)["error"]["message"]


@pytest.fixture(scope="module")
def decided(sound: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gated bundle in which four decisions stand, and both extracts.

    About the wave, and about zebra, by an approver's key; about acme by the key that did the work;
    and one by a key that nobody trusts.
    """
    folder = tmp_path_factory.mktemp("decided")
    shutil.copytree(sound.folder, folder / "desk")
    desk = Desk(folder / "desk", sound.estate)
    approver = new_key(folder / "approver.pem")
    keys = (everything(desk.signer.public), _approves(approver))
    (desk.folder / "home/trust.json").write_bytes(dump(Trust(keys=keys)))
    by_approver = ("--key", str(folder / "approver.pem"))
    assert 0 == run(deciding(desk, *by_approver))
    assert 0 == run(deciding(desk, "--instance", OTHER, *by_approver, course="roll-back"))
    assert 0 == run(deciding(desk, "--instance", "acme-prod1"))
    _forge(desk, new_key(folder / "foreign.pem"))
    with pytest.MonkeyPatch.context() as patch:
        use(patch)
        assert 1 == run(gating(desk, folder / "bundle"))
    for name in SECRETS:
        out = str(folder / name)
        assert 0 == run(["report", str(folder / "bundle"), "--customer", name, "--out", out])
    return folder


def _approves(key: FileSigner) -> TrustedKey:
    return TrustedKey(key=key.public, roles=frozenset({Role.APPROVE}))


def _forge(desk: Desk, signer: FileSigner) -> None:
    """File the next decision about the wave, signed by a stranger."""
    first = read_unverified(desk.store.read(f"decisions/{desk.wave}/000001.dsse.json"))
    told = read(first, DecisionPredicate)
    forged = replace(told.predicate, sequence=2, previous=digest(first), course="roll-back")
    desk.store.create(forged.place, sign(write(told.subjects, forged), signer))


def verdicts(place: Path) -> Any:
    """The verdicts in a bundle or an extract."""
    return json.loads((place / "verdicts.json").read_text("utf-8"))


def lines(place: Path) -> list[tuple[str, str | None, str, list[str]]]:
    """Course, instance, role and own work of each decision that is told."""
    return [
        (d["decision"], d["instance"], d["signed_as"], d["implementer"])
        for d in verdicts(place)["decisions"]
    ]


def test_the_gate_shows_them_beside_its_own_decision(decided: Path) -> None:
    """NO-GO stays NO-GO; who approved their own work is told; a stranger's word does not count."""
    assert [
        ("keep", None, "approve", []),
        ("roll-back", OTHER, "approve", []),
        ("keep", "acme-prod1", "approve", ["key"]),
    ] == lines(decided / "bundle")
    assert "NO-GO" == verdicts(decided / "bundle")["decision"]
    page = (decided / "bundle/report.html").read_text("utf-8")
    assert page.count("Ada Byron, <time") >= 3


def test_a_customer_gets_the_waves_and_their_own(decided: Path) -> None:
    """What was decided about another customer's instance stands in theirs alone."""
    assert [None, OTHER] == [instance for _, instance, _, _ in lines(decided / "zebra")]
    assert [None, "acme-prod1"] == [instance for _, instance, _, _ in lines(decided / "acme")]


def verify(place: Path, *keys: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    """Verify with trust in some keys."""
    args = [item for key in keys for item in ("--key", str(key))]
    capsys.readouterr()
    code = run(["verify", str(place), *args, "--json"])
    return code, told(capsys)


def public(place: Path, private: Path) -> Path:
    """The public key of a private one, in a file."""
    place.write_text(FileSigner.load(private).public.pem, "ascii")
    return place


@pytest.mark.parametrize("place", ["bundle", "acme", "zebra"])
def test_verify_checks_who_decided(
    decided: Path, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a trusted approver it is proven; by a key that the verifier does not know it is not."""
    gate, approver = decided / "desk/home/keys/default.pub", decided / "approver.pem"
    both = (gate, public(tmp_path / "a.pub", approver))
    code, found = verify(decided / place, *both, capsys=capsys)
    proven = [text for text in found["proven"] if "decided" in text]
    assert (0, 3 if place == "bundle" else 2) == (code, len(proven))
    code, found = verify(decided / place, gate, capsys=capsys)
    doubted = [text for text in found["not_proven"] if "no trusted key" in text]
    assert (0, True) == (code, any("keep about wave" in text for text in doubted))


def test_a_bundle_with_decisions_is_judged_again_alike(
    decided: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What people decided is no evidence: the suites say the same with and without it."""
    use(monkeypatch)
    key = decided / "desk/home/keys/default.pub"
    assert 0 == run(["verify", str(decided / "bundle"), "--key", str(key), "--rejudge", "--json"])
    assert told(capsys)["rejudged"]


PLACE = f"records/decisions/2024-01-w1/{OTHER}/000001.dsse.json"


def signed_otherwise(change: Callable[[DecisionPredicate], DecisionPredicate]) -> Edit:
    """Sign another decision in the place of one, with the approver's own key."""

    def edit(bundle: Path) -> None:
        place = bundle / PLACE
        statement = read(read_unverified(place.read_bytes()), DecisionPredicate)
        signer = FileSigner.load(bundle.parent / "approver.pem")
        place.chmod(0o644)
        changed = change(statement.predicate)
        place.write_bytes(sign(write(statement.subjects, changed), signer))

    return edit


def told_otherwise(**values: object) -> Edit:
    """Tell something else in the verdicts than was signed."""

    def edit(bundle: Path) -> None:
        told = verdicts(bundle)
        told["decisions"][1] |= values
        (bundle / "verdicts.json").write_bytes(dumps(told))

    return edit


def not_told(bundle: Path) -> None:
    """Leave one out of the verdicts."""
    told = verdicts(bundle)
    del told["decisions"][1]
    (bundle / "verdicts.json").write_bytes(dumps(told))


FORGED: dict[str, tuple[Edit, str]] = {
    "another course": (
        signed_otherwise(lambda t: replace(t, course="extend")),
        "do not tell of this decision",
    ),
    "another wave": (signed_otherwise(lambda t: replace(t, wave=DEV)), "it is signed as"),
    "another number": (signed_otherwise(lambda t: replace(t, sequence=4)), "it is signed as"),
    "removed": (lambda bundle: (bundle / PLACE).unlink(), "which is not here"),
    "not told": (not_told, "do not tell of this decision"),
    "by somebody else": (told_otherwise(by="Eve"), "tell it otherwise"),
    "by another key": (told_otherwise(keyid="0" * 64), "it was not signed by key"),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_decision_that_is_not_what_was_signed_is_refused(
    how: str, decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where whoever holds the key of the seal seals the change."""
    edit, word = FORGED[how]
    shutil.copytree(decided / "bundle", tmp_path / "bundle")
    shutil.copy(decided / "approver.pem", tmp_path)
    edit(tmp_path / "bundle")
    seal_anew(tmp_path / "bundle", decided / "desk/home/keys/default.pem")
    key = decided / "desk/home/keys/default.pub"
    code, found = verify(tmp_path / "bundle", key, capsys=capsys)
    assert (1, True) == (code, word in found["error"]["message"]), found


def test_a_changed_byte_of_a_decision_shows_to_stock_tools(decided: Path, tmp_path: Path) -> None:
    """verify.sh sees it through MANIFEST, as every file."""
    shutil.copytree(decided / "bundle", tmp_path / "bundle")
    key = str(decided / "desk/home/keys/default.pub")
    command = ["sh", "verify.sh", key]
    assert 0 == subprocess.run(command, cwd=tmp_path / "bundle", check=False).returncode
    place = tmp_path / "bundle" / PLACE
    place.chmod(0o644)
    place.write_bytes(place.read_bytes() + b" ")
    assert 1 == subprocess.run(command, cwd=tmp_path / "bundle", check=False).returncode
