# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""RUN: one open list of every customer's MANIFEST, which tells nobody who the others are.

A line is `<tag> <SHA-256 of a MANIFEST>`. The tag is keyed by the secret that was agreed with the
customer before the wave: they alone can tell their line, and that there is no second one. Random
lines fill it up to a multiple of 64, so that it shows a rounded count only.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from secrets import token_bytes

from wavegate.canonical import digest
from wavegate.errors import InvalidError
from wavegate.evidence.fields import check_digest

RUN = "RUN"
BLOCK = 64
MAX_LINES = 1 << 20
_DOMAIN = "wavegate-tag-v1"
_LINE = 64 + 1 + 64
Random = Callable[[int], bytes]


def tag(run: str, secret: str, customer: str) -> str:
    """The tag of a customer's line in the RUN of a run, 64 hex digits."""
    return digest(f"{_DOMAIN}\n{run}\n{secret}\n{customer}\n".encode())


def write_run(entries: Mapping[str, str], random: Random = token_bytes) -> bytes:
    """The bytes of RUN over digests of MANIFEST by tag, filled up; at least one block."""
    lines = dict(entries)
    wanted = max(1, -(-len(lines) // BLOCK)) * BLOCK
    while len(lines) < wanted:
        lines.setdefault(random(32).hex(), random(32).hex())
    return "".join(f"{key} {lines[key]}\n" for key in sorted(lines)).encode("ascii")


def parse_run(data: bytes, *, where: str = RUN) -> Mapping[str, str]:
    """Digests of MANIFEST by tag. Raises InvalidError for what `write_run` cannot write."""
    try:
        lines = _lines(data)
        found = [(check_digest(line[:64]), check_digest(line[65:])) for line in lines]
        _check_order(key for key, _ in found)
    except ValueError as error:
        raise InvalidError(
            f"not a list of MANIFESTs: {error}",
            where=where,
            cure="get it again in a way that changes no bytes: as an archive, not by mail",
        ) from error
    return dict(found)


def _lines(data: bytes) -> list[str]:
    text = data.decode("ascii")
    if "\r" in text:
        raise ValueError("line endings were changed: CRLF where LF belongs")
    if not text.endswith("\n"):
        raise ValueError("it is cut off")
    lines = text[:-1].split("\n")
    if len(lines) % BLOCK or len(lines) > MAX_LINES:
        raise ValueError(f"{len(lines)} lines, which is no multiple of {BLOCK}, or too many")
    for line in lines:
        if len(line) != _LINE or line[64] != " ":
            raise ValueError(f"line {line[:80]!r} is not `<tag> <digest>`")
    return lines


def _check_order(tags: Iterable[str]) -> None:
    for first, second in pairwise(tags):
        if first >= second:
            raise ValueError(f"the tag {second[:12]} stands twice or out of order")
