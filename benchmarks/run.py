# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""All benchmarks, one after the other: a short form of each, or all of it as docs/performance.md.

    tox -e bench [-- --full]

Exits 1 if any of them does.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHORT = {
    "fuzz": ("--seconds", "0.5"),
    "kill_nine": ("--rounds", "3"),
    "ledger": ("--rows", "200000"),
    "seal": ("--instances", "10", "--rounds", "3"),
    "spf": ("--asked", "10"),
    "statistics_errors": ("--worlds", "20"),
    "verify": ("--instances", "10", "--rounds", "3"),
}
FULL = {
    "fuzz": ("--seconds", "60"),
    "kill_nine": ("--rounds", "50"),
    "ledger": ("--rows", "10000000"),
    "seal": ("--instances", "10", "40", "160", "--rounds", "7"),
    "spf": ("--asked", "200"),
    "statistics_errors": ("--worlds", "800"),
    "verify": ("--instances", "10", "40", "160", "--rounds", "7"),
}


def main() -> int:
    """Run them and tell which failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="as in the docs, many minutes")
    failed = []
    for name, options in (FULL if parser.parse_args().full else SHORT).items():
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"\n## {name} {' '.join(options)} (load {load})\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *options]
        failed += [name] if subprocess.run(command, cwd=ROOT, check=False).returncode else []
    print(f"\nfailed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
