# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.evidence.attacks import Attack, raw
from tests.evidence.more_attacks import EVERY
from tests.evidence.small_bundle import GOOD, KEY, NO_GO, OTHER_KEY, RUN, WAVE, make

from wavegate.evidence.instructions import VERIFY_MD, VERIFY_SH, instructions, script

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "openssl", "jq", "sha256sum", "realpath"))),
    reason="the stock tools are not on this machine",
)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """The signer's public key, outside the bundle."""
    path = tmp_path / "signer.pub"
    path.write_text(KEY.public.pem)
    return path


def run_script(bundle: Path, *arguments: str, own: Path | None = None) -> tuple[int, str]:
    """Run verify.sh, the bundle's or one's own copy; exit code and what it printed."""
    own_copy = own or bundle / VERIFY_SH
    done = subprocess.run(
        ["sh", str(own_copy), *arguments],  # noqa: S607 - the sh of this machine is meant
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "BUNDLE": str(bundle)},
    )
    return done.returncode, done.stdout + done.stderr


def run_printed(bundle: Path, public: Path) -> tuple[int, str]:
    """Type what VERIFY.md prints into a shell in the bundle."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```$", (bundle / VERIFY_MD).read_text(), re.MULTILINE | re.DOTALL
    )
    done = subprocess.run(
        ["sh"],  # noqa: S607 - the sh of this machine is meant
        input=f"PUB='{public}'\n" + "".join(blocks),
        capture_output=True,
        text=True,
        check=False,
        cwd=bundle,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("recipe", [GOOD, NO_GO], ids=["go", "no-go"])
def test_good_bundle(recipe: object, tmp_path: Path, public: Path) -> None:
    """A good bundle is valid for script and printed commands alike, whatever was decided."""
    bundle = make(tmp_path / "bundle", GOOD if recipe is GOOD else NO_GO)
    word = "GO" if recipe is GOOD else "NO-GO"
    said = f'VALID: ["{RUN}","{WAVE}","{word}"]\n'
    for code, output in (run_script(bundle, str(public)), run_printed(bundle, public)):
        assert (code, output.splitlines(keepends=True)[0]) == (0, said)


@pytest.mark.parametrize("attack", EVERY, ids=lambda attack: attack.name)
def test_tampering(attack: Attack, tmp_path: Path, public: Path) -> None:
    """The script refuses exactly the tamperings that are marked as visible to stock tools."""
    bundle = attack.make(tmp_path / "bundle")
    own = tmp_path / "own.sh"
    own.write_text(script())
    code, output = run_script(bundle, str(public), own=own)
    visible = code == 1 if attack.stock is None else attack.stock
    assert (code, output.startswith("VALID")) == ((1, False) if visible else (0, True)), output


@pytest.mark.parametrize("attack", EVERY[::7], ids=lambda attack: attack.name)
def test_printed_commands_do_the_same(attack: Attack, tmp_path: Path, public: Path) -> None:
    """The commands that VERIFY.md prints end as the script does."""
    bundle = attack.make(tmp_path / "bundle")
    (bundle / VERIFY_SH).unlink(missing_ok=True)
    shutil.copy(_original(tmp_path), bundle / VERIFY_SH)
    printed, _ = run_printed(bundle, public)
    assert printed == run_script(bundle, str(public))[0]


def _original(tmp_path: Path) -> Path:
    path = tmp_path / "original.sh"
    path.write_text(script())
    return path


def test_key_is_required(tmp_path: Path, public: Path) -> None:
    """No key, no file, no key in the file, a key inside the bundle: cannot tell, never valid."""
    pem = KEY.public.pem.encode()
    bundle = make(tmp_path / "bundle", inside=lambda f: (f / "key.pub").write_bytes(pem))
    (tmp_path / "text").write_text("no key")
    (tmp_path / "link.pub").symlink_to(bundle / "key.pub")
    given = [(), (str(tmp_path / "none"),), (str(tmp_path / "text"),)]
    given += [(str(bundle / "key.pub"),), (str(tmp_path / "link.pub"),)]
    for arguments in given:
        code, output = run_script(bundle, *arguments)
        assert (code, "CANNOT TELL" in output) == (3, True)
    assert run_script(bundle, str(public))[0] == 0


def test_wrong_key(tmp_path: Path) -> None:
    """Another's key refuses the bundle."""
    path = tmp_path / "other.pub"
    path.write_text(OTHER_KEY.public.pem)
    assert run_script(make(tmp_path / "bundle"), str(path))[0] == 1


def test_timestamps_required(tmp_path: Path, public: Path) -> None:
    """A timestamp that was required and is not there: cannot tell, as `verify` says."""
    bundle = make(tmp_path / "bundle", replace(GOOD, timestamps_required=True))
    assert run_script(bundle, str(public))[0] == run_printed(bundle, public)[0] == 3


def test_terminal_is_safe(tmp_path: Path, public: Path) -> None:
    """Nothing of a bundle reaches the terminal as a control sequence."""
    bundle = make(
        tmp_path / "bundle",
        inside=raw(
            "verdicts.json",
            lambda d: d.replace(b'"decision_line":"', b'"decision_line":"\\u001b[31m\\u202e'),
        ),
    )
    code, output = run_script(bundle, str(public))
    assert (code, output.isascii(), "\x1b" in output) == (0, True, False)


def test_no_customer_named() -> None:
    """VERIFY.md names run and wave and nobody."""
    assert "acme" not in instructions(RUN, WAVE)
    assert RUN in instructions(RUN, None)
