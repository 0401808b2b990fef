# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders.estates import START
from tests.builders.pair import SECRETS, Pair, gating
from tests.builders.stores import Desk
from tests.evidence.small_bundle import OTHER_KEY

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.receipt import ReceiptPredicate
from wavegate.evidence.statement import read, write
from wavegate.evidence.trust import Trust, dump, everything, load
from wavegate.run import opening
from wavegate.run.receipt import receipt

pytestmark = pytest.mark.timeout(600)
EARLY = START - timedelta(hours=1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A store of two customers."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(f"{name.upper()}_SECRET", secret)
        yield Pair(tmp_path_factory.mktemp("pair") / "desk").file()


@pytest.fixture(scope="module")
def extract(desk: Desk) -> Path:
    """What zebra was handed after the gate."""
    assert 1 == run(gating(desk, desk.folder / "bundle"))
    out = desk.folder / "zebra"
    args = ["report", str(desk.folder / "bundle"), "--customer", "zebra", "--out", str(out)]
    assert 0 == run(args)
    return out


def told_of(desk: Desk, customer: str = "zebra") -> bytes:
    """The receipt that was given an hour before the opening."""
    opened = opening.open_wave(
        desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False
    )
    shelf = opening.shelf_of(opened, load(desk.folder / "home/trust.json"))
    return receipt(shelf, customer, desk.signer, EARLY).envelope


def command(desk: Desk, *more: str) -> list[str]:
    """The command line for a receipt."""
    return ["receipt", *gating(desk, Path("x"))[1:7], *gating(desk, Path("x"))[9:], *more]


def test_a_receipt_holds_what_is_theirs_alone(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grid, dues, digests of `before` and the key, as text, JSON and a signed file."""
    monkeypatch.setattr(clock, "now", lambda: EARLY)
    out = tmp_path / "r"
    assert 0 == run(command(desk, "--customer", "zebra", "--out", str(out), "--json"))
    found = json.loads(capsys.readouterr().out)
    assert ({"zebra-prod1", "zebra-dev1"}, 1, desk.signer.keyid) == (
        {cell["instance"] for cell in found["cells"]},
        len(found["before"]),
        found["keyid"],
    )
    assert "acme" not in json.dumps(found)
    assert (
        found["before"]
        == read(read_unverified(out.read_bytes()), ReceiptPredicate).predicate.to_json()["before"]
    )
    assert 0 == run(command(desk, "--customer", "zebra"))
    text = capsys.readouterr().out
    assert (True, True, False) == (
        found["before"][0]["record"] in text,
        desk.signer.keyid in text,
        "acme" in text,
    )


@pytest.mark.parametrize(
    ("more", "code", "word"),
    [
        (("--customer", "nobody"), 2, "no customer is named"),
        (("--customer", "zebra"), 2, "the window opened"),
        (("--customer", "zebra", "--store", "nowhere"), 3, "no store"),
    ],
)
def test_what_cannot_be_receipted(
    desk: Desk, more: tuple[str, ...], code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown customer, or a receipt that would come too late to prove anything."""
    capsys.readouterr()
    assert code == run(command(desk, *more, "--json"))
    assert word in json.loads(capsys.readouterr().out)["error"]["message"]


def test_nothing_captured_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a plan, or without a capture, it says which command is missing: exit 3."""
    monkeypatch.setattr(clock, "now", lambda: EARLY)
    bare = Desk(tmp_path / "desk", Pair(tmp_path).estate)
    assert 3 == run(command(bare, "--customer", "zebra", "--json"))
    assert "no signed plan" in json.loads(capsys.readouterr().out)["error"]["message"]
    bare.plan("spf")
    assert 3 == run(command(bare, "--customer", "zebra", "--json"))
    assert "nothing of zebra-prod1" in json.loads(capsys.readouterr().out)["error"]["message"]


def check(
    extract: Path, desk: Desk, data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, Any]:
    """Verify the extract with a receipt."""
    place = tmp_path / "given"
    place.write_bytes(data)
    args = ["verify", str(extract), "--key", str(desk.folder / "home/keys/default.pub"), "--json"]
    capsys.readouterr()
    code = run([*args, "--receipt", str(place)])
    return code, json.loads(capsys.readouterr().out)


def test_an_extract_keeps_what_was_receipted(
    extract: Path, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grid and captures of the receipt are those of the extract: it is said to be proven."""
    code, found = check(extract, desk, told_of(desk), tmp_path, capsys)
    assert (0, True) == (code, any("are those of the receipt" in text for text in found["proven"]))


def changed(desk: Desk, change: Callable[[ReceiptPredicate], ReceiptPredicate]) -> bytes:
    """A receipt that told something else, signed all the same."""
    told = change(read(read_unverified(told_of(desk)), ReceiptPredicate).predicate)
    return sign(write(told.subjects, told), desk.signer)


CHANGES: dict[str, tuple[Callable[[ReceiptPredicate], ReceiptPredicate], str]] = {
    "another before": (
        lambda t: replace(t, before=(replace(t.before[0], record="0" * 64),)),
        "was receipted and is not here",
    ),
    "another due": (
        lambda t: replace(t, cells=(replace(t.cells[0], due=EARLY), *t.cells[1:])),
        "was planned so and is not any more",
    ),
    "another customer": (lambda t: replace(t, customer="acme"), "it is of acme"),
    "another wave": (lambda t: replace(t, wave="2024-02-w1"), "in wave 2024-02-w1"),
    "an older plan": (lambda t: replace(t, version=7), "the plan is older than the receipt"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_what_was_replaced_after_the_receipt_is_refused(
    how: str, extract: Path, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A `before` made up later, a moved due, another's receipt: refused, and named."""
    change, word = CHANGES[how]
    code, said = check(extract, desk, changed(desk, change), tmp_path, capsys)
    assert (1, True) == (code, word in said["error"]["message"])


def test_a_receipt_from_before_its_key(
    extract: Path, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A receipt that says it was given before its key was valid is one that was made up later."""
    told = read(read_unverified(told_of(desk)), ReceiptPredicate).predicate
    later = replace(everything(OTHER_KEY.public), valid_from=EARLY + timedelta(minutes=1))
    (tmp_path / "trust.json").write_bytes(dump(Trust(keys=(everything(desk.signer.public), later))))
    (tmp_path / "given").write_bytes(sign(write(told.subjects, told), OTHER_KEY))
    args = ["verify", str(extract), "--trust", str(tmp_path / "trust.json"), "--json"]
    capsys.readouterr()
    assert 1 == run([*args, "--receipt", str(tmp_path / "given")])
    assert "was not valid at" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_receipt_that_is_none(
    extract: Path, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any other file, or one signed by somebody else, is refused."""
    for data in (b"x", b"{}", (extract / "seal.dsse.json").read_bytes()):
        assert 1 == check(extract, desk, data, tmp_path, capsys)[0]
