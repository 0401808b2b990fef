# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Rotating a key: what was signed before and after counts, whatever breaks off on the way."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders.softhsm import KEY_IN_TOKEN, PIN, make_token, needs_softhsm
from tests.builders.stores import Desk
from tests.builders.tiny_http import Say, TinyHttp
from tests.builders.tiny_tsa import Tsa
from tests.builders.worlds import World
from tests.evidence.small_bundle import AT, GOOD, KEY, make, plan
from tests.evidence.test_keys import pem

from wavegate import clock
from wavegate.canonical import loads
from wavegate.cli.entry import run
from wavegate.errors import InternalError
from wavegate.evidence.keys import make_key
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.trust import Trust, dump, everything, load
from wavegate.run import key_rotation

pytestmark = pytest.mark.timeout(600)
DAY = timedelta(days=1)
Give = Callable[..., tuple[int, Any]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose default key is the one that signs the small bundles."""
    folder = tmp_path / "home"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys/default.pem").write_bytes(pem(KEY.private))
    (folder / "keys/default.pub").write_text(KEY.public.pem)
    (folder / "trust.json").write_bytes(dump(Trust(keys=(everything(KEY.public),))))
    monkeypatch.setenv("WAVEGATE_HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def give(capsys: pytest.CaptureFixture[str]) -> Give:
    """Give a command line, and read what it says as JSON: (code, object)."""

    def given(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return given


def rotated_at(give: Give, patch: pytest.MonkeyPatch, at: datetime, *more: str) -> Any:
    """Rotate the default key at an instant."""
    with patch.context() as then:
        then.setattr(clock, "now", lambda: at)
        code, found = give("keys", "rotate", *more)
    assert 0 == code, found
    return found


def test_before_and_after(
    home: Path, give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the old key sealed before still verifies, and what it seals afterwards does not."""
    rotated_at(give, monkeypatch, AT + DAY)
    new = FileSigner.load(home / "keys/default.pem")
    bundle = make(tmp_path / "old", GOOD)
    assert 0 == give("verify", str(bundle), "--trust", str(home / "trust.json"))[0]
    early = make(tmp_path / "early", replace(GOOD, record_key=new, seal_key=new))
    code, found = give("verify", str(early), "--trust", str(home / "trust.json"))
    assert (1, True) == (code, "was not valid at" in found["error"]["message"])


def test_only_after(
    home: Path, give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the new key signs from then on verifies, and what the old one still signs does not."""
    found = rotated_at(give, monkeypatch, plan().at - DAY)
    new = FileSigner.load(home / "keys/default.pem")
    assert (KEY.keyid, new.keyid) == (found["old"], found["new"])
    bundle = make(tmp_path / "new", replace(GOOD, record_key=new, seal_key=new))
    assert 0 == give("verify", str(bundle), "--trust", str(home / "trust.json"))[0]
    code, said = give(
        "verify", str(make(tmp_path / "old", GOOD)), "--trust", str(home / "trust.json")
    )
    assert (1, True) == (code, "was not valid at" in said["error"]["message"])


def test_in_the_middle_of_a_wave(
    desk: Desk, gate: list[str], give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records by the old key, sealed and judged again with the new: GO, and the extract too."""
    home = desk.folder / "home"
    monkeypatch.setenv("WAVEGATE_HOME", str(home))
    assert 0 == give("keys", "rotate")[0]
    assert 0 == run(gate)
    bundle, trust = str(tmp_path / "bundle"), str(home / "trust.json")
    code, found = give("verify", bundle, "--trust", trust, "--rejudge")
    new = FileSigner.load(home / "keys/default.pem")
    assert (0, [new.keyid], "GO", True) == (
        code,
        found["keyids"],
        found["decision"],
        found["rejudged"],
    )
    assert any(desk.signer.keyid in text for text in found["proven"])
    customer = desk.estate.customers[0].name
    assert 0 == run(["report", bundle, "--customer", customer, "--out", str(tmp_path / "extract")])
    assert 0 == give("verify", str(tmp_path / "extract"), "--trust", trust, "--rejudge")[0]


def test_a_verifier_follows(home: Path, give: Give, tmp_path: Path) -> None:
    """Who trusts the old key follows; who does not, or holds a changed file, cannot."""
    theirs = tmp_path / "theirs.json"
    theirs.write_bytes((home / "trust.json").read_bytes())
    _, found = give("keys", "rotate")
    path = Path(found["rotation"])
    assert 0 == give("keys", "trust", "merge", str(path), "--trust", str(theirs))[0]
    assert load(theirs).keys == load(home / "trust.json").keys
    code, said = give("keys", "trust", "merge", str(path), "--trust", "nobodys.json")
    assert (1, True) == (code, "not trusted here" in said["error"]["message"])
    envelope: Any = loads(path.read_bytes())
    envelope["signatures"] = [
        entry for entry in envelope["signatures"] if entry["keyid"] == found["new"]
    ]
    (tmp_path / "forged").write_text(json.dumps(envelope))
    theirs.write_bytes(dump(Trust(keys=(everything(KEY.public),))))
    code, said = give("keys", "trust", "merge", "forged", "--trust", str(theirs))
    assert (1, "signed by 1 of 2 keys") == (code, said["error"]["message"])
    assert 1 == len(load(theirs).keys)


def test_the_old_key_is_kept_apart(home: Path, give: Give) -> None:
    """The new key has the old name; the old one lies beside it, and may not sign any more."""
    _, found = give("keys", "rotate")
    kept = Path(found["kept"])
    assert (home / f"keys/default-{KEY.keyid[:12]}.pem", KEY.keyid) == (
        kept,
        FileSigner.load(kept).keyid,
    )
    new = FileSigner.load(home / "keys/default.pem")
    assert new.public.pem == (home / "keys/default.pub").read_text()
    assert KEY.public.pem == kept.with_suffix(".pub").read_text()
    assert {"default.pem", "default.pub", kept.name, kept.with_suffix(".pub").name} == {
        path.name for path in (home / "keys").iterdir()
    }
    code, said = give("keys", "rotate", "--key", str(kept))
    assert (2, True) == (code, "is not valid now" in said["error"]["message"])


@pytest.mark.parametrize("step", ["sign_rotation", "write_new", "save_trust", "replace"])
def test_broken_off(step: str, home: Path, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it breaks off, the old key or the new one signs, and the same command ends it."""

    def breaks(*_: object, **__: object) -> None:
        raise InternalError("the machine went away")

    with monkeypatch.context() as patch:
        if step == "replace":
            patch.setattr(Path, "replace", breaks)
            patch.setattr(key_rotation, "save_trust", _saved_without_replacing)
        else:
            patch.setattr(key_rotation, step, breaks)
        assert 4 == give("keys", "rotate")[0]
    assert KEY.keyid == FileSigner.load(home / "keys/default.pem").keyid
    code, found = give("keys", "rotate")
    assert (0, found["new"]) == (code, FileSigner.load(home / "keys/default.pem").keyid)
    assert {KEY.keyid, found["new"]} == {one.key.keyid for one in load(home / "trust.json").keys}
    assert not list((home / "keys").glob("*.next.*"))


def _saved_without_replacing(path: Path, trust: Trust) -> None:
    path.write_bytes(dump(trust))


def test_new_passphrase(home: Path, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new key may lie under a passphrase, and be rotated with it again."""
    monkeypatch.setenv("ONE", "swordfish")
    monkeypatch.setenv("TWO", "halibut")
    assert 0 == give("keys", "rotate", "--new-passphrase", "env:ONE")[0]
    code, said = give("keys", "rotate")
    assert (3, True) == (code, "passphrase or PIN is needed" in said["error"]["message"])
    code, said = give("keys", "rotate", "--passphrase", "env:TWO")
    assert (2, True) == (code, "does not open the key" in said["error"]["message"])
    again = give("keys", "rotate", "--passphrase", "env:ONE", "--new-passphrase", "env:TWO")[0]
    assert 0 == again
    assert 3 == len(load(home / "trust.json").keys)
    assert FileSigner.load(home / "keys/default.pem", lambda: "halibut").keyid


def test_to_a_key_that_is_there(home: Path, give: Give, tmp_path: Path) -> None:
    """A key that was made elsewhere can take over; no file changes its place then."""
    other = make_key(tmp_path / "other.pem", None)
    code, found = give("keys", "rotate", "--to", str(tmp_path / "other.pem"))
    assert (0, other.keyid, str(tmp_path / "other.pem"), None) == (
        code,
        found["new"],
        found["private"],
        found["kept"],
    )
    assert KEY.keyid == FileSigner.load(home / "keys/default.pem").keyid


@needs_softhsm
def test_from_a_file_to_a_token(
    home: Path, give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token takes over from a file, its PIN by reference; what it seals verifies without it."""
    make_token(tmp_path / "softhsm", monkeypatch)
    monkeypatch.setenv("PIN", PIN)
    code, found = give("keys", "rotate", "--to", KEY_IN_TOKEN, "--new-passphrase", "env:PIN")
    assert (0, KEY_IN_TOKEN, None) == (code, found["private"], found["kept"])
    _, shown = give("keys", "show", KEY_IN_TOKEN)
    (row,) = shown["keys"]
    assert (found["new"], "a token (PKCS#11)", True) == (row["keyid"], row["signer"], row["valid"])
    desk = Desk(tmp_path / "desk")
    desk.plan("scope")
    desk.capture(World(phase="before").snapshot(), World(phase="after").snapshot())
    trust = tmp_path / "trust.json"
    keys = (*load(home / "trust.json").keys, everything(desk.signer.public))
    trust.write_bytes(dump(Trust(keys=keys)))
    args = ["gate", "--estate", str(desk.folder / "estate.json"), "--wave", desk.wave]
    args += ["--store", str(desk.folder / "store"), "--out", "bundle", "--trust", str(trust)]
    code, found = give(*args, "--key", KEY_IN_TOKEN, "--passphrase", "env:PIN")
    assert (0, "GO") == (code, found["decision"])
    monkeypatch.delenv("PYKCS11LIB")
    code, found = give("verify", "bundle", "--trust", str(trust))
    assert (0, [row["keyid"]]) == (code, found["keyids"])


def _lost(home: Path) -> None:
    (home / "keys/default.pem").unlink()


def _revoked(home: Path) -> None:
    key = replace(everything(KEY.public), revoked_at=clock.now() + DAY)
    (home / "trust.json").write_bytes(dump(Trust(keys=(key,))))


def _ended(home: Path) -> None:
    key = replace(everything(KEY.public), valid_until=clock.now())
    (home / "trust.json").write_bytes(dump(Trust(keys=(key,))))


def _unknown(home: Path) -> None:
    (home / "trust.json").write_bytes(b"[]\n")


def _other_rotation(home: Path) -> None:
    (home / "taken").write_bytes(b"{}")


@pytest.mark.parametrize(
    ("change", "more", "code", "says"),
    [
        (_lost, (), 3, "without the old key nothing vouches"),
        (_revoked, (), 2, "cannot vouch for another"),
        (_ended, (), 2, "is not valid now"),
        (_unknown, (), 2, "nobody could follow its rotation"),
        (None, ("nobody",), 3, "without the old key nothing vouches"),
        (None, ("--to", "home/keys/default.pem"), 2, "cannot take its own place"),
        (None, ("--key", "hsm:1"), 2, "a new key cannot be made there"),
        (None, ("--key", "awskms:1", "--to", "nowhere.pem"), None, ""),
        (_other_rotation, ("--out", "home/taken"), 1, "not a signed envelope"),
    ],
)
def test_refused(
    change: Callable[[Path], None] | None,
    more: tuple[str, ...],
    code: int | None,
    says: str,
    home: Path,
    give: Give,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a good old key nothing takes its place: one sentence, and the old key still signs."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    if change:
        change(home)
    trust = (home / "trust.json").read_bytes()
    got, found = give("keys", "rotate", *more)
    assert (3 if code is None else code) == got
    assert says in found["error"]["message"]
    assert trust == (home / "trust.json").read_bytes()
    if (home / "keys/default.pem").exists():
        assert KEY.keyid == FileSigner.load(home / "keys/default.pem").keyid


def test_stamped(home: Path, give: Give, tmp_path: Path) -> None:
    """A timestamp lets others follow although the old key was revoked since."""
    tsa = Tsa.make(tmp_path / "tsa")
    with tsa.serve() as server:
        code, found = give("keys", "rotate", "--tsa", server.url, "--tsa-root", str(tsa.root))
    assert (0, True) == (code, found["stamped"] is not None)
    revoked = replace(everything(KEY.public), revoked_at=clock.now() + DAY)
    (tmp_path / "theirs.json").write_bytes(dump(Trust(keys=(revoked,))))
    words = ("keys", "trust", "merge", found["rotation"], "--trust", "theirs.json")
    code, said = give(*words)
    assert (1, True) == (code, "no trusted timestamp shows" in said["error"]["message"])
    assert 0 == give(*words, "--tsa-root", str(tsa.root))[0]
    assert home.exists()


def test_no_timestamp_to_be_had(home: Path, give: Give, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no authority answers, the old key still signs; once one does, the rotation ends."""
    with TinyHttp(lambda _: Say(status=500)) as dead:
        code, said = give("keys", "rotate", "--tsa", dead.url)
        assert (3, True) == (code, "no authority stamped" in said["error"]["message"])
    assert KEY.keyid == FileSigner.load(home / "keys/default.pem").keyid
    assert 0 == give("keys", "rotate")[0]
    assert KEY.keyid != FileSigner.load(home / "keys/default.pem").keyid
    assert "" == capsys.readouterr().out


def test_text(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person is told what ends, what begins, where it lies and what to hand out."""
    assert 0 == run(["keys", "rotate"])
    text = capsys.readouterr().out
    new = FileSigner.load(home / "keys/default.pem")
    for word in (KEY.keyid, new.keyid, "not stamped (--tsa)", "destroy it", "keys trust merge"):
        assert word in text
