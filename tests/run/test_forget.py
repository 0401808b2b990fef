# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Deleting one customer: theirs is missed by name, and everything of the others still holds."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders.nights import Nights, agreed, dev, night
from tests.builders.pair import OTHER, SECRETS, Pair, gating
from tests.builders.stores import Desk

from wavegate.cli.entry import run
from wavegate.evidence.keys import recipients_key
from wavegate.run.forget import Request
from wavegate.run.forget import forget as bury

pytestmark = pytest.mark.timeout(600)
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "privacy.md"
FORGET = ("--by", "Ada Byron", "--why", "the contract ended")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A store of two customers, and the bundle of their wave."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(f"{name.upper()}_SECRET", secret)
        desk = Pair(tmp_path_factory.mktemp("pair") / "desk").file()
        patch.setenv("WAVEGATE_HOME", str(desk.folder / "home"))
        assert run(gating(desk, desk.folder / "bundle")) in {1, 3}
        yield desk


@pytest.fixture
def desk(original: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A copy of all of it."""
    shutil.copytree(original.folder, tmp_path / "desk")
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "desk/home"))
    return Desk(tmp_path / "desk", original.estate, original.wave)


def told(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    """The exit code and the object that a verb prints."""
    capsys.readouterr()
    code = run([*args, "--json"])
    return code, json.loads(capsys.readouterr().out)


def forget(desk: Desk, capsys: pytest.CaptureFixture[str], customer: str = "zebra") -> Any:
    """Delete a customer's records."""
    store = ("--store", str(desk.folder / "store"))
    code, found = told(capsys, "forget", *store, "--customer", customer, *FORGET)
    assert 0 == code, found
    return found


def examined(desk: Desk, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, str]]]:
    """What doctor says of the store."""
    trust = ("--trust", str(desk.folder / "home/trust.json"))
    code, found = told(capsys, "doctor", "--store", str(desk.folder / "store"), *trust)
    return code, found["store"]["diagnoses"]


