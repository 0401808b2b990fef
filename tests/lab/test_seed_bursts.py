# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's operator sends the bursts of seeds that a plan orders, as late as the world says."""

import email
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from tests.lab.conftest import Sink

from wavegate.lab import client, seed_bursts
from wavegate.lab.faults import planted
from wavegate.lab.reference import reference_world
from wavegate.lab.seed_bursts import Order
from wavegate.lab.serve import running
from wavegate.lab.world import Phase

WORLD = planted(reference_world(), ("p95-latency-doubled",))
ADDRESSES = tuple(f"stem-{n:02d}@seed.example" for n in range(20))


def _plan(path: Path) -> None:
    rows = [
        {
            "instance": "acme-prod1",
            "domain": "news.acme.example",
            "phase": phase,
            "slots": ["2026-01-01T00:00:00Z"] * 2,
            "addresses": ADDRESSES[:3],
            "burst": burst,
        }
        for phase in ("before", "after")
        for burst in (3, None)
    ]
    path.write_text(json.dumps({"seeds": rows}), "utf-8")


def test_only_bursts_of_the_phase_are_orders(tmp_path: Path) -> None:
    """Orders for coverage are the flow's own business; without a plan there is none."""
    assert seed_bursts.ordered(tmp_path / "seeds.json", "before") == ()
    _plan(tmp_path / "seeds.json")
    (order,) = seed_bursts.ordered(tmp_path / "seeds.json", "before")
    assert (order.runs, order.addresses) == (2, ADDRESSES[:3])


@pytest.mark.parametrize(("phase", "most"), [("before", 8), ("after", 95)])
def test_a_burst_is_as_late_as_the_world_says(phase: Phase, most: float) -> None:
    """Nearly all came within that time, the last of each burst not much sooner."""
    state = WORLD.scene(phase).instance("acme-prod1")
    order = Order(instance=state.name, domain="news.acme.example", runs=20, addresses=ADDRESSES)
    at = datetime.now(UTC)
    found = list(seed_bursts.letters(state, order, phase))
    late = [(at - letter.at).total_seconds() for letter in found]
    assert len({letter.delivery for letter in found}) == 20
    assert len({letter.message_id for letter in found}) == 400
    assert 0.85 * most < max(late) < 1.1 * most
    assert {letter.recipient for letter in found} == set(ADDRESSES)


def test_bursts_are_sent_once_when_a_phase_is_asked_for(
    tmp_path: Path, listening: Callable[[str], AbstractContextManager[Sink]]
) -> None:
    """The plan lies in the lab's folder by then; asking twice sends no second burst."""
    fault = ("p95-latency-doubled",)
    with (
        running("single", tmp_path, faults=fault, opens_in=timedelta(minutes=5)) as lab,
        listening(lab.smtp) as sink,
    ):
        _plan(tmp_path / "seeds.json")
        for _ in range(2):
            client.phase(tmp_path, "before", patience=timedelta())
        seeds = [mail for mail in sink.mails if mail.recipient.startswith("stem-")]
    assert len(seeds) == 6
    dates = [parsedate_to_datetime(email.message_from_bytes(m.raw)["Date"]) for m in seeds]
    assert max(dates) < datetime.now(UTC)
