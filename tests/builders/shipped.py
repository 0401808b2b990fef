# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reading the ready files of deploy/ as those read them for whom they are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
PATH = os.environ["PATH"]


def yaml(path: Path) -> list[Any]:
    """The documents of a YAML file."""
    return list(YAML(typ="safe").load_all(path.read_text("utf-8")))


def settings(path: Path) -> dict[tuple[str, str], list[str]]:
    """A systemd unit: section and key to its values, in order."""
    found: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault((section, key), []).append(value)
    return found


def run_tool(name: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a checker of others; a machine without it skips, with the reason."""
    tool = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), PATH]))
    if tool is None:
        pytest.skip(f"{name} is not on this machine")
    return subprocess.run([tool, *map(str, args)], capture_output=True, text=True, check=False)