def test_deleted_records_are_missed_by_name(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is named by doctor, with who deleted it and why, and the store counts as whole."""
    found = forget(desk, capsys)
    store = desk.folder / "store"
    assert found["records"]
    assert found["journals"]
    for record in found["records"]:
        assert not (store / "objects" / record[:2] / record).exists()
    code, diagnoses = examined(desk, capsys)
    assert (0, set()) == (code, {one["name"] for one in diagnoses if one["grade"] == "damaged"})
    gone = [one for one in diagnoses if "by Ada Byron: the contract ended" in one["text"]]
    assert len(gone) >= len(found["records"])
    assert {"zebra"} == {one["name"].split("/")[2].partition("-")[0] for one in gone}


def test_word_of_a_stranger_excuses_nothing(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tombstone by a key that is not trusted leaves the records damaged, as without one."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "stranger"))
    forget(desk, capsys)
    code, diagnoses = examined(desk, capsys)
    damaged = [one for one in diagnoses if one["grade"] == "damaged"]
    assert 3 == code
    assert any("is not in the store" in one["text"] for one in damaged)


def test_gate_says_what_is_missing_and_judges_the_others_as_before(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Acme's cells are what they were; zebra's are no pass, and say that records are missing."""
    old = json.loads((desk.folder / "bundle/verdicts.json").read_bytes())
    forget(desk, capsys)
    code, found = told(capsys, *gating(desk, tmp_path / "new"))
    assert code in {1, 3}
    assert old["customers"]["acme"] == found["customers"]["acme"]
    cells = {
        customer: {
            (c["instance"], c["promise"]): c["verdict"]
            for c in verdicts["cells"]
            if c["customer"] == customer
        }
        for verdicts, customer in ((found, "zebra"), (found, "acme"))
    }
    before = {(c["instance"], c["promise"]): c["verdict"] for c in old["cells"]}
    assert all(before[cell] == verdict for cell, verdict in cells["acme"].items())
    assert "INCONCLUSIVE" == cells["zebra"][OTHER, "sound_evidence"]
    assert "INCONCLUSIVE" == cells["zebra"][OTHER, "spf"]
    (sound,) = (
        c for c in found["cells"] if (c["instance"], c["promise"]) == (OTHER, "sound_evidence")
    )
    assert "not in the store" in json.dumps(sound)
    out = tmp_path / "acme"
    assert 0 == run(["report", str(tmp_path / "new"), "--customer", "acme", "--out", str(out)])
    key = str(desk.folder / "home/keys/default.pub")
    claim = ("--customer", "acme", "--secret", "env:ACME_SECRET", "--rejudge")
    assert 0 == told(capsys, "verify", str(out), "--key", key, *claim)[0]


def test_forgetting_again_deletes_nothing_more(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verb can be repeated after a crash; without anything left it files no second word."""
    first = forget(desk, capsys)
    again = forget(desk, capsys)
    assert ([], None) == (again["records"], again["tombstone"])
    record = first["records"][0]
    desk.store.put(b"x")
    (desk.folder / "store/objects" / record[:2] / record).write_bytes(b"brought back")
    second = forget(desk, capsys)
    assert ([record], "forgotten/zebra/000002.dsse.json") == (
        second["records"],
        second["tombstone"],
    )
    assert 0 == examined(desk, capsys)[0]


def test_edited_word_is_named_and_excuses_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever edits the tombstone breaks its signature: it is damaged, and so are the records."""
    name = forget(desk, capsys)["tombstone"]
    path = desk.folder / "store" / name
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data.replace(b'"sig":"', b'"sig":"A', 1))
    code, diagnoses = examined(desk, capsys)
    damaged = {one["name"] for one in diagnoses if one["grade"] == "damaged"}
    assert 3 == code
    assert name in damaged
    assert len(damaged) > 1


def test_nights_go_on_without_the_forgotten(tmp_path: Path) -> None:
    """The others are judged as before; of the forgotten a night says what it lacks."""
    nights = Nights(tmp_path, estate=agreed(dev("acme-dev1"), dev("globex-dev1")))
    nights.play(night(1))
    nights.accept(night(1, hours=1))
    request = Request(customer="globex", by="Ada Byron", why="the contract ended")
    assert 2 == len(bury(nights.store, request, nights.signer).records)
    gated = nights.play(night(2)).gated
    assert gated is not None
    verdicts = gated.verdicts
    assert {"acme-dev1": "GO", "globex-dev1": "HOLD"} == dict(verdicts.instances)
    told = {cell.promise: cell for cell in verdicts.cells if cell.instance == "globex-dev1"}
    assert "INCONCLUSIVE" == told["sound_evidence"].verdict
    assert "not in the store" in told["sound_evidence"].reason


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--customer", "acmee", *FORGET), "there are: acme, zebra"),
        (("--customer", "acme", "--by", " ", "--why", "x"), "--by is empty"),
    ],
)
def test_who_is_not_there_is_not_forgotten(
    desk: Desk, args: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing error deletes nothing, and tells which customers there are."""
    code, found = told(capsys, "forget", "--store", str(desk.folder / "store"), *args)
    assert 2 == code
    assert words in json.dumps(found)
    assert 0 == examined(desk, capsys)[0]


def commands(heading: str) -> str:
    """The shell commands under a heading of the page."""
    part = PAGE.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL))


def sh(script: str, folder: Path, **names: str) -> None:
    """Run what the page says."""
    done = subprocess.run(
        ["sh", "-eu"],  # noqa: S607 - the sh of this machine is meant
        input=script,
        env={"PATH": "/usr/bin:/bin", **names},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr), done.stderr


def test_commands_for_a_bundle(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the page says: zebra is out, acme's extract verifies, the whole is refused."""
    bundle = desk.folder / "bundle"
    sh(commands("Delete a customer from a bundle"), tmp_path, BUNDLE=str(bundle), CUSTOMER="zebra")
    assert not list(bundle.rglob(f"*{OTHER}*"))
    out = tmp_path / "acme"
    assert 0 == run(["report", str(bundle), "--customer", "acme", "--out", str(out)])
    key = str(desk.folder / "home/keys/default.pub")
    claim = ("--customer", "acme", "--secret", "env:ACME_SECRET", "--rejudge")
    code, found = told(capsys, "verify", str(out), "--key", key, *claim)
    assert (0, True) == (code, found["complete"])
    code, found = told(capsys, "verify", str(bundle), "--key", key)
    assert 1 == code
    assert "MANIFEST" in json.dumps(found) or "missing" in json.dumps(found)


def test_commands_for_the_key(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the key nobody can tell whose HMAC it was; every bundle verifies as before."""
    home = desk.folder / "home"
    old = recipients_key(home, "zebra")
    script = commands("Delete the key of a customer")
    sh(script, desk.folder, WAVEGATE_HOME=str(home), CUSTOMER="zebra")
    assert not (home / "keys/recipients-zebra.key").exists()
    key = str(home / "keys/default.pub")
    assert 0 == told(capsys, "verify", str(desk.folder / "bundle"), "--key", key)[0]
    assert old != recipients_key(home, "zebra")
