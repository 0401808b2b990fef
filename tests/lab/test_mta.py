# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How mail is shared out between addresses, domains and hosts."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wavegate.lab.faults import planted
from wavegate.lab.mta import MailFlow, Stream, Timing, burst_size, pairs, streams
from wavegate.lab.reference import NEW_SITE, reference_world
from wavegate.lab.world import Mailing, Phase

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


OPENS = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
WINDOW = timedelta(seconds=10)
TIMING = Timing(opens=OPENS, guard=timedelta(seconds=0.3), pace=0.5, window=WINDOW)


def _flow(phase: Phase, *chosen: str) -> MailFlow:
    world = planted(WORLD, chosen)
    flow = MailFlow(
        "acme-prod1",
        world.before,
        TIMING,
        moves=True,
        target=("127.0.0.1", 1),
        recipient="s@seed.example",
        progress=asyncio.Event(),
    )
    flow.show(phase, world.scene(phase))
    return flow


def _ways(flow: MailFlow, windows: float) -> tuple[Stream, ...]:
    """The ways that are open so many window lengths after the opening."""
    at = OPENS + windows * WINDOW
    return flow._able(at) if flow._open(at) else ()


@pytest.mark.parametrize(
    ("phase", "windows", "sends"),
    [
        ("before", -0.5, True),
        ("before", -0.01, False),
        ("after", 1.01, False),
        ("after", 1.1, True),
    ],
)
def test_mail_keeps_away_from_the_edges(phase: Phase, windows: float, sends: bool) -> None:
    """No clock that is a little wrong may take mail of before or after for mail of the window."""
    assert bool(_ways(_flow(phase), windows)) is sends


@pytest.mark.parametrize(("windows", "stopped"), [(2.4, "new-a"), (3.4, "new-b")])
def test_the_other_host_takes_over(windows: float, stopped: str) -> None:
    """A planned stop leaves every address with a host."""
    ways = _ways(_flow("after"), windows)
    assert {way.mta for way in ways} == {mta for mta in NEW_SITE if mta.name != stopped}
    assert len({way.route.ip for way in ways}) == 6


@pytest.mark.parametrize(
    ("fault", "phase", "windows", "ips"),
    [
        ("leak-one-ip", "window", 0.5, 1),
        ("leak-single-message", "window", 0.4, 0),
        ("leak-single-message", "window", 0.6, 1),
        ("resume-late", "after", 1.5, 0),
        ("resume-one-ip-late", "after", 1.2, 5),
        ("stopped-early", "before", -0.4, 0),
        ("flapping-after", "after", 1.1, 6),
        ("flapping-after", "after", 1.4, 0),
        ("ip-bound-to-one-node", "after", 2.4, 4),
        ("both-mtas-one-rack", "after", 2.4, 0),
        ("single-mta-after", "after", 2.4, 0),
        ("single-mta-after", "after", 1.2, 6),
        ("leak-transactional-only", "window", 0.5, 2),
        ("retry-connection-in-window", "window", 0.1, 0),
        ("retry-connection-in-window", "window", 0.2, 2),
        ("benign-short-window", "window", 0.99, 0),
        ("benign-uneven-nodes", "after", 2.4, 6),
    ],
)
def test_a_fault_closes_its_ways(fault: str, phase: Phase, windows: float, ips: int) -> None:
    """So many addresses can send at that moment."""
    assert len({way.route.ip for way in _ways(_flow(phase, fault), windows)}) == ips


def test_an_address_that_comes_back_takes_only_its_turn() -> None:
    """What it missed is not made up for at the others' expense."""
    flow = _flow("after", "resume-one-ip-late")
    for _ in range(100):
        flow._next(_ways(flow, 1.2))
    later = Counter(flow._next(_ways(flow, 2.4)).route.ip for _ in range(60))
    assert later["127.10.3.13"] <= 15


def test_hosts_share_mail_by_their_weights() -> None:
    """Seven tenths and three, over all addresses."""
    flow = _flow("after", "benign-uneven-nodes")
    taken = Counter(flow._next(_ways(flow, 1.5)).mta.name for _ in range(200))
    assert (taken["new-a"], taken["new-b"]) == (140, 60)


@pytest.mark.parametrize(
    ("windows", "hosts"),
    [(4.25, {"new-a", "new-b"}), (4.31, {"new-a"}), (4.4, {"new-a", "new-c"})],
)
def test_a_host_is_replaced(windows: float, hosts: set[str]) -> None:
    """The old one ends, a new one appears, and the other carries all in between."""
    flow = _flow("after", "benign-node-replaced")
    assert {way.mta.name for way in _ways(flow, windows)} == hosts


def test_what_is_brought_again_was_written_before() -> None:
    """Only the connection is of the window."""
    flow = _flow("window", "retry-connection-in-window")
    letter = flow._letter(flow._streams[0])
    assert OPENS - WINDOW / 20 < letter.at < OPENS


@pytest.mark.parametrize(("windows", "begins"), [(-0.03, False), (-0.01, True), (0.01, False)])
def test_one_message_crosses_the_opening(windows: float, begins: bool) -> None:
    """It begins a moment before, and once."""
    flow = _flow("before", "benign-in-flight-edge")
    at = OPENS + windows * WINDOW
    assert flow._crosses(at) is begins
    flow._crossed = True
    assert not flow._crosses(at)


@pytest.mark.parametrize(("phase", "far"), [("before", 75), ("after", 8)])
def test_a_share_of_the_mail_goes_elsewhere(phase: Phase, far: int) -> None:
    """One receiver gets three quarters of it, and later a tenth of that."""
    flow = _flow(phase, "one-destination-starved")
    readers = [flow._letter(flow._streams[0]).recipient for _ in range(100)]
    assert sum(reader.endswith("@big.example") for reader in readers) == far


def test_a_stream_keeps_its_pace() -> None:
    """So many messages an announced minute, whatever sending one takes."""
    flow = _flow("after", "one-destination-starved")
    places = []
    for _ in range(2):
        assert flow._pause() >= 0
        places.append(flow._next_at)
    assert places[1] - places[0] >= WINDOW / (60 * 5.0)
