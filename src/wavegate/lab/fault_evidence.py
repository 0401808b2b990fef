# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the world adds where the play spoils the evidence; most of that family needs nothing here.

See `play_steps` and `tampering`.
"""

from dataclasses import replace

from wavegate.lab.dns_state import Scope, Silent
from wavegate.lab.plants import NEWS, Bed, always, campaign, functions, ruled, within
from wavegate.lab.world import World

BED = Bed()
AHEAD = 500
"""Milliseconds; the tolerance of a lab is a second at least."""


@BED.plant("benign-skew-2s")
def _ahead(world: World) -> World:
    return always(world, campaign(lambda state: replace(state, skew=AHEAD)))


@BED.plant("before-straddles")
def _straddles(world: World) -> World:
    """A question that nobody answers takes all tries, and so the capture reaches the opening."""
    unheard = Silent(scope=Scope(names=(NEWS,), types=("MX",)))
    return replace(world, before=ruled(("ns4",), unheard)(world.before))


@BED.plant("timeline-hole-hidden")
def _outage(world: World) -> World:
    return within(world, functions(lambda f: replace(f, redirect="error")))
