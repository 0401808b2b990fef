# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Scenarios: a base world and the faults planted in it, by name or from a YAML file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wavegate.errors import InputError
from wavegate.lab.catalogue import fixtures
from wavegate.lab.faults import planted
from wavegate.lab.plants import agree
from wavegate.lab.reference import few_world, reference_world, single_world, small_world
from wavegate.lab.shared import ConflictError, crowd
from wavegate.lab.world import World

BASES: Mapping[str, Callable[[], World]] = {
    "clean": reference_world,
    "few": few_world,
    "small": small_world,
    "single": single_world,
}
KEYS = ("title", "base", "faults", "expect", "copies", "limits", "functions")
EXPECT_KEYS = ("instance", "promise", "verdict")
MAX_FILE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The cell that a scenario is about, and the verdict it must carry."""

    instance: str
    promise: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A base world, the faults planted in it, and what is expected of the gate, if said.

    copies: for each copy of the base that shares the lab, the faults planted in it; empty for the
    base itself. limits: promises that are not played. functions: whether functions are probed.
    """

    name: str
    title: str
    base: str
    faults: tuple[str, ...]
    expect: Expectation | None = None
    copies: tuple[tuple[str, ...], ...] = ()
    limits: tuple[str, ...] = ()
    functions: bool = True

    def world(self, extra: tuple[str, ...] = ()) -> World:
        """The world of this scenario with more faults. Raises InputError."""
        world = planted(self._base(), (*self.faults, *extra))
        if not self.limits and self.functions:
            return world
        return agree(
            world, lambda agreed: replace(agreed, limits=self.limits, probed=self.functions)
        )

    def _base(self) -> World:
        healthy = BASES[self.base]()
        try:
            return crowd(self.copies, healthy) if self.copies else healthy
        except ConflictError as error:
            raise InputError(
                f"two copies cannot share a lab: one changes {error}",
                where=self.name,
                cure="plant its faults in a lab of their own",
            ) from error


def named() -> tuple[str, ...]:
    """The names of all scenarios that ship."""
    files = (fixtures() / "scenarios").glob("*.yaml")
    return (*BASES, *sorted(path.stem for path in files))


def load_scenario(name: str) -> Scenario:
    """A scenario by name, or from a file if the name ends in .yaml. Raises InputError."""
    if name in BASES:
        return Scenario(name=name, title=f"the {name} world", base=name, faults=())
    if name.endswith((".yaml", ".yml")):
        return _read(Path(name))
    path = fixtures() / "scenarios" / f"{name}.yaml"
    if name in named():
        return _read(path)
    raise InputError(
        f"unknown scenario {name!r}", where="SCENARIO", cure=_meant(name, named(), "give a file")
    )


def _meant(word: str, known: tuple[str, ...], otherwise: str) -> str:
    near = get_close_matches(word, known, n=3)
    return f"did you mean {', '.join(near)}?" if near else otherwise


def _read(path: Path) -> Scenario:
    try:
        if path.stat().st_size > MAX_FILE:
            raise InputError("the scenario file is larger than 1 MiB", where=str(path))
        tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such scenario file", where=str(path)) from None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise InputError(f"cannot read the scenario: {error}", where=str(path)) from error
    return _scenario(path, _mapping(path, tree, KEYS))


def _mapping(path: Path, tree: object, known: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(tree, dict):
        raise InputError(f"expected a mapping with {', '.join(known)}", where=str(path))
    for key in tree:
        if key not in known:
            cure = _meant(str(key), known, f"known keys: {', '.join(known)}")
            raise InputError(f"unknown key {key!r}", where=str(path), cure=cure)
    return {str(key): value for key, value in tree.items()}


def _scenario(path: Path, tree: Mapping[str, object]) -> Scenario:
    base = str(tree.get("base", "clean"))
    if base not in BASES:
        cure = _meant(base, tuple(BASES), f"one of {', '.join(BASES)}")
        raise InputError(f"unknown base {base!r}", where=str(path), cure=cure)
    copies = _list(path, tree, "copies")
    return Scenario(
        name=path.stem,
        title=str(tree.get("title", path.stem)),
        base=base,
        faults=_ids(path, _list(path, tree, "faults")),
        expect=_expectation(path, tree["expect"]) if "expect" in tree else None,
        copies=tuple(_ids(path, copy) for copy in copies),
        limits=_ids(path, _list(path, tree, "limits")),
        functions=bool(tree.get("functions", True)),
    )


def _list(path: Path, tree: Mapping[str, object], key: str) -> list[object]:
    found = tree.get(key, [])
    if not isinstance(found, list):
        raise InputError(f"`{key}` is no list", where=str(path))
    return found


def _ids(path: Path, found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise InputError(f"{found!r} is not a list of ids", where=str(path))
    return tuple(str(item) for item in found)


def _expectation(path: Path, tree: object) -> Expectation:
    found = _mapping(path, tree, EXPECT_KEYS)
    missing = [key for key in EXPECT_KEYS if key not in found]
    if missing:
        raise InputError(f"`expect` lacks {', '.join(missing)}", where=str(path))
    return Expectation(
        instance=str(found["instance"]),
        promise=str(found["promise"]),
        verdict=str(found["verdict"]),
    )
