# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Programs for node with locked packages, for tests that let others judge what we make."""

import shutil
import subprocess
from pathlib import Path

import pytest


def installed(config: pytest.Config, source: Path, script: str) -> Path:
    """A folder with the script and its installed packages; skips with the reason without node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    if (source / "node_modules").is_dir():
        return source
    cache = config.cache
    assert cache is not None
    folder = cache.mkdir(f"npm-{source.name}")
    for name in ("package.json", "package-lock.json", ".npmrc", script):
        shutil.copy(source / name, folder / name)
    done = subprocess.run(
        ["npm", "ci", "--no-progress", "--ignore-scripts"],  # noqa: S607 - found by which above
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"npm ci failed: {done.stderr.strip()[-300:]}")
    return folder
