# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.builders.stores import Desk

from wavegate.cli.entry import run
from wavegate.run import gate as gate_module
from wavegate.run import judging
from wavegate.run import sheet as sheet_module
from wavegate.run.suites import find_suites

pytestmark = pytest.mark.timeout(600)


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def verdict_of(found: Any, promise: str) -> str:
    """The verdict of the one instance."""
    return next(str(c["verdict"]) for c in found["cells"] if c["promise"] == promise)


def key_of(desk: Desk) -> str:
    """The public key of the desk."""
    return str(desk.folder / "home" / "keys" / "default.pub")


def test_a_sound_wave_is_go_and_its_bundle_verifies(
    desk: Desk, gate: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a store to a sealed GO; verify and re-judging agree; the seal is filed."""
    assert 0 == run([*gate, "--json"])
    found = told(capsys)
    assert ("GO", True, 0) == (found["decision"], found["closed"], found["open"])
    promises = [suite.promise.id for suite in find_suites()]
    assert dict.fromkeys(promises, "PASSED") == {c["promise"]: c["verdict"] for c in found["cells"]}
    bundle = tmp_path / "bundle"
    assert found == json.loads((bundle / "verdicts.json").read_text("utf-8"))
    assert 0 == run(["verify", str(bundle), "--key", key_of(desk), "--rejudge", "--json"])
    assert told(capsys)["rejudged"]
    assert [found["run"]] == [p.name for p in (desk.folder / "store/gates" / desk.wave).iterdir()]


def test_the_drills_score_is_sealed_into_the_report(
    gate: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Verdicts, summary, page and seal say how the gate itself was tried, or that it was not."""
    line = "229/231 (catalogue 0123456789ab, tool ba9876543210)"
    monkeypatch.setattr(sheet_module, "score_line", lambda: line)
    assert 0 == run([*gate, "--json"])
    assert line == told(capsys)["drill"]
    bundle = tmp_path / "bundle"
    assert f"Drill: {line}" in (bundle / "summary.md").read_text("utf-8").replace("\\", "")
    assert line in (bundle / "report.html").read_text("utf-8")
    payload = json.loads((bundle / "seal.dsse.json").read_text("utf-8"))["payload"]
    assert line == json.loads(base64.b64decode(payload))["predicate"]["drill"]


def test_bare_pytest_says_the_same_as_the_gate(
    desk: Desk, gate: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`pytest suites --estate ...` and `wavegate gate` are one rule: the same verdicts."""
    assert 0 == run([*gate, "--json"])
    gated = {cell["promise"]: cell["verdict"] for cell in told(capsys)["cells"]}
    suites = Path(__file__).parents[2] / "suites"
    command = [sys.executable, "-m", "pytest", str(suites), "-q", "-c", os.devnull]
    command += ["-p", "no:cacheprovider", *desk.options, "--verdicts", str(tmp_path / "v.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    said = json.loads((tmp_path / "v.json").read_text("utf-8"))["cells"]
    assert gated == {cell["promise"]: cell["judgement"]["verdict"] for cell in said}
    assert "GO" in done.stdout


def test_a_changed_byte_is_no_go_in_a_bundle_that_verifies(
    desk: Desk, gate: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record whose digest does not match is a finding, and an honest NO-GO is still valid."""
    name = next(iter(sorted((desk.folder / "store/signed").rglob("000001.dsse.json"))))
    record = _record_of(name, desk)
    record.chmod(0o644)
    record.write_bytes(record.read_bytes().replace(b'"sequence":1', b'"sequence":2'))
    assert 1 == run([*gate, "--json"])
    assert "FAILED" == verdict_of(told(capsys), "sound_evidence")
    assert 0 == run(["verify", str(tmp_path / "bundle"), "--key", key_of(desk), "--rejudge"])


def _record_of(envelope: Path, desk: Desk) -> Path:
    from wavegate.evidence.envelope import read_unverified
    from wavegate.evidence.predicates import RecordPredicate
    from wavegate.evidence.statement import read

    found = read(read_unverified(envelope.read_bytes()), RecordPredicate).only_digest()
    return desk.folder / "store" / "objects" / found[:2] / found


def test_an_edited_verdict_is_refused(
    desk: Desk, gate: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A FAILED verdict edited to PASSED after sealing: exit 1, and the file is named."""
    assert 0 == run(gate)
    place = tmp_path / "bundle" / "verdicts.json"
    place.write_text(place.read_text("utf-8").replace('"GO"', '"GO" '), "utf-8")
    capsys.readouterr()
    assert 1 == run(["verify", str(tmp_path / "bundle"), "--key", key_of(desk), "--json"])
    assert "verdicts.json" in str(told(capsys)["error"])


def test_a_run_over_one_instance_is_never_go(
    desk: Desk, gate: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A partial run is HOLD, whatever it found."""
    assert 3 == run([*gate, "--instance", desk.estate.instances[0].name, "--json"])
    assert "only" in told(capsys)["partial"]


def test_the_judging_process_holds_no_key(
    desk: Desk, gate: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment is scrubbed: no home of ours, no secret of the caller (design, rule 8)."""
    seen: list[dict[str, str]] = []
    original = judging.environment

    def watched(folder: Path) -> dict[str, str]:
        found = original(folder)
        seen.append(found)
        return found

    monkeypatch.setattr(judging, "environment", watched)
    monkeypatch.setenv("ACME_PASSWORD", "canary-4711")
    assert 0 == run(gate)
    (env,) = seen
    assert not {"WAVEGATE_HOME", "ACME_PASSWORD"} & set(env)
    assert "canary-4711" not in env.values()
    assert str(desk.folder) not in env["HOME"]


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        (("--wave", "2024-01-w9"), 2, "did you mean"),
        (("--store", "nowhere"), 3, "no store"),
        (("--estate", "nowhere.yaml"), 2, "nowhere.yaml"),
        (("--key", "nowhere.pem"), 3, "no such key"),
        (("--suites", "nowhere"), 2, "no suite here"),
        (("--instance", "nobody"), 2, "not in wave"),
    ],
)
def test_bad_input_is_one_clear_error(
    gate: list[str],
    tmp_path: Path,
    change: tuple[str, str],
    code: int,
    word: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each mistake has its place, its cure and its code; no bundle, no traceback."""
    assert code == run([*gate, *change, "--json"])
    said = told(capsys)["error"]
    assert word in f"{said['where']} {said['message']} {said['cure']}"
    assert not (tmp_path / "bundle").exists()


def test_a_store_of_a_newer_schema_is_refused(
    desk: Desk, gate: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What a newer version wrote is not half-read."""
    place = desk.folder / "store" / "FORMAT"
    place.chmod(0o644)
    place.write_text("wavegate-store 9\n")
    assert 3 == run([*gate, "--json"])
    assert "newer" in str(told(capsys)["error"])


def test_a_store_that_is_a_file_and_a_bundle_that_is_a_file(
    gate: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are usage errors, told apart from damage."""
    (tmp_path / "file").write_text("x")
    assert 2 == run([*gate, "--store", str(tmp_path / "file")])
    assert 2 == run(["verify", str(tmp_path / "file"), "--key", str(tmp_path / "file")])
    assert "Traceback" not in capsys.readouterr().err


def test_a_taken_place_is_left_as_it_is(gate: list[str], tmp_path: Path) -> None:
    """A bundle is never written over another."""
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "mine").write_text("x")
    assert 2 == run(gate)
    assert ["mine"] == [path.name for path in (tmp_path / "bundle").iterdir()]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_nothing_half_written_is_left(
    gate: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Ctrl-C and a full disk in the middle leave no bundle and no temporary folder."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(gate_module, "seal_bundle", fail)
    assert run(gate) in (4, 130)
    assert [] == [path.name for path in tmp_path.iterdir() if "bundle" in path.name]


def test_a_suite_of_the_user_joins_the_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file is a promise: in plan, gate and report."""
    from tests.builders.worlds import World

    own = tmp_path / "own"
    own.mkdir()
    (own / "test_two_instances.py").write_text(
        '"""Ours alone."""\nfrom wavegate.testing import judgement\n\n\n'
        "def test_it(judge):\n    judge(judgement(shown='it is so', could_hide='nothing'))\n"
    )
    desk = Desk(tmp_path / "desk")
    desk.plan("scope", "two_instances")
    desk.capture(World(phase="before").snapshot(), World(phase="after").snapshot())
    home = desk.folder / "home"
    args = ["gate", "--estate", str(desk.folder / "estate.json"), "--wave", desk.wave]
    args += ["--store", str(desk.folder / "store"), "--out", str(tmp_path / "b")]
    args += ["--key", str(home / "keys/default.pem"), "--trust", str(home / "trust.json")]
    assert 0 == run([*args, "--suites", str(own), "--json"])
    found = told(capsys)
    assert "PASSED" == verdict_of(found, "two_instances")
    assert "Ours alone" in [promise["sentence"] for promise in found["promises"]]
    verify = ["verify", str(tmp_path / "b"), "--key", key_of(desk), "--rejudge"]
    assert 1 == run(verify)
    assert 0 == run([*verify, "--suites", str(own)])
    copied = shutil.copytree(own, tmp_path / "b/own")
    assert 2 == run([*verify, "--suites", str(copied)])
