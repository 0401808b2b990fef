# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The probes against the lab, which shares no code with them."""

import json
from datetime import timedelta
from pathlib import Path

from tests.builders.snapshots import snapshot

from wavegate.estate.load import load
from wavegate.lab.serve import running
from wavegate.observe.campaign_probe import CampaignProbe
from wavegate.observe.capture import capture
from wavegate.observe.dns_probe import DnsProbe
from wavegate.observe.probe import Task
from wavegate.record.campaign_view import CampaignView, ServerInfo
from wavegate.record.dns_view import DnsView
from wavegate.record.observation import Unreachable


def test_a_clean_instance_answers_everything(tmp_path: Path) -> None:
    """Nothing is unreachable, both sides decode, nothing was written, no secret is kept."""
    with running("clean", tmp_path, opens_in=timedelta(minutes=5)) as lab:
        estate = load(tmp_path / "estate.yaml").estate
        chosen = estate.instances[0]
        task = Task(estate=estate, instance=chosen, vantage="here", base=tmp_path)
        ((name, captured),) = capture([task], [DnsProbe(), CampaignProbe()])
        told = json.loads((tmp_path / "lab.json").read_text())["instances"][name]
        assert list(lab.log.writes) == []
    taken = snapshot("before", captured.looked.observations)
    silent = [o.subject for o in taken.observations if isinstance(o.outcome, Unreachable)]
    assert (captured.complete, silent) == (True, [])
    assert isinstance(CampaignView(taken).logon, ServerInfo)
    assert len(DnsView(taken).servers) > 1
    values = b"".join(o.outcome.value for o in taken.observations)
    assert told["password"].encode() not in values + taken.to_bytes()
