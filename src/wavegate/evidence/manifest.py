# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""MANIFEST: the list of a bundle's files with their digests, in the format of sha256sum.

`<64 hex>  <path>` per line, sorted by the bytes of the path, LF at each end: every file but those
that vouch for MANIFEST itself, by their exact path from the root.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from wavegate.canonical import digest
from wavegate.errors import InvalidError
from wavegate.evidence.fields import check_digest
from wavegate.evidence.run_list import RUN
from wavegate.evidence.safe_path import check_path
from wavegate.evidence.tree import Tree

MANIFEST = "MANIFEST"
SEAL = "seal.dsse.json"
SEAL_TOKENS = ("seal.tsr", *(f"seal.{number}.tsr" for number in range(2, 10)))
"""Trusted timestamps of the seal's payload, one per authority."""
OUTSIDE = frozenset({MANIFEST, RUN, SEAL, *SEAL_TOKENS})
"""What no MANIFEST lists, by the exact path from the root."""


def digests_of(tree: Tree, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """The digest of each file that a MANIFEST lists. known: those that were just taken, by name.

    Raises InvalidError for what must not be in a bundle.
    """
    taken = known or {}
    listed = (name for name in tree.names if name not in OUTSIDE)
    return {name: taken.get(name) or digest(tree.read(name)) for name in listed}


def write(files: Mapping[str, str]) -> bytes:
    """The bytes of a MANIFEST over digests by path. Raises ValueError for a path that is unsafe."""
    lines = (f"{files[name]}  {check_path(name)}\n" for name in sorted(files))
    return "".join(lines).encode("ascii")


def parse(data: bytes) -> Mapping[str, str]:
    """Digests by path. Raises InvalidError for anything that `write` does not write."""
    try:
        entries = [_entry(line) for line in _lines(data)]
        _check_order(name for name, _ in entries)
    except ValueError as error:
        raise InvalidError(
            f"not a manifest: {error}",
            where=MANIFEST,
            cure="get the bundle again in a way that changes no bytes: as an archive, not by mail",
        ) from error
    return dict(entries)


def _lines(data: bytes) -> list[str]:
    text = data.decode("ascii")
    if "\r" in text:
        raise ValueError("line endings were changed: CRLF where LF belongs")
    if not text.endswith("\n"):
        raise ValueError("it is cut off")
    return text[:-1].split("\n")


def _entry(line: str) -> tuple[str, str]:
    if line[64:66] != "  ":
        raise ValueError(f"line {line[:80]!r} is not `<digest>  <path>`")
    name = check_path(line[66:])
    if name in OUTSIDE:
        raise ValueError(f"{name} cannot be listed")
    return name, check_digest(line[:64])


def _check_order(names: Iterable[str]) -> None:
    for first, second in pairwise(names):
        if first >= second:
            raise ValueError(f"{second!r} stands twice or out of order")
