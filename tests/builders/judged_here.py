# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Judging in this process, by the same command line: a month of nights starts no thirty more."""

import contextlib
import io
import tempfile
from pathlib import Path

import pytest

from wavegate.evidence.trust import dump
from wavegate.plugin.wire import JudgedCell, run_from_bytes
from wavegate.run import gate, judging
from wavegate.run.judging import Case


def judge(case: Case) -> tuple[JudgedCell, ...]:
    """What `judging.judge` does, without another process."""
    with tempfile.TemporaryDirectory(prefix="wavegate-judge-") as work:
        folder = Path(work)
        (folder / "trust.json").write_bytes(dump(case.trust))
        command = judging._command(case, folder)
        said = io.StringIO()
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            code = pytest.main(command[command.index("-m") + 2 :])
        assert code in judging.DONE, f"{code}: {said.getvalue()}"
        return run_from_bytes((folder / "verdicts.json").read_bytes()).cells


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every gate of a test judge here, with no plugin but our own."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(gate, "judge", judge)
