# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb verify: what it is given by mistake, and the sample that an auditor asks for."""

import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.small_bundle import AT, KEY, NO_GO, OTHER_KEY, RUN, WAVE, make

from wavegate.cli.entry import run
from wavegate.evidence.trust import Trust, TrustedKey, dump, everything
from wavegate.record.local_store import LocalStore

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle, an extract of it, archives of it, a store, keys and trust files."""
    folder = tmp_path_factory.mktemp("desk")
    bundle = make(folder / "bundle", NO_GO)
    for name, key in (("signer", KEY), ("other", OTHER_KEY)):
        (folder / f"{name}.pub").write_text(key.public.pem)
    command = ["report", str(bundle), "--customer", "acme", "--out", str(folder / "extract")]
    assert 0 == run(command)
    for form in ("zip", "gztar"):
        shutil.make_archive(str(folder / "packed"), form, folder, "bundle")
    shutil.copytree(bundle, folder / "outer" / "bundle")
    LocalStore.open(folder / "store", create=True).put(b"{}")
    write_trust(folder / "expired.json", valid_until=AT - HOUR)
    write_trust(folder / "early.json", valid_from=AT + HOUR)
    write_trust(folder / "bounded.json", valid_from=AT - 99 * HOUR, valid_until=AT + HOUR)
    (folder / "cut.json").write_bytes((folder / "bounded.json").read_bytes()[:-20])
    return folder


def write_trust(path: Path, **bounds: Any) -> None:
    """A trust file with the signer's key and its bounds."""
    key: TrustedKey = replace(everything(KEY.public), **bounds)
    path.write_bytes(dump(Trust(keys=(key,))))


@dataclass(frozen=True)
class Mistake:
    """What was given. says: a part of the sentence; cure: a part of what to do."""

    what: str
    arguments: tuple[str, ...]
    code: int
    says: str
    cure: str


