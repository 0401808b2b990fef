# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Where the plugin's settings come from: a flag wins over WAVEGATE_*, that over `wavegate.toml`.

Imports nothing heavy: it runs in every pytest session of every project that has us installed.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FILE = "wavegate.toml"
SESSION: pytest.StashKey[Any] = pytest.StashKey()
"""The `session.Session` of an active run; not there while the plugin is inert."""
_PATHS = ("estate", "store", "trust", "verdicts")
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settled options. at: text of the run's instant, None for now."""

    estate: Path
    wave: str
    store: Path
    instances: tuple[str, ...]
    final: bool
    trust: Path | None
    verdicts: Path | None
    at: str | None


def is_active(config: pytest.Config) -> bool:
    """Whether an estate is given at all."""
    if config.getoption("estate") or os.environ.get("WAVEGATE_ESTATE"):
        return True
    return "estate" in _file(config)


def settle(config: pytest.Config) -> Settings:
    """The settings in effect. Raises pytest.UsageError for what is missing or unreadable."""
    found = _file(config)

    def text(name: str) -> str | None:
        value = config.getoption(name) or os.environ.get(f"WAVEGATE_{name.upper()}")
        return str(value) if value else found.get(name)

    def path(name: str) -> Path | None:
        value = text(name)
        return config.invocation_params.dir / value if value else None

    estate, wave, store = path("estate"), text("wave"), path("store")
    if estate is None or wave is None or store is None:
        raise pytest.UsageError(
            "wavegate: --estate, --wave and --store go together "
            "(also WAVEGATE_ESTATE, WAVEGATE_WAVE, WAVEGATE_STORE, or keys of wavegate.toml)"
        )
    return Settings(
        estate=estate,
        wave=wave,
        store=store,
        instances=tuple(config.getoption("instance") or ()),
        final=bool(config.getoption("final")) or (text("final") or "").lower() in _TRUE,
        trust=path("trust"),
        verdicts=path("verdicts"),
        at=config.getoption("run_instant"),
    )


def _file(config: pytest.Config) -> dict[str, str]:
    """The texts of the nearest `wavegate.toml` at or above; its paths are relative to it."""
    start = config.invocation_params.dir
    for folder in (start, *start.parents):
        place = folder / FILE
        if place.is_file():
            return _read(place)
    return {}


def _read(place: Path) -> dict[str, str]:
    try:
        found = tomllib.loads(place.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise pytest.UsageError(f"{place}: not TOML that can be read: {error}") from error
    texts = {n: str(v) for n, v in found.items() if isinstance(v, str | bool)}
    return {n: str(place.parent / v) if n in _PATHS else v for n, v in texts.items()}
