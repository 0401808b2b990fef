# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest
from tests.builders.shipped import UNITS, run_tool, settings

SERVICE = UNITS / "wavegate-nightly.service"
TIMER = UNITS / "wavegate-nightly.timer"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as on a machine on which the program is there."""
    text = SERVICE.read_text("utf-8").replace("/opt/wavegate/bin/wavegate", sys.executable)
    (tmp_path / SERVICE.name).write_text(text, "utf-8")
    (tmp_path / TIMER.name).write_bytes(TIMER.read_bytes())
    return tmp_path


def test_systemd_understands_every_line(installed: Path) -> None:
    """The reader of systemd itself has nothing to say about service or timer."""
    done = run_tool("systemd-analyze", "verify", installed / SERVICE.name, installed / TIMER.name)
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_the_service_is_exposed_little(installed: Path) -> None:
    """The score of systemd itself, of 10, is below 2."""
    path = installed / SERVICE.name
    done = run_tool("systemd-analyze", "security", "--offline=true", "--threshold=20", path)
    assert 0 == done.returncode, done.stdout


def test_the_timer_makes_up_for_a_night_that_was_slept_through() -> None:
    """In UTC, and run after a machine was off at the hour."""
    assert ([["*-*-* 02:30:00 UTC"], ["yes"]]) == [
        settings(TIMER)["Timer", "OnCalendar"],
        settings(TIMER)["Timer", "Persistent"],
    ]


def test_no_decision_is_taken_for_success() -> None:
    """HOLD and NO-GO leave a failed unit: no line makes a code other than 0 a success."""
    found = settings(SERVICE)
    assert ("Service", "SuccessExitStatus") not in found
    assert not found["Service", "ExecStart"][0].startswith("-")
    assert ("Service", "Restart") not in found


def test_what_the_night_writes_is_writable() -> None:
    """Under a read-only system: the state folder, and the folder of the metrics."""
    found = settings(SERVICE)
    (call,) = found["Service", "ExecStart"]
    words = call.split()
    metrics = Path(words[words.index("--metrics") + 1])
    assert Path("/var/lib/wavegate/store") == Path(words[words.index("--store") + 1])
    assert (["wavegate"], [str(metrics.parent)], ".prom") == (
        found["Service", "StateDirectory"],
        found["Service", "ReadWritePaths"],
        metrics.suffix,
    )
