# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A suite that looks for keys in its own process, as somebody who wrote a suite could.

This file is copied as it is, with a test below it. It looks for needles that are masked, so that it
does not bring them into the memory that it searches.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

MASK = bytes(byte ^ 0x5A for byte in range(256))
PROCESS = Path("/proc/self")
CHUNK = 1 << 24


def masked(needle: bytes) -> str:
    """A needle as it may be written down where it is searched for."""
    return needle.translate(MASK).hex()


def spy(needles: list[str], report: Path) -> None:
    """Write down what this process was given, and how often each masked needle is in its memory."""
    told = {
        "environ": dict(os.environ),
        "given": [_text(PROCESS / name) for name in ("environ", "cmdline")],
        "open": [str(path.readlink()) for path in _open()],
        "mapped": sorted({line.rpartition(" ")[2] for line in _text(PROCESS / "maps").split("\n")}),
        "keys": sorted(map(str, _keys())),
        "found": _found([bytes.fromhex(needle) for needle in needles]),
    }
    report.write_text(json.dumps(told), "utf-8")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _open() -> Iterator[Path]:
    for path in sorted((PROCESS / "fd").iterdir()):
        if path.is_symlink():
            yield path


def _keys() -> Iterator[Path]:
    """Key files where the settings of this process lead to."""
    places = [os.environ.get("WAVEGATE_HOME"), os.environ.get("XDG_CONFIG_HOME"), str(Path.home())]
    for place in (Path(given) for given in places if given):
        yield from place.rglob("*.pem")
    yield from Path.cwd().rglob("*.pem")


def _found(needles: list[bytes]) -> list[int]:
    """How often each is in what this process can read of its own memory."""
    counts = [0] * len(needles)
    with (PROCESS / "mem").open("rb", buffering=0) as memory:
        for first, last in _readable():
            for part in _parts(memory.fileno(), first, last):
                hidden = part.translate(MASK)
                for number, needle in enumerate(needles):
                    counts[number] += hidden.count(needle)
    return counts


def _readable() -> Iterator[tuple[int, int]]:
    for line in _text(PROCESS / "maps").split("\n"):
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if match:
            yield int(match[1], 16), int(match[2], 16)


def _parts(file: int, first: int, last: int) -> Iterator[bytes]:
    """Overlapping pieces, so that nothing is missed between two."""
    for start in range(first, last, CHUNK):
        try:
            yield os.pread(file, min(CHUNK + 256, last - start), start)
        except OSError:
            continue  # a region that the kernel keeps to itself
