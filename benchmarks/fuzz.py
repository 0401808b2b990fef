# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Mutated bytes for every reader of foreign bytes, for as long as one likes.

    python -m benchmarks.fuzz [--seconds 5] [--seed N] [--target NAME] [--engine mutate|atheris]

The targets are those of tests/fuzz: bundle folder, envelope, strict JSON, journals, XML, mail, DNS
messages, zip and the others. `mutate` changes good bytes at random; `atheris` (if it is installed)
is guided by what the bytes reach. Exits 1 at a finding: an exception that the reader does not name,
or sealed bytes that were changed and accepted. The bytes are kept in the folder of --keep.
"""

import argparse
import importlib.util
import random
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, Target

NAMES = {target.name: target for target in TARGETS}
SLOW = 2.0
"""CPU seconds that no input of these sizes may take."""


def by_chance(target: Target, seconds: float, seed: int, keep: Path) -> tuple[int, int, float]:
    """Cases, findings and the longest case in CPU seconds."""
    chance = random.Random(f"{seed} {target.name}")  # noqa: S311 - not for secrets
    seeds, until = target.seeds(), time.monotonic() + seconds
    cases = findings = 0
    longest = 0.0
    while time.monotonic() < until:
        data = mutated(seeds, chance)
        began = time.process_time()
        try:
            target.check(data)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            findings += 1
            _keep(keep, target, data, traceback.format_exc())
        took = time.process_time() - began
        longest = max(longest, took)
        if took > SLOW:
            findings += 1
            _keep(keep, target, data, f"{took:.1f} s\n")
        cases += 1
    return cases, findings, longest


def _slug(target: Target) -> str:
    return re.sub(r"\W+", "-", target.name)


def _keep(folder: Path, target: Target, data: bytes, told: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{_slug(target)}-{len(list(folder.iterdir())):04d}"
    (folder / f"{name}.bin").write_bytes(data)
    (folder / f"{name}.txt").write_text(told)
    print(f"FINDING in {target.name}: {told.strip().splitlines()[-1]}", file=sys.stderr)


def guided(target: Target, seconds: float, seed: int, keep: Path) -> tuple[int, int, float]:
    """The same by atheris, which ends its process: so it runs in one of its own."""
    folder = keep / f"corpus-{_slug(target)}"
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (folder / f"seed-{number}").write_bytes(data)
    command = [sys.executable, "-m", "benchmarks.fuzz_guided", target.name, str(folder)]
    command += [f"-max_total_time={max(1, int(seconds))}", f"-seed={seed % 2**31}"]
    command += ["-max_len=65536", "-timeout=20", f"-artifact_prefix={folder}/crash-"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"Done (\d+) runs", done.stderr)
    if done.returncode:
        lines = [x for x in done.stderr.splitlines() if "Error" in x or "Exception" in x]
        print(f"FINDING in {target.name}: {(lines or ['?'])[-1]}", file=sys.stderr)
    return int(found[1]) if found else 0, int(done.returncode != 0), 0.0


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each target")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--target", choices=NAMES, action="append")
    parser.add_argument("--engine", choices=("mutate", "atheris"), default="mutate")
    parser.add_argument("--keep", type=Path, default=Path("reports/fuzz"))
    asked = parser.parse_args()
    if asked.engine == "atheris" and importlib.util.find_spec("atheris") is None:
        raise SystemExit("atheris is not installed: pip install atheris, or --engine mutate")
    seed = random.SystemRandom().randrange(2**31) if asked.seed is None else asked.seed
    run = guided if asked.engine == "atheris" else by_chance
    print(f"seed {seed}, {asked.engine}, {asked.seconds:g} s each\n")
    print("| target | cases | a second | longest ms | findings |\n|---|---|---|---|---|")
    total = bad = 0
    for target in (NAMES[name] for name in asked.target or NAMES):
        cases, findings, longest = run(target, asked.seconds, seed, asked.keep)
        rate = cases / asked.seconds
        print(
            f"| {target.name} | {cases} | {rate:.0f} | {longest * 1e3:.0f} | {findings} |",
            flush=True,
        )
        total, bad = total + cases, bad + findings
    print(f"\n{total} cases, {bad} findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