SIGNER = ("--key", "{desk}/signer.pub")
MISTAKES = (
    Mistake("a zip", ("{desk}/packed.zip", *SIGNER), 2, "a file, and a bundle", "unpack it first"),
    Mistake("a tar", ("{desk}/packed.tar.gz", *SIGNER), 2, "a file, and", "unpack it first"),
    Mistake(
        "the folder around it",
        ("{desk}/outer", *SIGNER),
        1,
        "one folder deeper",
        "give {desk}/outer/bundle",
    ),
    Mistake("nothing", ("{desk}/nowhere", *SIGNER), 2, "no such bundle", "give the folder"),
    Mistake("a store", ("{desk}/store", *SIGNER), 1, "this is a store", "`wavegate gate` made"),
    Mistake(
        "an extract without its seal",
        ("{desk}/bundle/customers/acme", *SIGNER),
        1,
        "as it lies in a bundle",
        "wavegate report",
    ),
    Mistake(
        "a bundle as an extract",
        ("{desk}/bundle", *SIGNER, "--customer", "acme"),
        2,
        "a whole bundle",
        "",
    ),
    Mistake(
        "another customer's extract",
        ("{desk}/extract", *SIGNER, "--customer", "other"),
        1,
        "acme",
        "",
    ),
    Mistake(
        "a bundle of another wave",
        ("{desk}/bundle", *SIGNER, "--expect-wave", "2024-02-w9"),
        1,
        f"is of wave '{WAVE}', expected '2024-02-w9'",
        "give the bundle of that wave",
    ),
    Mistake(
        "a bundle of another run",
        ("{desk}/bundle", *SIGNER, "--expect-run", "r9"),
        1,
        f"is of run '{RUN}', expected 'r9'",
        "give the bundle of that run",
    ),
    Mistake(
        "an extract of another wave",
        ("{desk}/extract", *SIGNER, "--expect-wave", "2024-02-w9"),
        1,
        "expected '2024-02-w9'",
        "give the bundle of that wave",
    ),
    Mistake(
        "a wrong key",
        ("{desk}/bundle", "--key", "{desk}/other.pub"),
        1,
        "is no trusted key",
        "the signer's public key",
    ),
    Mistake(
        "a bundle for a key",
        ("{desk}/bundle", "--key", "{desk}/bundle/verdicts.json"),
        2,
        "not a public key",
        "give the .pub file",
    ),
    Mistake("no key file", ("{desk}/bundle", "--key", "{desk}/none.pub"), 3, "no such file", "ask"),
    Mistake(
        "an expired trust file",
        ("{desk}/bundle", "--trust", "{desk}/expired.json"),
        1,
        "was not valid at 2024-01-17T01:00:00Z",
        "a newer one from the signer",
    ),
    Mistake(
        "a trust file of later keys",
        ("{desk}/bundle", "--trust", "{desk}/early.json"),
        1,
        "was not valid at",
        "valid_from",
    ),
    Mistake(
        "a trust file that was cut",
        ("{desk}/bundle", "--trust", "{desk}/cut.json"),
        2,
        "not a trust file",
        "JSON list",
    ),
    Mistake(
        "a key for a trust file",
        ("{desk}/bundle", "--trust", "{desk}/signer.pub"),
        2,
        "not a trust file",
        "JSON list",
    ),
    Mistake(
        "a sample without a seed",
        ("{desk}/bundle", *SIGNER, "--sample", "3"),
        2,
        "its size and its seed",
        "--seed",
    ),
    Mistake(
        "a seed without a sample",
        ("{desk}/bundle", *SIGNER, "--seed", "3"),
        2,
        "its size and its seed",
        "--sample",
    ),
    Mistake(
        "an odd seed",
        ("{desk}/bundle", *SIGNER, "--sample", "3", "--seed", "a b"),
        2,
        "no plain word",
        "letters",
    ),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_mistake_is_one_clear_sentence(
    mistake: Mistake, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was given by mistake: one sentence, a cure, the right code; never valid."""
    arguments = [one.format(desk=desk) for one in mistake.arguments]
    assert mistake.code == run(["verify", *arguments, "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert (True, True) == (
        mistake.says in error["message"],
        mistake.cure.format(desk=desk) in (error["cure"] or ""),
    ), error
    assert mistake.code == run(["verify", *arguments])
    said = capsys.readouterr()
    assert ("", False) == (said.out, "Traceback" in said.err)


def test_no_size_of_no_sample(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sample of nothing is a usage error."""
    command = ["verify", str(desk / "bundle"), "--sample", "0", "--seed", "x"]
    assert 2 == run(command)
    assert "Traceback" not in capsys.readouterr().err


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Exit code and the one JSON object."""
    code = run(["verify", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_bounds_without_a_timestamp(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Within its bounds by the signer's clock alone: valid, and it is said who says so."""
    trust = ("--trust", str(desk / "bounded.json"))
    code, found = told(capsys, str(desk / "bundle"), *trust)
    assert (0, True) == (code, found["valid"])
    assert any("That the key was valid when it sealed" in text for text in found["not_proven"])


@pytest.mark.parametrize("what", ["bundle", "extract"])
def test_read_only_medium(
    what: str, desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written into what is verified, so that it can lie on a read-only medium."""
    place = Path(shutil.copytree(desk / what, tmp_path / what))
    everything_in = [place, *sorted(place.rglob("*"))]
    for path in everything_in:
        path.chmod(0o555 if path.is_dir() else 0o444)
    first = [(path, path.stat().st_mtime_ns) for path in everything_in]
    key = ("--key", str(desk / "signer.pub"))
    code, found = told(capsys, str(place), *key, "--sample", "2", "--seed", "x")
    assert (0, what) == (code, found["kind"])
    assert first == [(path, path.stat().st_mtime_ns) for path in [place, *sorted(place.rglob("*"))]]
    for path in everything_in:
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_sample_in_json(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which cells, of how many, by which seed, and the files to look at with their digests."""
    arguments = (str(desk / "bundle"), "--key", str(desk / "signer.pub"))
    code, found = told(capsys, *arguments, "--sample", "2", "--seed", "2024-02-01")
    sample = found["sample"]
    assert (0, 4, 2, "2024-02-01") == (
        code,
        sample["population"],
        len(sample["cells"]),
        sample["seed"],
    )
    assert all(one["records"] for one in sample["cells"])
    assert None is told(capsys, *arguments)[1]["sample"]
    again = told(capsys, *arguments, "--sample", "2", "--seed", "2024-02-01")[1]
    assert sample == again["sample"]


def test_sample_for_a_person(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each cell on a line with its verdict, below it the files in the form of sha256sum."""
    arguments = ["verify", str(desk / "bundle"), "--key", str(desk / "signer.pub")]
    assert 0 == run([*arguments, "--sample", "4", "--seed", "x"])
    said = capsys.readouterr().out
    assert "sample      4 of 4 cells, seed x, method wavegate-sample-v1" in said
    assert "acme-prod1: spf is FAILED" in said
    listed = [line.split() for line in said.splitlines() if "records/objects/" in line]
    assert all(name.endswith(digest) for digest, name in listed)


def test_sample_without_a_key(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody vouches for can be looked at, and is not valid for it."""
    code, found = told(capsys, str(desk / "bundle"), "--sample", "1", "--seed", "x")
    assert (3, False, 1) == (code, found["valid"], len(found["sample"]["cells"]))


@pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "jq", "sha256sum"))), reason="the stock tools are not here"
)
def test_printed_commands_draw_the_same(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands of the page draw the cells that `verify` draws, in their order."""
    page = (Path(__file__).parents[2] / "docs/how-to/verify-evidence.md").read_text("utf-8")
    block = next(part for part in page.split("```") if "wavegate-sample-v1" in part)
    done = subprocess.run(
        ["sh"],  # noqa: S607 - the sh of this machine is meant
        input=block.removeprefix("text\n"),
        capture_output=True,
        text=True,
        check=True,
        cwd=desk / "bundle",
    )
    key = ("--key", str(desk / "signer.pub"))
    _, found = told(capsys, str(desk / "bundle"), *key, "--sample", "25", "--seed", "2024-02-01")
    drawn = [f"{c['draw']} {c['instance']} {c['promise']}" for c in found["sample"]["cells"]]
    assert 4 == len(drawn)
    assert drawn == done.stdout.splitlines()
