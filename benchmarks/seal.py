# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Sealing bundles beside what cannot be done without: reading, SHA-256, and one bare signature.

    python -m benchmarks.seal [--instances 10 40 160] [--rounds 7]

The floor lists the folder, reads each file and takes its SHA-256, and signs once by `cryptography`
alone. CPU seconds, paired, with `fsync` left out: that the disk has it all is no work of hashing.
Exits 1 where `seal_bundle` takes more than one and a half times the floor.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

from benchmarks.paired import measure
from benchmarks.sealed_world import World, seal
from benchmarks.verify import paths_of
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

MOST = 1.5
PRIVATE = ec.derive_private_key(4711, ec.SECP256R1())


def floor(folder: Path) -> None:
    """What cannot be done without."""
    for path in paths_of(folder):
        with open(path, "rb") as file:  # noqa: PTH123 - the fastest way to open
            hashlib.sha256(file.read()).hexdigest()
    PRIVATE.sign(b"x" * 1_000, ec.ECDSA(hashes.SHA256()))


def row(instances: int, rounds: int) -> tuple[str, float]:
    """A line of the table, and the ratio."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, "bundle")
        World(instances).make(folder)
        seal(folder)
        paths = list(paths_of(folder))
        with mock.patch.object(os, "fsync"):
            pair = measure(lambda: floor(folder), lambda: seal(folder), rounds)
        size = sum(map(os.path.getsize, paths)) / 1e6
    return f"{len(paths)} | {size:.0f} | {pair.row()}", pair.ratio


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--instances", type=int, nargs="+", default=[10, 40, 160])
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    print("| bundle | files | MB | floor ms | seal ms | ratio | rounds |")
    print("|---|---|---|---|---|---|---|")
    ratios = []
    for count in asked.instances:
        line, ratio = row(count, asked.rounds)
        print(f"| {count} instances | {line} |", flush=True)
        ratios.append(ratio)
    return 1 if max(ratios) > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
