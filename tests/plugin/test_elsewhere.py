# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Together with others: xdist, Allure, settings from environment and file."""

import json
from pathlib import Path

import pytest
from tests.plugin.conftest import FAIL, GAP, PASS, TWO, Bench

from wavegate.verdict import Verdict


@pytest.fixture
def mixed(bench: Bench) -> Bench:
    """Three promises, one of each bad kind."""
    bench.desk.plan("greeting", "parting", "waiting")
    bench.suite("greeting", f"judge({PASS})")
    bench.suite("parting", f"judge({FAIL})")
    bench.suite("waiting", f"judge({GAP})")
    return bench


def test_xdist_gives_the_same_verdicts(mixed: Bench) -> None:
    """Judgements travel in reports and are merged on the controller."""
    alone = mixed.run()
    before = mixed.cells
    spread = mixed.run("-n", "2")
    assert mixed.cells == before
    assert spread.ret == alone.ret == 1
    spread.stdout.fnmatch_lines(["NO-GO"])


def test_allure_results_carry_labels_and_the_third_verdict(mixed: Bench, tmp_path: Path) -> None:
    """Labels of the cell; FAILED failed, INCONCLUSIVE broken, NOT_APPLICABLE skipped."""
    mixed.run(f"--alluredir={tmp_path / 'allure'}")
    found = [json.loads(p.read_text()) for p in (tmp_path / "allure").glob("*-result.json")]
    status = {}
    for result in found:
        labels = {label["name"]: label["value"] for label in result["labels"]}
        assert labels["wave"] == "2024-01-w1"
        assert labels["customer"] == "acme"
        assert labels["instance"] in ("acme-prod1", "acme-prod2")
        status[labels["promise"]] = result["status"]
        assert "judgement" in [a["name"] for a in result["attachments"]]
    assert status == {"greeting": "passed", "parting": "failed", "waiting": "broken"}


def test_environment_and_file_stand_in_for_flags(
    mixed: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag wins over the environment, which wins over the file."""
    folder = mixed.desk.folder
    text = f"estate = '{folder / 'estate.json'}'\nstore = 'nowhere'\nwave = 'no-such-wave'\n"
    (mixed.pytester.path / "wavegate.toml").write_text(text)
    monkeypatch.setenv("WAVEGATE_STORE", str(folder / "store"))
    monkeypatch.setenv("WAVEGATE_TRUST", str(folder / "home" / "trust.json"))
    result = mixed.pytester.runpytest_inprocess("--wave=2024-01-w1", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["NO-GO"])
    wrong = mixed.pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines(["*no wave 'no-such-wave'*2024-01-w1*"])


def test_waived_failure_is_go(bench: Bench) -> None:
    """A waiver changes what the decision does with a cell, not its verdict."""
    bench.desk.estate = bench.desk.estate.model_copy(update={"waivers": _waivers()})
    bench.desk.__post_init__()
    bench.desk.plan("greeting", "parting")
    bench.suite("greeting", f"judge({PASS})")
    bench.suite("parting", f"judge({FAIL})")
    result = bench.run()
    result.stdout.fnmatch_lines(["FAILED, waived parting*", "GO"])
    assert result.ret == 0
    assert bench.cells["acme-prod1", "parting"].judgement.verdict is Verdict.FAILED


def _waivers() -> tuple[object, ...]:
    from wavegate.estate.model import Waiver

    fields = {"promise": "parting", "reason": "known", "approved_by": "J. Doe"}
    return tuple(
        Waiver.model_validate(fields | {"until": "2024-02-01", "instance": name}) for name in TWO
    )
