# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How mail is shared out between addresses, domains and hosts."""

from dataclasses import replace

import pytest

from wavegate.lab.faults import planted
from wavegate.lab.mta import burst_size, pairs, streams
from wavegate.lab.reference import reference_world
from wavegate.lab.world import Mailing

WORLD = reference_world()
FLOW = WORLD.before.instance("acme-prod1").mailing


def test_every_address_carries_every_domain_over_every_host() -> None:
    """Six addresses, two domains, two hosts."""
    assert len(pairs(FLOW)) == 12
    assert len(streams(FLOW)) == 24


def test_neighbours_in_turn_use_different_addresses() -> None:
    """Coverage counts independent messages, so that the turns go round the addresses first."""
    turn = [stream.route.ip for stream in streams(FLOW)]
    assert all(turn[at] != turn[at + 1] for at in range(len(turn) - 1))


@pytest.mark.parametrize(
    ("flow", "size"),
    [
        (FLOW, 240),
        (replace(FLOW, burst=5), 60),
        (replace(FLOW, cap=20), 20),
        (planted(WORLD, ("ip-never-seen-after",)).after.instance("acme-prod1").mailing, 200),
    ],
)
def test_the_burst_has_so_many_messages(flow: Mailing, size: int) -> None:
    """Enough for the coverage that a verdict needs, unless the world is stingy."""
    assert burst_size(flow) == size


def test_a_small_share_is_met_in_the_burst() -> None:
    """Two per cent of the burst are a few messages."""
    flow = planted(WORLD, ("extra-ip-two-percent",)).after.instance("acme-prod1").mailing
    extra = flow.route("198.51.100.80")
    total = sum(route.weight for route in flow.routes)
    assert 0.015 < extra.weight / total < 0.025
    assert burst_size(flow) * extra.weight / total > 3
