# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The process that runs the suites holds no key: shown by a suite that looks for it there."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.builders import spying
from tests.builders.stores import Desk
from tests.builders.worlds import World
from tests.evidence.small_bundle import KEY
from tests.evidence.test_keys import pem

from wavegate.cli.entry import run

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs /proc"),
]
CANARY = "canary-passphrase-4711"


def needles(key: bytes) -> list[str]:
    """What a private key looks like in memory: its PEM, its number in either order of bytes."""
    lines = key.splitlines()
    number = load_pem_private_key(key, None).private_numbers().private_value  # type: ignore[union-attr] # it is an EC key
    return [spying.masked(lines[1])] + [
        spying.masked(number.to_bytes(32, order)) for order in ("big", "little")
    ]


def suite(folder: Path, key: bytes, report: Path) -> Path:
    """A suite of the user's that spies."""
    folder.mkdir()
    text = Path(spying.__file__).read_text("utf-8").replace('"""A suite', '"""Ours: a suite', 1)
    text += (
        "\n\nfrom wavegate.testing import judgement\n\n\ndef test_spy(judge):\n"
        f"    spy({needles(key)!r}, Path({str(report)!r}))\n"
        "    judge(judgement(shown='it is so', could_hide='nothing'))\n"
    )
    (folder / "test_spying.py").write_text(text)
    return folder


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A store whose owner has keys, a home, and a passphrase in the environment."""
    found = Desk(tmp_path / "desk")
    found.plan("scope", "spying")
    found.capture(World(phase="before").snapshot(), World(phase="after").snapshot())
    monkeypatch.setenv("WAVEGATE_HOME", str(found.folder / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(found.folder / "home"))
    monkeypatch.setenv("WAVEGATE_KEY", str(found.folder / "home/keys/default.pem"))
    monkeypatch.setenv("PASSPHRASE", CANARY)
    monkeypatch.setenv("WAVEGATE_PASSPHRASE", "env:PASSPHRASE")
    return found


def gated(desk: Desk, own: Path, bundle: Path) -> int:
    """Gate the desk with a suite of the user's."""
    args = ["gate", "--estate", str(desk.folder / "estate.json"), "--wave", desk.wave]
    args += ["--store", str(desk.folder / "store"), "--out", str(bundle), "--suites", str(own)]
    return run([*args, "--trust", str(desk.folder / "home/trust.json")])


def check(report: Path, home: Path) -> None:
    """What was seen leads to no key and no secret, and none is in memory."""
    found: Any = json.loads(report.read_text("utf-8"))
    assert [0, 0, 0] == found["found"]
    assert [] == found["keys"]
    assert not {name for name in found["environ"] if "WAVEGATE" in name or "PASS" in name}
    seen = json.dumps([found["environ"], found["given"], found["open"], found["mapped"]])
    assert [False, False, False] == [word in seen for word in (CANARY, str(home), "default.pem")]


def test_gate(desk: Desk, tmp_path: Path) -> None:
    """While the gate's process holds the key, that of the suites does not, nor a way to it."""
    home = desk.folder / "home"
    report = tmp_path / "report.json"
    own = suite(tmp_path / "own", (home / "keys/default.pem").read_bytes(), report)
    assert 0 == gated(desk, own, tmp_path / "bundle")
    check(report, home)


def test_rejudge(desk: Desk, tmp_path: Path) -> None:
    """Judging again, on a machine that has keys of its own, gives none of them to the suites."""
    home = desk.folder / "home"
    report = tmp_path / "report.json"
    own = suite(tmp_path / "own", (home / "keys/default.pem").read_bytes(), report)
    assert 0 == gated(desk, own, tmp_path / "bundle")
    report.unlink()
    args = ["verify", str(tmp_path / "bundle"), "--key", str(home / "keys/default.pub")]
    assert 0 == run([*args, "--rejudge", "--suites", str(own)])
    check(report, home)


def test_the_spy_sees_a_key_that_is_there(tmp_path: Path) -> None:
    """A process that does hold a key is found out, by its memory, files and environment."""
    key, report = tmp_path / "key.pem", tmp_path / "report.json"
    key.write_bytes(pem(KEY.private))
    code = (
        "import sys; from pathlib import Path\n"
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
        "from tests.builders.spying import spy\n"
        "file = open(sys.argv[1], 'rb'); held = file.read()\n"
        "key = load_pem_private_key(held, None)\n"
        "spy(sys.argv[3:], Path(sys.argv[2]))\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(key), str(report), *needles(key.read_bytes())],
        check=True,
        cwd=Path(__file__).parents[2],
        env={"WAVEGATE_HOME": str(tmp_path), "HOME": str(tmp_path)},
    )
    found: Any = json.loads(report.read_text("utf-8"))
    assert (True, True) == (found["found"][0] > 0, sum(found["found"][1:]) > 0)
    assert (True, True) == (str(key) in found["open"], str(key) in found["keys"])
