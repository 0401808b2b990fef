# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Renews the lock files: every package pinned with its hashes, for all Pythons we support.

The tests' set has all extras, so it is locked first, and the sets that share packages with it take
the same versions: tox installs some of them together.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SETS = {
    "tests.txt": ["--group", "tests"],
    "base.txt": [],
    "nightly.txt": ["--extra", "notify"],
    "bench.txt": ["--group", "bench"],
    "type.txt": ["--group", "type"],
    "lint.txt": ["--only-group", "lint"],
    "tox.txt": ["--only-group", "tox"],
}


def lock(name: str, selection: list[str]) -> None:
    """Write one lock file."""
    command = ["uv", "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url"]
    command += ["--no-header", "--quiet", "--python-version", "3.11", *sys.argv[1:]]
    only = [part.replace("--only-group", "--group") for part in selection]
    source = ["pyproject.toml"] if "--only-group" not in selection else []
    output = str(HERE / name)
    if source and name != "tests.txt":
        command += ["--constraints", str(HERE / "tests.txt")]
    subprocess.run([*command, *source, *only, "-o", output], check=True, cwd=HERE.parent)


for name, selection in SETS.items():
    lock(name, selection)
