# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Our own distilled cases, and how YAML is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of our own distilled cases."""
    return ROOT / "fixtures" / "mailauth"


@pytest.fixture(scope="session")
def load_yaml() -> Callable[[Path], list[Any]]:
    """All documents of a YAML file."""

    def load(path: Path) -> list[Any]:
        with path.open(encoding="utf-8") as stream:
            return list(YAML(typ="safe", pure=True).load_all(stream))

    return load
