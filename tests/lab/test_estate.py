# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The estate file that the lab writes, read by the harness."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wavegate.estate.load import load
from wavegate.estate.model import Estate
from wavegate.lab.estate import Account, Place, write_estate
from wavegate.lab.faults import faults, planted
from wavegate.lab.reference import reference_world

OPENS = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
WORLD = reference_world()


def _place(window: timedelta = timedelta(seconds=10)) -> Place:
    return Place(
        opens=OPENS,
        window=window,
        resolver="127.53.0.53:5300",
        authoritative={"news.acme.example.": ["127.53.1.1:5300"]},
        accounts={
            item.name: Account(
                url="http://127.0.0.1:8000", operator="secrets/o", password="secrets/p"
            )
            for item in WORLD.agreed.instances
        },
        secrets=dict.fromkeys(WORLD.agreed.customers, "secrets/s"),
        smtp="127.0.0.1:2525",
    )


def _estate(folder: Path, *chosen: str) -> Estate:
    path = folder / "estate.yaml"
    write_estate(path, planted(WORLD, chosen).agreed, _place())
    return load(path).estate


def test_the_wave_under_test_comes_first(tmp_path: Path) -> None:
    """waves[0] has the window; dev and stage are closed before it opens, all were told in time."""
    estate = _estate(tmp_path)
    first, *others = estate.waves
    assert first.window is not None
    assert (first.window.start, first.window.end) == (OPENS, OPENS + timedelta(seconds=10))
    assert {estate.instance(name).environment for name in first.instances} == {"prod"}
    assert all(wave.closed is not None and wave.closed.at < OPENS for wave in others)
    assert all(OPENS - notice.sent > timedelta(days=7) for notice in first.notices)
    assert {notice.customer for notice in first.notices} == {"acme", "globex", "initech"}


def test_the_cast_is_complete(tmp_path: Path) -> None:
    """Three customers, eight instances or more, and every kind that the migration concerns."""
    estate = _estate(tmp_path)
    kinds = {(item.product, item.hosting) for item in estate.instances}
    assert len(estate.instances) >= 8
    assert kinds == {
        ("campaign-v8", "managed"),
        ("campaign-v7", "hosted"),
        ("campaign-v7", "hybrid"),
    }
    assert {item.environment for item in estate.instances} == {"dev", "stage", "prod"}


@pytest.mark.parametrize("seconds", [2, 10, 3600])
def test_durations_are_in_proportion_to_the_window(tmp_path: Path, seconds: int) -> None:
    """Whoever reads the estate only need not know at which scale the lab plays."""
    window = timedelta(seconds=seconds)
    path = tmp_path / "estate.yaml"
    write_estate(path, WORLD.agreed, _place(window))
    policy = load(path).estate.policy
    assert policy.probe_interval <= window / 20
    assert policy.queue_deadline == 2 * window
    assert policy.throughput_unit * 15 == policy.due_after("throughput")
    assert policy.due_after("sending_window") == window
    assert policy.due_after("spf") == timedelta()
    assert policy.timestamps == "optional"


def test_secrets_are_references(tmp_path: Path) -> None:
    """Nothing secret stands in the file itself."""
    found = _estate(tmp_path).instance("acme-prod1").credentials
    assert found is not None
    assert (found.operator, found.password) == ("file:secrets/o", "file:secrets/p")


@pytest.mark.parametrize("fault", [item.id for item in faults()])
def test_every_planted_estate_can_be_read(tmp_path: Path, fault: str) -> None:
    """What is wrong with an agreement is a verdict, not an error of the file."""
    assert _estate(tmp_path, fault).waves


def _sent_before(estate: Estate, customer: str) -> timedelta:
    wave = estate.waves[0]
    assert wave.window is not None
    return wave.window.start - min(
        notice.sent for notice in wave.notices if notice.customer == customer
    )


@pytest.mark.parametrize(
    ("fault", "days", "hours"),
    [
        ("notice-6d23h", 6, 23),
        ("notice-dst-spring", 6, 23),
        ("benign-notice-exactly-7d", 7, 0),
        ("benign-notice-dst-autumn", 7, 1),
        ("benign-two-notices", 12, 0),
    ],
)
def test_notices_lie_where_the_catalogue_says(
    tmp_path: Path, fault: str, days: int, hours: int
) -> None:
    """Between instants, whatever the text of the offsets suggests."""
    distance = _sent_before(_estate(tmp_path, fault), "acme")
    assert distance == timedelta(days=days, hours=hours)


def test_offsets_hide_the_missing_hour(tmp_path: Path) -> None:
    """On the wall it is a week: the trap of the spring change."""
    _estate(tmp_path, "notice-dst-spring")
    text = (tmp_path / "estate.yaml").read_text()
    assert "2026-05-06T09:08:09+02:00" in text
    assert "2026-04-29T09:08:09+01:00" in text
