# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from datetime import timedelta
from pathlib import Path

import pytest

from wavegate.cli.entry import run
from wavegate.lab.serve import running

pytestmark = pytest.mark.timeout(300)
NEED_MAIL = {"sending_ips", "dkim", "dmarc"}
"""Nobody listens to the lab's mail here, so that these cannot be told."""


def test_two_nights_over_real_dns_http_and_soap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A look that is kept, accepted, and seen again: all but mail PASSED, in a bundle."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    lab, store, bundle = tmp_path / "lab", tmp_path / "store", tmp_path / "bundle"
    args = ["--estate", str(lab / "estate.yaml"), "--store", str(store)]
    with running("single", lab, opens_in=timedelta(minutes=5)) as served:
        assert 3 == run(["nightly", *args])
        assert 0 == run(["nightly", "accept", *args, "--by", "ann", "--why", "first"])
        capsys.readouterr()
        assert 3 == run(["nightly", *args, "--out", str(bundle), "--json"])
        found = json.loads(capsys.readouterr().out)
        assert () == tuple(served.log.writes)
    told = {c["promise"]: c["verdict"] for c in found["cells"] if c["instance"] == "acme-dev1"}
    assert NEED_MAIL == {promise for promise, verdict in told.items() if verdict != "PASSED"}
    assert ["acme-dev1", "acme-stage1"] == sorted(found["instances"])
    key = str(tmp_path / "home" / "keys" / "default.pub")
    assert 0 == run(["verify", str(bundle), "--key", key, "--rejudge"])
