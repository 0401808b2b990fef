# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
from pathlib import Path

from tests.builders.shipped import DEPLOY

FILE = DEPLOY / "cron" / "wavegate-nightly"


def line() -> tuple[list[str], str, str]:
    """The one line of cron.d that runs something: its five times, the user, the command."""
    lines = FILE.read_text("utf-8").splitlines()
    (found,) = [text for text in lines if text[:1].isdigit()]
    *times, user, command = found.split(None, 6)
    return times, user, command


def test_it_is_a_line_of_cron_d() -> None:
    """Five times, a user who is not root; no percent sign, which cron makes a line break."""
    times, user, command = line()
    assert (["30", "2", "*", "*", "*"], "wavegate") == (times, user)
    assert "%" not in command
    assert FILE.read_text("utf-8").endswith("\n")


def test_cron_runs_a_file_of_this_name() -> None:
    """Debian's cron passes over names with a dot in silence."""
    assert FILE.name.replace("-", "").isalnum()


def test_the_command_runs_with_the_secrets_and_gives_its_code_on(tmp_path: Path) -> None:
    """A real shell runs it: a stand-in for the program sees the environment file's variables."""
    for folder in ("bin", "etc", "var"):
        (tmp_path / folder).mkdir()
    (tmp_path / "etc" / "nightly.env").write_text("ACME_PASSWORD=x\n", "utf-8")
    program = tmp_path / "bin" / "wavegate"
    program.write_text('#!/bin/sh\necho "$ACME_PASSWORD $PWD $1 $(umask)"\nexit 3\n', "utf-8")
    program.chmod(0o755)
    command = line()[2].replace("/etc/wavegate", str(tmp_path / "etc"))
    command = command.replace("cd /var/lib/wavegate", f"cd {tmp_path / 'var'}")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert (3, f"x {tmp_path / 'var'} nightly 0077\n", "") == (
        done.returncode,
        done.stdout,
        done.stderr,
    )
