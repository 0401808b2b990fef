# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Who has nothing in the wave gets what the run says of them, where it says something."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders.estates import START, instance
from tests.builders.judged_here import use
from tests.builders.pair import both, gating
from tests.builders.resealed import seal_anew
from tests.builders.stores import Desk

from wavegate.cli.entry import run
from wavegate.estate.model import Customer, Estate

pytestmark = pytest.mark.timeout(600)
STRAY = "yak-prod1"
SECRET = "c3" * 32


def agreed() -> Estate:
    """Besides those two: yak, whose instance was forgotten, and emu, whose moves later."""
    whole = both()
    stray = instance(STRAY, sending_ips=("192.0.2.90",), domains=())
    later = instance("emu-prod1", sending_ips=("192.0.2.91",), domains=(), wave="unplanned")
    customers = (Customer(name="yak", secret="env:YAK_SECRET"), Customer(name="emu"))
    return whole.model_copy(
        update={
            "instances": (*whole.instances, stray, later),
            "customers": (*whole.customers, *customers),
        }
    )


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gated wave."""
    for name in ("ACME_SECRET", "ZEBRA_SECRET", "YAK_SECRET"):
        monkeypatch.setenv(name, SECRET)
    desk = Desk(tmp_path / "desk", agreed())
    desk.plan("scope", "spf", at=START - timedelta(days=2))
    use(monkeypatch)
    assert 1 == run(gating(desk, tmp_path / "bundle"))
    return tmp_path / "bundle"


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def test_only_who_is_told_something_has_one(bundle: Path) -> None:
    """A forgotten instance is FAILED, and its customer can be shown; one at rest needs no word."""
    names = sorted(path.name for path in (bundle / "customers").iterdir())
    assert ["acme", "yak", "zebra"] == names


def test_it_is_whole_and_holds_their_verdict(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They verify it by themselves, with the agreed secret, and judge it again."""
    key, out = str(tmp_path / "desk/home/keys/default.pub"), tmp_path / "yak"
    assert 0 == run(["verify", str(bundle), "--key", key])
    assert 0 == run(["report", str(bundle), "--customer", "yak", "--out", str(out)])
    capsys.readouterr()
    claim = ("--customer", "yak", "--secret", "env:YAK_SECRET", "--rejudge", "--json")
    assert 0 == run(["verify", str(out), "--key", key, *claim])
    found = told(capsys)
    assert (True, "NO-GO") == (found["complete"], found["decision"])
    verdicts = json.loads((out / "verdicts.json").read_text("utf-8"))
    assert [(STRAY, "scope", "FAILED")] == [
        (cell["instance"], cell["promise"], cell["verdict"]) for cell in verdicts["cells"]
    ]
    assert {"yak": "NO-GO"} == verdicts["customers"]


def test_a_bundle_without_it_is_valid_and_says_so(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bundles of before had none for those outside the wave: they stay valid."""
    keys = tmp_path / "desk/home/keys"
    shutil.rmtree(bundle / "customers/yak")
    seal_anew(bundle, keys / "default.pem")
    capsys.readouterr()
    assert 0 == run(["verify", str(bundle), "--key", str(keys / "default.pub"), "--json"])
    assert [True] == ["yak" in text for text in told(capsys)["not_proven"] if "no extract" in text]


def test_a_bundle_without_one_of_the_wave_is_refused(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose instance is in the wave must be handed theirs."""
    keys = tmp_path / "desk/home/keys"
    shutil.rmtree(bundle / "customers/zebra")
    seal_anew(bundle, keys / "default.pem")
    capsys.readouterr()
    assert 1 == run(["verify", str(bundle), "--key", str(keys / "default.pub"), "--json"])
    assert "zebra has no extract" in told(capsys)["error"]["message"]
