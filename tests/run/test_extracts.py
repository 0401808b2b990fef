# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64
import io
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.builders.estates import START, wave
from tests.builders.pair import DEV, OTHER, SECRETS, Pair, both, gating
from tests.builders.stores import Desk

from wavegate.cli.entry import run
from wavegate.run import gate, opening
from wavegate.run.suites import find_suites

pytestmark = pytest.mark.timeout(600)
Edit = Callable[[Path], object]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A store of two customers."""
    with pytest.MonkeyPatch.context() as patch:
        for name, secret in SECRETS.items():
            patch.setenv(f"{name.upper()}_SECRET", secret)
        yield Pair(tmp_path_factory.mktemp("pair") / "desk").file()


@pytest.fixture(scope="module")
def bundle(desk: Desk) -> Path:
    """The gated wave of both: acme would be GO, zebra is not."""
    out = desk.folder / "bundle"
    gate_earlier(desk)
    assert 1 == run(gating(desk, out))
    return out


def gate_earlier(desk: Desk) -> None:
    """Gate the wave of the development instances, in time before the opening of the other."""
    place, home = desk.folder / "estate.json", desk.folder / "home"
    opened = opening.open_wave(place, DEV, desk.folder / "store", create=False)
    request = gate.Request(suites=find_suites(), out=desk.folder / "earlier")
    trust = opening.trust_for(home / "trust.json", desk.signer)
    at = START - timedelta(days=20)
    assert "GO" == gate.gate(opened, request, desk.signer, trust, print, at=at).verdicts.decision


@pytest.fixture(scope="module")
def extracts(bundle: Path, desk: Desk) -> dict[str, Path]:
    """What each customer is handed."""
    found = {name: desk.folder / f"extract-{name}" for name in SECRETS}
    for name, out in found.items():
        assert 0 == run(["report", str(bundle), "--customer", name, "--out", str(out)])
    return found


def key_of(desk: Desk) -> str:
    """The public key of the desk."""
    return str(desk.folder / "home/keys/default.pub")


def checked(
    place: Path, desk: Desk, *more: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, Any]:
    """The exit code and the object of `verify --json`."""
    capsys.readouterr()
    code = run(["verify", str(place), "--key", key_of(desk), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def layers(data: bytes, depth: int = 4) -> Iterator[bytes]:
    """Some bytes, and all that is packed in them: base64, deflated streams, parquet columns."""
    yield data
    if data.startswith(b"PAR1"):
        yield repr(pl.read_parquet(io.BytesIO(data)).to_dicts()).encode()
        yield repr(pl.read_parquet_metadata(io.BytesIO(data))).encode()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            yield zlib.decompress(stream)
        except zlib.error:
            continue
    if depth:
        for text in re.findall(rb"[A-Za-z0-9+/]{12,}={0,2}", data):
            if len(text) % 4 == 0:
                yield from layers(base64.b64decode(text), depth - 1)


@pytest.mark.parametrize(("mine", "other"), [("acme", b"zebra"), ("zebra", b"acme")])
def test_no_byte_is_another_customers(extracts: dict[str, Path], mine: str, other: bytes) -> None:
    """The other's name is in no byte of an extract: names, records, packed or compressed."""
    met = {}
    for path in sorted(extracts[mine].rglob("*")):
        if path.is_file():
            found = [layer for layer in layers(path.read_bytes()) if other in layer.lower()]
            if found or other in str(path.relative_to(extracts[mine])).encode():
                place = found[0].lower().find(other) if found else 0
                met[str(path)] = found[0][max(0, place - 80) : place + 80] if found else b"name"
    assert {} == met


def test_the_canary_sings(extracts: dict[str, Path]) -> None:
    """What looks for the other's name finds it where it belongs, in every kind of record."""
    own = extracts["zebra"]
    for place in ("verdicts.json", "estate.json", "report.html", "summary.md", "junit.xml"):
        assert b"zebra" in (own / place).read_bytes().lower()
    objects = [path.read_bytes() for path in (own / "records/objects").rglob("*") if path.is_file()]
    assert all(any(b"zebra" in layer.lower() for layer in layers(data)) for data in objects)
    assert any(data.startswith(b"PAR1") for data in objects)


def test_neither_seal_nor_run_names_anybody(bundle: Path) -> None:
    """Both are in every extract (design, Bundle)."""
    told = (bundle / "RUN").read_bytes() + b"".join(
        layers((bundle / "seal.dsse.json").read_bytes())
    )
    assert (False, False) == (b"acme" in told, b"zebra" in told)


