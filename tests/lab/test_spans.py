# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What breaks for a span of the window only: a link, and the mail exchanger's daily restart."""

from datetime import timedelta
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wavegate.clock import now, parse_instant
from wavegate.lab.campaign_server import Campaign, RequestLog
from wavegate.lab.clockwork import Clockwork
from wavegate.lab.faults import planted
from wavegate.lab.live import Live
from wavegate.lab.reference import reference_world
from wavegate.lab.running import Lab
from wavegate.lab.serve import running

HOUR = timedelta(hours=1)
WORLD = reference_world()
NAME = "acme-prod1"


def _clock(share: float) -> Clockwork:
    """A window of an hour, of which so much is over now."""
    opens = now() - share * HOUR
    return Clockwork(opens=opens, closes=opens + HOUR, period=HOUR / 8)


def _live(clock: Clockwork, scene_of: str) -> Live:
    world = planted(WORLD, (scene_of,))
    return Live(world.window.instance(NAME), clock, token="t", began=clock.opens)


@pytest.mark.parametrize(("share", "redirect"), [(0.2, "target"), (0.5, "error"), (0.95, "target")])
def test_a_link_is_broken_for_a_span(share: float, redirect: str) -> None:
    """Before and after it, in the same phase, links lead where they should."""
    world = planted(WORLD, ("short-blip-between-probes",))
    server = Campaign(NAME, world.window, RequestLog())
    server.live = _live(_clock(share), "short-blip-between-probes")
    assert server._functions().redirect == redirect


@pytest.mark.parametrize(("share", "greets"), [(0.2, True), (0.5, False), (0.8, True)])
def test_the_exchanger_restarts_in_its_span(tmp_path: Path, share: float, greets: bool) -> None:
    """It takes no mail for a third of the window, and all else goes on."""
    world = planted(WORLD, ("benign-daily-restart",))
    lab = Lab(world, tmp_path, title="t", faults=(), opens_in=HOUR, window=HOUR)
    lab.campaigns[NAME].scene = world.window
    lab.lives[NAME] = _live(_clock(share), "benign-daily-restart")
    assert lab._greets(NAME)() is greets


def test_the_restart_was_declared(tmp_path: Path) -> None:
    """The estate names it as a mask of the exchanger that covers the window."""
    with running("single", tmp_path, faults=("benign-daily-restart",), opens_in=HOUR):
        tree = YAML(typ="safe").load(tmp_path / "estate.yaml")
    (told,) = (item for item in tree["instances"] if item["name"] == NAME)
    (mask,) = told["masks"]
    opens = parse_instant(tree["waves"][0]["window"]["start"])
    assert mask["function"] == "inbound_mail"
    assert mask["daily_at"] == f"{opens:%H:%M}"
