# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the parts of an estate file say of each other: names given once, names that exist.

Works on plain values of any shape, so that these problems are told together with all others.
"""

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher

from wavegate.estate.document import Path, Plain
from wavegate.estate.problems import Complaint, did_you_mean
from wavegate.estate.values import domain_name, ip_address, zone_name
from wavegate.promise import PROMISES

_CLOSE = 0.8


def complaints(data: Plain) -> Iterator[Complaint]:
    """Every name given twice and every name that no one bears."""
    yield from _twice(data)
    yield from _zones_twice(data)
    yield from _unknown(data)
    yield from _misspelt_promises(data)


def select(data: Plain, pattern: str) -> Iterator[tuple[Path, Plain]]:
    """All values that a pattern such as `waves.*.instances.*` finds, with their paths."""
    found: list[tuple[Path, Plain]] = [((), data)]
    for step in pattern.split(".") if pattern else ():
        found = [item for path, value in found for item in _below(path, value, step)]
    yield from found


def _below(path: Path, value: Plain, step: str) -> Iterator[tuple[Path, Plain]]:
    if step == "*" and isinstance(value, list):
        yield from (((*path, index), item) for index, item in enumerate(value))
    elif isinstance(value, dict) and step in value:
        yield (*path, step), value[step]


def _same(value: str) -> str:
    return value


_UNIQUE: tuple[tuple[str, str, str, Callable[[str], str]], ...] = (
    ("", "customers.*.name", "customer", _same),
    ("", "instances.*.name", "instance", _same),
    ("", "waves.*.name", "wave", _same),
    ("instances.*", "domains.*.name", "domain of the instance", domain_name),
    ("instances.*", "sending_ips.*", "sending IP of the instance", ip_address),
    ("instances.*.domains.*", "selectors.*", "selector of the domain", str.lower),
    ("waves.*", "instances.*", "instance of the wave", _same),
)


def _twice(data: Plain) -> Iterator[Complaint]:
    for within, pattern, noun, normal in _UNIQUE:
        for base, value in select(data, within):
            named = ((base + path, found) for path, found in select(value, pattern))
            yield from _repeated(named, noun, normal)


def _repeated(
    named: Iterator[tuple[Path, Plain]], noun: str, normal: Callable[[str], str]
) -> Iterator[Complaint]:
    first: dict[str, Path] = {}
    for path, value in named:
        if not isinstance(value, str):
            continue
        try:
            name = normal(value)
        except ValueError:
            continue
        if name in first:
            yield Complaint(
                path=path,
                what=f"this {noun} stands twice",
                cure="name each once",
                first=first[name],
            )
        first.setdefault(name, path)


def _zones_twice(data: Plain) -> Iterator[Complaint]:
    for path, value in select(data, "authoritative"):
        if isinstance(value, dict):
            for complaint in _repeated(
                (((*path, zone), zone) for zone in value), "zone", zone_name
            ):
                yield Complaint(
                    path=complaint.path,
                    what=complaint.what,
                    cure=complaint.cure,
                    first=complaint.first,
                    key=True,
                    show=False,
                )


_NAMED = (
    ("instances.*.customer", "customers"),
    ("waves.*.instances.*", "instances"),
    ("waves.*.notices.*.customer", "customers"),
    ("limits.*.instances.*", "instances"),
    ("waivers.*.instance", "instances"),
    ("expected_changes.*.instances.*", "instances"),
)


def _unknown(data: Plain) -> Iterator[Complaint]:
    known = {
        kind: {name: None for _, name in select(data, f"{kind}.*.name") if isinstance(name, str)}
        for kind in ("customers", "instances")
    }
    for pattern, kind in _NAMED:
        for path, name in select(data, pattern):
            if isinstance(name, str) and name not in known[kind]:
                what = f"no {kind.removesuffix('s')} has this name"
                cure = did_you_mean(name, known[kind], otherwise=f"add it under {kind}")
                yield Complaint(path=path, what=what, cure=cure)


def _misspelt_promises(data: Plain) -> Iterator[Complaint]:
    for pattern in ("limits.*.promise", "waivers.*.promise", "expected_changes.*.promise"):
        for path, value in select(data, pattern):
            if isinstance(value, str) and (meant := misspelt_promise(value)):
                yield Complaint(
                    path=path, what="no promise has this id", cure=f"did you mean {meant}?"
                )
    for path, due in select(data, "policy.due"):
        for name in due if isinstance(due, dict) else ():
            if meant := misspelt_promise(name):
                yield Complaint(
                    path=(*path, name),
                    what="no promise has this id",
                    cure=f"did you mean {meant}?",
                    key=True,
                    show=False,
                )


def misspelt_promise(word: str) -> str | None:
    """The built-in promise that a word means but does not spell, or None.

    A built-in id with a digit or a further word behind it is a user's own suite.
    """
    if word in PROMISES or len(word) > 63:
        return None
    folded = word.lower().replace("-", "_")
    for known in PROMISES:
        rest = folded.removeprefix(known)
        if rest != folded and (rest.startswith("_") or rest.isdigit()):
            return None
    scored = {SequenceMatcher(None, folded, known).ratio(): known for known in PROMISES}
    return scored[max(scored)] if max(scored) >= _CLOSE else None