@pytest.mark.parametrize("mine", SECRETS)
def test_a_customer_verifies_what_they_hold(
    extracts: dict[str, Path], desk: Desk, mine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With key, name and secret alone: authentic, theirs, whole; and judging again agrees."""
    claim = ("--customer", mine, "--secret", f"env:{mine.upper()}_SECRET", "--rejudge")
    code, found = checked(extracts[mine], desk, *claim, capsys=capsys)
    assert (0, True, "extract", mine, True, True) == (
        code,
        found["valid"],
        found["kind"],
        found["customer"],
        found["complete"],
        found["rejudged"],
    )


def test_decisions_are_those_of_the_whole_run(bundle: Path, extracts: dict[str, Path]) -> None:
    """An extract's decision is the one that the run has for its customer, and acme's is GO."""
    whole = json.loads((bundle / "verdicts.json").read_text("utf-8"))
    parts = {n: json.loads((p / "verdicts.json").read_text("utf-8")) for n, p in extracts.items()}
    assert whole["customers"] == {name: part["decision"] for name, part in parts.items()}
    assert {"acme": "GO", "zebra": "NO-GO"} == whole["customers"]
    names = {name: {cell["instance"] for cell in part["cells"]} for name, part in parts.items()}
    assert {"acme": {"acme-prod1", "acme-dev1"}, "zebra": {OTHER, "zebra-dev1"}} == names


def test_an_earlier_gate_comes_along_in_part(extracts: dict[str, Path]) -> None:
    """`schedule` rests on the customer's part of the earlier wave, vouched for by its own seal."""
    gates = extracts["acme"] / "records/gates" / DEV
    (place,) = gates.iterdir()
    names = {path.name for path in place.iterdir()}
    assert {"seal.dsse.json", "RUN", "MANIFEST", "verdicts.json"} == names
    found = json.loads((extracts["acme"] / "verdicts.json").read_text("utf-8"))
    cells = {(c["instance"], c["promise"]): c["verdict"] for c in found["cells"]}
    assert "PASSED" == cells["acme-prod1", "schedule"]


def test_without_the_secret_completeness_is_not_shown(
    extracts: dict[str, Path], desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is authentic, and says in words what is not proven."""
    code, found = checked(extracts["acme"], desk, capsys=capsys)
    assert (0, None) == (code, found["complete"])
    assert any("completeness is not provable" in text for text in found["not_proven"])


@pytest.mark.parametrize(
    ("claim", "code", "word"),
    [
        (("--customer", "zebra"), 1, "extract of acme, not of zebra"),
        (("--secret", "env:ZEBRA_SECRET"), 1, "does not list this extract"),
        (("--secret", "env:NO_SUCH_SECRET"), 3, "no such variable"),
        (("--secret", "plain"), 3, "not a reference"),
        (("--receipt", "nowhere"), 2, "receipt cannot be read"),
        (("--expect-run", "other"), 1, "expected 'other'"),
    ],
)
def test_a_wrong_claim_is_one_clear_sentence(
    extracts: dict[str, Path],
    desk: Desk,
    claim: tuple[str, str],
    code: int,
    word: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another's name, another's secret, none: refused, or told to be missing; never valid."""
    found, said = checked(extracts["acme"], desk, *claim, capsys=capsys)
    assert (code, True) == (found, word in said["error"]["message"])


def test_a_bundle_is_no_extract(
    bundle: Path, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole bundle verifies as one, and is refused as one customer's; so is a bare folder."""
    code, found = checked(bundle, desk, capsys=capsys)
    assert (0, "bundle") == (code, found["kind"])
    assert any("2 customers has an extract" in text for text in found["proven"])
    code, said = checked(bundle, desk, "--customer", "acme", capsys=capsys)
    assert (2, True) == (code, "a whole bundle" in said["error"]["message"])
    code, said = checked(bundle / "customers/acme", desk, capsys=capsys)
    assert (1, True) == (code, "as it lies in a bundle" in said["error"]["message"])


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("{bundle}", "--customer", "nobody"), 2, "no extract of 'nobody'"),
        (("{extract}", "--customer", "acme"), 2, "an extract already"),
        (("{store}", "--customer", "acme"), 2, "no bundle"),
        (("{folder}/nowhere", "--customer", "acme"), 2, "no such bundle"),
    ],
)
def test_what_cannot_be_handed_out(
    arguments: tuple[str, ...],
    code: int,
    word: str,
    bundle: Path,
    extracts: dict[str, Path],
    desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each mistake is one sentence with its code, and leaves nothing behind."""
    places = {
        "bundle": bundle,
        "extract": extracts["acme"],
        "store": desk.folder / "store",
        "folder": desk.folder,
    }
    args = [argument.format(**places) for argument in arguments]
    capsys.readouterr()
    assert code == run(["report", *args, "--out", str(tmp_path / "out"), "--json"])
    assert word in json.loads(capsys.readouterr().out)["error"]["message"]
    assert [] == list(tmp_path.iterdir())


def test_a_name_in_our_own_words_is_not_handed_out(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An estate whose text of acme names zebra: acme's extract is refused, with the file."""
    text = (desk.folder / "estate.json").read_text("utf-8")
    changed = text.replace('"reference":"mail-4711"', '"reference":"as for zebra"', 1)
    assert changed != text
    (tmp_path / "estate.json").write_text(changed, "utf-8")
    args = gating(desk, tmp_path / "bundle")
    args[args.index("--estate") + 1] = str(tmp_path / "estate.json")
    assert 1 == run(args)
    out = tmp_path / "out"
    capsys.readouterr()
    code = run(
        ["report", str(tmp_path / "bundle"), "--customer", "acme", "--out", str(out), "--json"]
    )
    said = json.loads(capsys.readouterr().out)["error"]
    assert (1, "estate.json", False) == (code, said["where"], out.exists())
    assert "names another customer: zebra" in said["message"]


def unlisted(folder: Path, name: str) -> None:
    """Take a file or folder away, and its lines out of MANIFEST."""
    gone = folder / name
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    lines = (folder / "MANIFEST").read_text().splitlines(keepends=True)
    (folder / "MANIFEST").write_text("".join(line for line in lines if name not in line))


def rewritten(name: str, change: Callable[[bytes], bytes]) -> Edit:
    """Change the bytes of a file."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def first(folder: Path, pattern: str) -> Path:
    """The first file of a pattern."""
    return next(path for path in sorted(folder.glob(pattern)) if path.is_file())


SPOILT: dict[str, Edit] = {
    "object": lambda folder: first(folder, "records/objects/*/*").unlink(),
    "statement": lambda folder: first(folder, "records/signed/*/*/*").unlink(),
    "statements and their lines": lambda folder: unlisted(folder, "records/signed"),
    "added": lambda folder: (folder / "more.txt").write_text("x"),
    "CUSTOMER.json": lambda folder: unlisted(folder, "CUSTOMER.json"),
    "verdict": rewritten("verdicts.json", lambda d: d.replace(b'"FAILED"', b'"PASSED"', 1)),
    "RUN line": rewritten("RUN", lambda d: d[130:]),
    "RUN order": rewritten("RUN", lambda d: b"".join(reversed(d.splitlines(keepends=True)))),
    "RUN doubled": rewritten("RUN", lambda d: d[:130] + d),
    "RUN gone": lambda folder: (folder / "RUN").unlink(),
    "seal gone": lambda folder: (folder / "seal.dsse.json").unlink(),
    "CRLF": rewritten("RUN", lambda d: d.replace(b"\n", b"\r\n")),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_was_changed_is_refused_by_both(
    extracts: dict[str, Path],
    desk: Desk,
    tmp_path: Path,
    how: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Anything taken out of an extract, added or changed: refused by verify and by verify.sh."""
    copy = tmp_path / "copy"
    shutil.copytree(extracts["zebra"], copy)
    SPOILT[how](copy)
    code, _ = checked(copy, desk, "--secret", "env:ZEBRA_SECRET", capsys=capsys)
    done = shell(copy, desk, "zebra", own=extracts["zebra"] / "verify.sh")
    assert (1, 1) == (code, done.returncode), done.stdout + done.stderr


def shell(
    place: Path, desk: Desk, name: str | None, secret: str | None = None, own: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run verify.sh with what a customer has."""
    env = {"PATH": "/usr/bin:/bin", "BUNDLE": str(place)}
    if name is not None:
        env |= {"NAME": name, "SECRET": secret or SECRETS[name]}
    script = own or place / "verify.sh"
    return subprocess.run(
        ["sh", str(script), key_of(desk)],  # noqa: S607 - the sh of this machine is meant
        capture_output=True,
        text=True,
        check=False,
        env=env,
    )


needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "openssl", "jq", "sha256sum", "realpath"))),
    reason="the stock tools are not on this machine",
)


@needs_tools
def test_stock_tools_say_the_same(extracts: dict[str, Path], desk: Desk) -> None:
    """verify.sh of an extract: valid, complete with SECRET and NAME, refused with another's."""
    place = extracts["acme"]
    whole, bare = shell(place, desk, "acme"), shell(place, desk, None)
    assert (0, True) == (
        whole.returncode,
        "nothing of yours in this run was left out" in whole.stdout,
    )
    assert (0, True) == (bare.returncode, "is not proven: give SECRET" in bare.stdout)
    assert 1 == shell(place, desk, "acme", SECRETS["zebra"]).returncode
    assert 1 == shell(place, desk, "zebra").returncode


@needs_tools
def test_printed_commands_are_the_script(extracts: dict[str, Path], desk: Desk) -> None:
    """What VERIFY.md of an extract prints ends as its script does."""
    place = extracts["acme"]
    text = (place / "VERIFY.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    given = f"PUB='{key_of(desk)}' NAME=acme SECRET={SECRETS['acme']}\n"
    done = subprocess.run(
        ["sh"],  # noqa: S607 - the sh of this machine is meant
        input=given + "".join(blocks),
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
    )
    assert (0, True) == (done.returncode, "nothing of yours" in done.stdout), done.stdout


def test_deleting_one_customer_leaves_the_others(
    bundle: Path,
    extracts: dict[str, Path],
    desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Zebra's records, extract and key are deleted: acme's extract is handed out and verifies."""
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    shutil.rmtree(copy / "customers/zebra")
    for path in copy.glob(f"records/*/*/{OTHER}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (extracts["zebra"] / "records/objects").rglob("*"):
        if path.is_file():
            (copy / "records" / path.relative_to(extracts["zebra"] / "records")).unlink()
    out = tmp_path / "acme"
    assert 0 == run(["report", str(copy), "--customer", "acme", "--out", str(out)])
    claim = ("--customer", "acme", "--secret", "env:ACME_SECRET", "--rejudge")
    code, found = checked(out, desk, *claim, capsys=capsys)
    assert (0, True) == (code, found["complete"])
    assert 1 == checked(copy, desk, capsys=capsys)[0]


def test_a_run_without_a_readable_secret_still_decides(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said at once; the extract is authentic; asked with a secret, it cannot be told."""
    monkeypatch.delenv("ACME_SECRET")
    assert 1 == run(gating(desk, tmp_path / "bundle"))
    assert "completeness of acme's extract will not be provable" in capsys.readouterr().err
    out = tmp_path / "acme"
    assert 0 == run(["report", str(tmp_path / "bundle"), "--customer", "acme", "--out", str(out)])
    assert 0 == checked(out, desk, capsys=capsys)[0]
    code, found = checked(out, desk, "--secret", "env:ZEBRA_SECRET", capsys=capsys)
    assert (3, True) == (code, "without a secret" in found["problems"][0])


def test_what_is_deleted_of_one_customer_in_the_store(
    desk: Desk, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zebra's records are deleted from the store: acme is gated as before, and verifies whole."""
    whole = json.loads((bundle / "verdicts.json").read_text("utf-8"))
    copy = tmp_path / "desk"
    shutil.copytree(desk.folder / "home", copy / "home")
    shutil.copytree(desk.folder / "store", copy / "store")
    shutil.copy(desk.folder / "estate.json", copy / "estate.json")
    for path in copy.glob(f"store/*/{desk.wave}/{OTHER}"):
        shutil.rmtree(path)
    assert 3 == run([*gating(desk_at(desk, copy), copy / "bundle"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert whole["customers"]["acme"] == found["customers"]["acme"]
    out = tmp_path / "acme"
    assert 0 == run(["report", str(copy / "bundle"), "--customer", "acme", "--out", str(out)])
    claim = ("--customer", "acme", "--secret", "env:ACME_SECRET", "--rejudge")
    assert 0 == checked(out, desk, *claim, capsys=capsys)[0]


def desk_at(desk: Desk, folder: Path) -> Desk:
    """The same desk in another folder."""
    return Desk(folder, desk.estate, desk.wave)


def test_plan_foresees_what_would_spoil_an_extract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wave named after a customer, and secrets that are missing or short, are said in time."""
    monkeypatch.setenv("ACME_SECRET", "short")
    monkeypatch.delenv("ZEBRA_SECRET", raising=False)
    named = wave("2024-zebra-w1", "acme-prod1", OTHER, notices=())
    bare = Desk(tmp_path, both(waves=(named,)), named.name)
    args = [*gating(bare, tmp_path)[1:7], *gating(bare, tmp_path)[9:11]]
    assert 0 == run(["plan", *args, "--json"])
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    for text in ("of acme can be guessed", "completeness of zebra's", "wave's name holds zebra"):
        assert any(text in warning for warning in warnings), text
