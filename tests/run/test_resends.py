# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The resend plan on its way from the store into the sealed bundle."""

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.builders.queues import look, row
from tests.builders.stores import Desk
from tests.builders.worlds import World

from wavegate.cli.entry import run
from wavegate.evidence.dossier import Dossier
from wavegate.report.resend import NoPlan, ResendPlan
from wavegate.run import gate as gate_module
from wavegate.run.queue import file_look
from wavegate.run.resends import write_resend
from wavegate.run.suites import find_suites

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A store with both captures and mail, and no look at the queue yet."""
    found = Desk(tmp_path / "desk")
    found.plan(*(suite.promise.id for suite in find_suites()))
    before, after = World(phase="before"), World(phase="after")
    found.capture(before.snapshot(), after.snapshot())
    found.deliver([*before.mails(), *after.mails()])
    return found


def bundle_of(gate: list[str], tmp_path: Path) -> Path:
    """Gate, whatever the decision is."""
    assert run(gate) in (0, 1, 3)
    return tmp_path / "bundle"


def listed(desk: Desk) -> None:
    """File a queue before and after: one was sent, one is still pending, one has expired."""
    rows = [row(n) for n in (901, 902, 903)]
    new = [row(901, status=1), rows[1], row(903, status=7)]
    for one in (look(rows), look(new, moment="after")):
        file_look(desk.store, one, desk.signer, desk.estate)


def test_a_bundle_holds_the_plan_and_verifies(
    desk: Desk, gate: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CSV and JSON by log row, under the MANIFEST, told by both reports; both verifiers agree."""
    listed(desk)
    bundle = bundle_of(gate, tmp_path)
    with (bundle / "resend/acme-prod1.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = json.loads((bundle / "resend/acme-prod1.json").read_bytes())
    assert ["70902", "70903"] == [r["log_row"] for r in rows][-2:]
    assert [r["log_row"] for r in rows] == [m["log_row"] for m in found["messages"]]
    assert 3 == found["queued"]
    manifest = (bundle / "MANIFEST").read_text()
    assert "  resend/acme-prod1.csv\n" in manifest
    assert "(resend/acme-prod1.csv)" in (bundle / "summary.md").read_text()
    assert 'href="resend/acme-prod1.json"' in (bundle / "report.html").read_text()
    key = desk.folder / "home/keys/default.pub"
    assert 0 == run(["verify", str(bundle), "--key", str(key), "--rejudge"])
    done = subprocess.run(
        ["/bin/sh", "verify.sh", str(key)], cwd=bundle, env=os.environ, check=False
    )
    assert 0 == done.returncode
    capsys.readouterr()


def test_a_changed_plan_is_refused(desk: Desk, gate: list[str], tmp_path: Path) -> None:
    """Nobody adds a reader to the list after it was sealed."""
    listed(desk)
    place = bundle_of(gate, tmp_path) / "resend/acme-prod1.csv"
    place.write_bytes(place.read_bytes() + b'"resend","1","","","1","x@y.example",""\r\n')
    key = desk.folder / "home/keys/default.pub"
    assert 1 == run(["verify", str(tmp_path / "bundle"), "--key", str(key)])


def test_a_sealed_plan_that_the_records_do_not_give_is_refused(
    desk: Desk,
    gate: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who holds the key can seal a list with a reader left out; judging again finds it out."""

    def shortened(folder: Path, dossier: Dossier) -> ResendPlan | NoPlan:
        found = write_resend(folder, dossier)
        place = folder / "resend/acme-prod1.csv"
        place.write_bytes(b"".join(place.read_bytes().splitlines(keepends=True)[:-1]))
        return found

    listed(desk)
    monkeypatch.setattr(gate_module, "write_resend", shortened)
    bundle = bundle_of(gate, tmp_path)
    verify = ["verify", str(bundle), "--key", str(desk.folder / "home/keys/default.pub")]
    assert 0 == run(verify)
    assert 1 == run([*verify, "--rejudge"])
    told = capsys.readouterr().err
    assert "resend/acme-prod1.csv" in told
    assert "the records give another resend plan than the sealed one" in told


def test_nothing_to_resend_is_said(desk: Desk, gate: list[str], tmp_path: Path) -> None:
    """An empty queue gives an empty list, not none."""
    for one in (look([]), look([], moment="after")):
        file_look(desk.store, one, desk.signer, desk.estate)
    bundle = bundle_of(gate, tmp_path)
    assert "nothing is to be resent" in (bundle / "summary.md").read_text()
    assert [] == json.loads((bundle / "resend/acme-prod1.json").read_bytes())["messages"]


def test_a_queue_that_was_not_listed_has_no_plan(
    desk: Desk, gate: list[str], tmp_path: Path
) -> None:
    """Without a list before the opening no plan can be made, and an empty file would be a lie."""
    bundle = bundle_of(gate, tmp_path)
    assert not (bundle / "resend").exists()
    said = (bundle / "summary.md").read_text()
    assert "no plan could be made" in said
    assert "nobody looked at it" in said
    assert desk.estate.instances[0].name in said
