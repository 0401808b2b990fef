# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Run in a fresh environment that holds the built wheel: gates a lab wave from an empty folder."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import wavegate

CHECKOUT = Path(__file__).parents[2]


def main() -> None:
    """Fail unless the installed package, and not the checkout, gates a clean wave as GO."""
    package = Path(wavegate.__file__).resolve()
    if CHECKOUT / "src" in package.parents:
        sys.exit(f"the checkout is imported, not the wheel: {package}")
    for part in ("suites", "fixtures", "py.typed"):
        if not (package.parent / part).exists():
            sys.exit(f"the wheel has no {part}")
    with tempfile.TemporaryDirectory(prefix="wavegate-wheel-") as empty:
        command = [sys.executable, "-m", "wavegate", "lab", "run", "clean", "--json"]
        done = subprocess.run(command, cwd=empty, stdout=subprocess.PIPE, text=True, check=False)
    decision = json.loads(done.stdout or "{}").get("decision")
    if (done.returncode, decision) != (0, "GO"):
        sys.exit(f"exit {done.returncode}, decision {decision}: {done.stdout[-2000:]}")
    print(f"1 passed: {package.parent} gated a lab wave from an empty folder: {decision}")


main()
