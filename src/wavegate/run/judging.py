# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Judging apart: runs the suites with pytest in a process that holds no key, and reads its output.

The process gets a scrubbed environment and an empty home; what it says is checked against the
grid by the caller (design, rule 8).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wavegate.clock import format_instant
from wavegate.errors import InternalError
from wavegate.evidence.trust import Trust
from wavegate.evidence.trust import dump as dump_trust
from wavegate.plugin.wire import JudgedCell, run_from_bytes
from wavegate.run.suites import Suite

KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")
DONE = (0, 1)
"""pytest's codes for a run that came to its end: all passed, some did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What to judge: an estate, a store of records, a wave, an instant, trusted public keys."""

    estate: Path
    store: Path
    wave: str
    at: datetime
    trust: Trust
    suites: tuple[Suite, ...]
    only: tuple[str, ...] = ()
    final: bool = False
    alluredir: Path | None = None


def judge(case: Case) -> tuple[JudgedCell, ...]:
    """What the suites say of each cell.

    Raises InternalError, with the last words of pytest, where it did not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="wavegate-judge-") as work:
        folder = Path(work)
        (folder / "trust.json").write_bytes(dump_trust(case.trust))
        done = subprocess.run(
            _command(case, folder),
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        found = folder / "verdicts.json"
        if done.returncode not in DONE or not found.exists():
            raise InternalError(
                f"the suites ended with pytest's code {done.returncode}: {done.stdout[-2000:]}",
                cure="run `pytest SUITES --estate E --wave W --store S` to see all of it",
            )
        return run_from_bytes(found.read_bytes()).cells


def _command(case: Case, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "--assert=plain", "-p", "no:cacheprovider"]
    command += ["-p", "no:unraisableexception"]  # it would collect garbage twice, for nothing here
    command += ["-p", "wavegate.plugin"]
    command += ["-p", "allure_pytest.plugin"] if case.alluredir else []
    command += ["-c", os.devnull, "--rootdir", str(folder), "--import-mode", "importlib"]
    command += _copied(case.suites, folder)
    command += ["--estate", str(case.estate.resolve()), "--store", str(case.store.resolve())]
    command += ["--wave", case.wave, "--run-instant", format_instant(case.at)]
    command += ["--trust", "trust.json", "--verdicts", "verdicts.json"]
    command += [part for name in case.only for part in ("--instance", name)]
    command += ["--final"] if case.final else []
    command += ["--alluredir", str(case.alluredir.resolve())] if case.alluredir else []
    return command


def _copied(suites: tuple[Suite, ...], folder: Path) -> list[str]:
    """The suites, copied where no stranger's conftest.py or pytest.ini lies above them."""
    places = list(dict.fromkeys(suite.path.parent for suite in suites))
    for number, place in enumerate(places):
        copy = folder / f"suites-{number}"
        copy.mkdir()
        for path in place.glob("*.py"):
            shutil.copy(path, copy / path.name)
    return [f"suites-{places.index(suite.path.parent)}/{suite.path.name}" for suite in suites]


def environment(folder: Path) -> dict[str, str]:
    """What a process that reads evidence gets: no key, no home, no proxy.

    No plugin of pytest that is installed by chance takes part: it could change a verdict.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    ours = {"TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return {**kept, **ours, "HOME": str(folder)}
