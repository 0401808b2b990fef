# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Verifying bundles beside what cannot be done without: reading, SHA-256, and bare signatures.

    python -m benchmarks.verify [--instances 10 40 160] [--rounds 7] [--bundle FOLDER --key PUB]

The floor lists the folder, reads each file and takes its SHA-256, and checks as many signatures
over the same bytes by `cryptography` alone. CPU seconds, paired. Exits 1 where a bundle is not
valid, or where `verify` takes more than three times the floor; twice is the aim. With --bundle, one
that is there is taken; with --whole, what `--rejudge` does first is measured instead: reading each
record to its end.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from benchmarks.paired import measure
from benchmarks.sealed_world import World, seal
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.evidence.small_bundle import KEY

from wavegate.evidence.public_key import PublicKey
from wavegate.evidence.trust import Trust, everything, of_public_keys
from wavegate.evidence.verify import verify_bundle
from wavegate.evidence.whole_records import check_whole

MOST = 3.0
Signed = tuple[bytes, bytes]
Look = Callable[[Path, Trust], object]


def signatures(folder: Path, trust: Trust) -> list[Signed]:
    """Every signature that `verify` checks, with the bytes that it is over. Raises if not valid."""
    seen: list[Signed] = []
    real = PublicKey.verifies

    def watching(self: PublicKey, signature: bytes, message: bytes) -> bool:
        seen.append((signature, message))
        return real(self, signature, message)

    with mock.patch.object(PublicKey, "verifies", watching):
        if not verify_bundle(folder, trust).ok:
            raise SystemExit(f"{folder} is not valid")
    return seen


def floor(folder: Path, signed: list[Signed], key: ec.EllipticCurvePublicKey) -> None:
    """What cannot be done without."""
    for path in paths_of(folder):
        with open(path, "rb") as file:  # noqa: PTH123 - the fastest way to open
            hashlib.sha256(file.read()).hexdigest()
    algorithm = ec.ECDSA(hashes.SHA256())
    for signature, message in signed:
        key.verify(signature, message, algorithm)


def row(folder: Path, trust: Trust, rounds: int, look: Look) -> tuple[str, float]:
    """A line of the table, and the ratio."""
    paths = list(paths_of(folder))
    signed = signatures(folder, trust)
    key = serialization.load_pem_public_key(trust.keys[0].key.pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SystemExit("the floor is measured for P-256")
    public = key
    pair = measure(lambda: floor(folder, signed, public), lambda: look(folder, trust), rounds)
    size = sum(map(os.path.getsize, paths)) / 1e6
    return f"{len(paths)} | {size:.0f} | {len(signed)} | {pair.row()}", pair.ratio


def paths_of(folder: Path) -> Iterator[str]:
    """The files of a bundle."""
    for place, _, files in os.walk(folder):
        yield from (os.path.join(place, name) for name in files)  # noqa: PTH118 - as above


def made(instances: int) -> Callable[[Path], None]:
    """Makes and seals a bundle of so many instances."""

    def make(folder: Path) -> None:
        World(instances).make(folder)
        seal(folder)

    return make


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--instances", type=int, nargs="+", default=[10, 40, 160])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--bundle", type=Path, help="measure this one instead")
    parser.add_argument("--key", type=Path, help="the public key of its seal")
    parser.add_argument("--whole", action="store_true", help="read each record to its end")
    asked = parser.parse_args()
    look: Look = check_whole if asked.whole else verify_bundle
    print("| bundle | files | MB | signatures | floor ms | verify ms | ratio | rounds |")
    print("|---|---|---|---|---|---|---|---|")
    if asked.bundle:
        line, ratio = row(asked.bundle, of_public_keys([asked.key]), asked.rounds, look)
        print(f"| {asked.bundle.name} | {line} |")
        return 1 if ratio > MOST and not asked.whole else 0
    ratios = []
    for count in asked.instances:
        with tempfile.TemporaryDirectory() as work:
            made(count)(Path(work, "bundle"))
            trust = Trust(keys=(everything(KEY.public),))
            line, ratio = row(Path(work, "bundle"), trust, asked.rounds, look)
        print(f"| {count} instances | {line} |", flush=True)
        ratios.append(ratio)
    return 1 if max(ratios) > MOST and not asked.whole else 0


if __name__ == "__main__":
    sys.exit(main())
