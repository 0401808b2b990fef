# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.builders.shipped import DEPLOY, yaml

GITHUB = DEPLOY / "github" / "wavegate-nightly.yml"
GITLAB = DEPLOY / "gitlab" / "wavegate-nightly.gitlab-ci.yml"


@pytest.mark.parametrize(
    ("schema", "path"), [("vendor.github-workflows", GITHUB), ("vendor.gitlab-ci", GITLAB)]
)
def test_the_ci_system_takes_it(schema: str, path: Path) -> None:
    """Valid by the schema of the system that reads it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout


def test_hold_is_yellow_in_the_nightly_of_gitlab_and_nothing_else_is() -> None:
    """Only exit 3 may fail without stopping the pipeline: NO-GO, 2 and 4 are red."""
    ((name, job),) = yaml(GITLAB)[0].items()
    assert ("wavegate-nightly", {"exit_codes": [3]}) == (name, job["allow_failure"])
    assert ["nightly"] == re.findall(r"wavegate (\w+)", "\n".join(job["script"]))


def test_no_gate_of_a_wave_may_fail_without_stopping() -> None:
    """allow_failure lets later stages run: no file or page has it beside a wave's gate."""
    for path in [*DEPLOY.rglob("*.y*ml")]:
        for document in yaml(path):
            for job in document.values():
                text = json.dumps(job, default=str)
                assert not ("wavegate gate" in text and "allow_failure" in text), path


def test_one_night_at_a_time_in_each_system() -> None:
    """A second run waits; the first is never cancelled in the middle."""
    assert {"group": "wavegate-nightly", "cancel-in-progress": False} == (
        yaml(GITHUB)[0]["concurrency"]
    )
    job = yaml(GITLAB)[0]["wavegate-nightly"]
    assert ("wavegate-nightly", False) == (job["resource_group"], job["interruptible"])


def test_the_workflow_may_only_read() -> None:
    """No right beyond reading the repository, and no credential left in the checkout."""
    workflow = yaml(GITHUB)[0]
    checkout = workflow["jobs"]["nightly"]["steps"][0]
    assert ({"contents": "read"}, {"persist-credentials": False}) == (
        workflow["permissions"],
        checkout["with"],
    )


NIGHT = '{"decision": "HOLD", "changed": true}'
ERROR = '{"error": {"kind": "input"}}'


@pytest.mark.parametrize(
    ("code", "said", "summary", "printed"),
    [
        (0, '{"decision": "GO", "changed": false}', "**GO**, changed: false", ""),
        (3, NIGHT, "**HOLD**, changed: true", "::warning title=HOLD::not decided; see the report"),
        (
            1,
            '{"decision": "NO-GO", "changed": true}',
            "**NO-GO**, changed: true",
            "::error title=NO-GO::see the report on the runner",
        ),
        (2, ERROR, "**input**, changed: false", ""),
        (4, "", "", ""),
    ],
)
def test_the_step_of_github_gives_word_and_code_on(
    tmp_path: Path, code: int, said: str, summary: str, printed: str
) -> None:
    """A real shell runs the step, as GitHub does (bash -e), with a stand-in for the program."""
    if not Path("/usr/bin/jq").exists():
        pytest.skip("jq is not on this machine")
    program = tmp_path / "wavegate"
    program.write_text(f"#!/bin/sh\nprintf '%s' '{said}'\nexit {code}\n", "utf-8")
    program.chmod(0o755)
    script = yaml(GITHUB)[0]["jobs"]["nightly"]["steps"][1]["run"]
    done = subprocess.run(
        [
            "/bin/bash",
            "-e",
            "-o",
            "pipefail",
            "-c",
            script.replace("/opt/wavegate/bin/", f"{tmp_path}/"),
        ],
        env={
            "PATH": os.environ["PATH"],
            "STORE": "store",
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (code, printed) == (done.returncode, done.stdout.strip())
    assert summary in (tmp_path / "summary").read_text("utf-8")
