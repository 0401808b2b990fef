# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import re
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.builders.shipped import DEPLOY, run_tool, yaml

from wavegate.run.metrics import Metrics, write_metrics

RULES = DEPLOY / "prometheus" / "wavegate.rules.yaml"
BOARD = DEPLOY / "grafana" / "wavegate-nightly.json"
SELECTED = re.compile(r"(wavegate_\w+)(?:\{([^}]*)\})?")


@pytest.fixture
def written(tmp_path: Path) -> dict[str, dict[str, set[str]]]:
    """What a night writes: name to labels to their values."""
    night = Metrics(
        decision="GO",
        verdicts={},
        last_run=datetime(2026, 11, 25, tzinfo=UTC),
        duration_seconds=1,
        changed=False,
    )
    write_metrics(tmp_path / "dev.prom", night)
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families((tmp_path / "dev.prom").read_text("utf-8")):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


def rules() -> list[Any]:
    """Every alert."""
    return [rule for group in yaml(RULES)[0]["groups"] for rule in group["rules"]]


def board() -> Any:
    """The dashboard."""
    return json.loads(BOARD.read_text("utf-8"))


def expressions() -> list[str]:
    """Every expression of alerts and dashboard."""
    shown = [target["expr"] for panel in board()["panels"] for target in panel["targets"]]
    asked = [
        variable["query"]["query"]
        for variable in board()["templating"]["list"]
        if variable["type"] == "query"
    ]
    return [*(rule["expr"] for rule in rules()), *shown, *asked]


def test_prometheus_takes_the_rules_and_they_fire_as_told() -> None:
    """The rules pass promtool, which plays nights against them: silent, missed, NO-GO, HOLD."""
    done = run_tool("promtool", "check", "rules", RULES)
    assert 0 == done.returncode, done.stderr
    done = run_tool("promtool", "test", "rules", RULES.with_suffix(".test.yaml"))
    assert 0 == done.returncode, done.stdout + done.stderr


def test_what_is_asked_is_what_a_night_writes(written: dict[str, dict[str, set[str]]]) -> None:
    """No alert or panel waits for a name, label or value that no night ever writes."""
    for expression in expressions():
        found = SELECTED.findall(expression)
        assert found, expression
        for name, matchers in found:
            for label, value in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
                known = written[name][label]
                assert value == "$nightly" or value in known, expression
            assert name in written, expression


def test_every_number_that_is_written_is_shown(written: dict[str, dict[str, set[str]]]) -> None:
    """A number that neither alert nor panel uses would be noise."""
    asked = {name for text in expressions() for name, _ in SELECTED.findall(text)}
    assert set(written) == asked


def test_the_three_things_to_be_told_are_told() -> None:
    """A night that did not run, a decision that is not GO, a notification that was not sent."""
    assert {
        "WavegateNightDidNotRun",
        "WavegateNightNeverRan",
        "WavegateNightNoGo",
        "WavegateNightHold",
        "WavegateNotificationFailed",
    } == {rule["alert"] for rule in rules()}
    for rule in rules():
        assert {"summary", "description"} == set(rule["annotations"])


def test_panels_lie_beside_each_other() -> None:
    """Ids are unique, nothing overlaps, nothing is wider than Grafana's 24 columns."""
    panels = board()["panels"]
    assert len(panels) == len({panel["id"] for panel in panels})
    places = [panel["gridPos"] for panel in panels]
    assert [] == [at for at in places if at["x"] + at["w"] > 24]
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_the_board_asks_the_source_that_a_person_chose() -> None:
    """No id of somebody's own Prometheus is in the file."""
    asked = [panel["datasource"] for panel in board()["panels"]]
    asked += [target["datasource"] for panel in board()["panels"] for target in panel["targets"]]
    assert {("prometheus", "${source}")} == {(one["type"], one["uid"]) for one in asked}


def test_every_expression_of_the_board_is_promql(tmp_path: Path) -> None:
    """Each panel's expression is read by promtool, as a rule."""
    shown = [target["expr"] for panel in board()["panels"] for target in panel["targets"]]
    recorded = [{"record": f"x:{n}", "expr": text} for n, text in enumerate(shown)]
    path = tmp_path / "board.yaml"
    path.write_text(json.dumps({"groups": [{"name": "board", "rules": recorded}]}), "utf-8")
    done = run_tool("promtool", "check", "rules", path)
    assert 0 == done.returncode, done.stdout + done.stderr
