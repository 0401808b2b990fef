# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from wavegate.errors import InputError
from wavegate.run.metrics import Metrics, check_metrics, write_metrics

NIGHT = Metrics(
    decision="HOLD",
    verdicts={"PASSED": 14, "INCONCLUSIVE": 2},
    last_run=datetime(2026, 11, 25, 2, 30, tzinfo=UTC),
    duration_seconds=12.5,
    changed=True,
    notifications_failed=1,
)
WRITTEN = {
    ("wavegate_nightly_decision", ("GO",)): 0.0,
    ("wavegate_nightly_decision", ("HOLD",)): 1.0,
    ("wavegate_nightly_decision", ("NO-GO",)): 0.0,
    ("wavegate_nightly_cells", ("PASSED",)): 14.0,
    ("wavegate_nightly_cells", ("FAILED",)): 0.0,
    ("wavegate_nightly_cells", ("INCONCLUSIVE",)): 2.0,
    ("wavegate_nightly_cells", ("NOT_APPLICABLE",)): 0.0,
    ("wavegate_nightly_last_run_timestamp_seconds", ()): 1795573800.0,
    ("wavegate_nightly_duration_seconds", ()): 12.5,
    ("wavegate_nightly_changed", ()): 1.0,
    ("wavegate_nightly_notifications_failed", ()): 1.0,
}


def read(path: Path, nightly: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """What an exporter reads: name and labels besides `nightly`, which all bear, to value."""
    found = {}
    for family in text_string_to_metric_families(path.read_text("utf-8")):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert nightly == labels.pop("nightly")
            found[sample.name, tuple(labels.values())] = sample.value
    return found


def test_a_night_is_written_as_the_exporter_reads_it(tmp_path: Path) -> None:
    """Every series and its value, read back by the library's own parser."""
    write_metrics(tmp_path / "dev.prom", NIGHT)
    assert WRITTEN == read(tmp_path / "dev.prom", "dev")


def test_two_nightlies_in_one_folder_are_two_sets_of_series(tmp_path: Path) -> None:
    """The collector refuses a folder in which one series stands in two files."""
    for name in ("dev", "stage"):
        write_metrics(tmp_path / f"{name}.prom", NIGHT)
        assert WRITTEN == read(tmp_path / f"{name}.prom", name)


def test_a_night_replaces_the_one_before(tmp_path: Path) -> None:
    """Nothing of the earlier night stays, and no other file is left."""
    path = tmp_path / "dev.prom"
    write_metrics(path, NIGHT)
    write_metrics(path, replace(NIGHT, decision="GO", changed=False))
    after = read(path, "dev")
    assert (1.0, 0.0, 0.0) == (
        after["wavegate_nightly_decision", ("GO",)],
        after["wavegate_nightly_decision", ("HOLD",)],
        after["wavegate_nightly_changed", ()],
    )
    assert [path] == list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_the_night_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole or not at all: the exporter never reads half a file."""
    path = tmp_path / "dev.prom"
    write_metrics(path, NIGHT)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_metrics(path, replace(NIGHT, decision="GO"))
    assert WRITTEN == read(path, "dev")
    assert [path] == list(tmp_path.iterdir())


def test_the_exporter_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    """Wavegate runs with a narrow umask, and the exporter is another user."""
    before = os.umask(0o077)
    try:
        write_metrics(tmp_path / "dev.prom", NIGHT)
    finally:
        os.umask(before)
    assert 0o644 == stat.S_IMODE((tmp_path / "dev.prom").stat().st_mode)


@pytest.mark.parametrize("name", ["dev.txt", "dev", "none/dev.prom", "folder.prom"])
def test_a_file_that_nobody_would_read_is_refused_before_the_night(
    tmp_path: Path, name: str
) -> None:
    """The collector passes over other suffixes in silence: that would be a missed alarm."""
    (tmp_path / "folder.prom").mkdir()
    with pytest.raises(InputError) as caught:
        check_metrics(tmp_path / name)
    assert caught.value.cure


def test_an_unknown_word_is_never_written_as_zero(tmp_path: Path) -> None:
    """A verdict or decision that this file does not know is an error, not a quiet loss."""
    for wrong in (
        replace(NIGHT, verdicts={"MAYBE": 1}),
        replace(NIGHT, decision="GOOD"),  # type: ignore[arg-type]  # what is tested
    ):
        with pytest.raises(ValueError, match="no "):
            write_metrics(tmp_path / "dev.prom", wrong)
    assert [] == list(tmp_path.iterdir())
