# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import estate, instance, wave
from tests.builders.stores import Desk

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.compare.sending_window_back import mails_in_the_hour
from wavegate.estate.load import dump
from wavegate.estate.model import MailSource, Window
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.predicates import PlanPredicate, SeedRuns
from wavegate.evidence.statement import read
from wavegate.run.opening import open_wave
from wavegate.run.seeds import seeds


def test_each_domain_gets_seeds_before_over_and_after_the_window(desk: Desk) -> None:
    """The counts cover the pool, the slots lie in their phase, the addresses are not guessable."""
    opened = open_wave(desk.folder / "estate.json", desk.wave, desk.folder / "store", create=False)
    orders = seeds(opened)
    window: Window = opened.window
    assert {"before", "queued", "after"} == {order.phase for order in orders}
    for order in orders:
        assert order.count >= 5 * len(opened.instances[0].sending_ips) or order.phase == "queued"
        for slot in order.slots:
            inside = window.start <= slot < window.end
            assert inside == (order.phase == "queued")
            assert (slot < window.start) == (order.phase == "before")
    locals_ = [address.partition("@")[0] for order in orders for address in order.addresses]
    assert len(set(locals_)) == len(locals_)
    assert all(len(local) >= 32 for local in locals_)


def test_plan_writes_the_seeds_once(tmp_path: Path) -> None:
    """A seed plan that was handed out is not overwritten; a refused plan writes none."""
    fresh = Desk(tmp_path / "fresh")
    (tmp_path / "e.json").write_bytes(dump(fresh.estate))
    args = ["plan", "--estate", str(tmp_path / "e.json"), "--wave", fresh.wave]
    args += ["--store", str(tmp_path / "s"), "--seeds", str(tmp_path / "seeds.json")]
    assert 0 == run(args)
    assert "wavegate/seeds/v1" == json.loads((tmp_path / "seeds.json").read_bytes())["schema"]
    before = (tmp_path / "seeds.json").read_bytes()
    assert 2 == run(args)
    assert before == (tmp_path / "seeds.json").read_bytes()
    assert 1 == len(list((tmp_path / "s/plans" / fresh.wave).iterdir()))


def plan_with(fresh: Desk, tmp_path: Path, *more: str) -> int:
    """Plan over a fresh estate file."""
    (tmp_path / "e.json").write_bytes(dump(fresh.estate))
    args = ["plan", "--estate", str(tmp_path / "e.json"), "--wave", fresh.wave]
    return run([*args, "--store", str(tmp_path / "s"), *more])


def planned_seeds(tmp_path: Path, wave: str, version: int) -> Mapping[str, SeedRuns]:
    """What a version of the plan knows of the seeds."""
    place = tmp_path / "s/plans" / wave / f"{version:06d}.dsse.json"
    return read(read_unverified(place.read_bytes()), PlanPredicate).predicate.seeds


def test_the_plan_records_the_bursts_that_were_ordered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs, seeds and stem stand in the signed plan; a later plan without --seeds keeps them."""
    opening = clock.now() + timedelta(days=3)
    window = Window(start=opening, end=opening + timedelta(hours=1))
    fresh = Desk(tmp_path / "fresh", estate=estate(waves=(wave(window=window),)))
    out = tmp_path / "seeds.json"
    assert 0 == plan_with(fresh, tmp_path, "--seeds", str(out), "--seed-runs", "20")
    bursts = [row for row in json.loads(out.read_bytes())["seeds"] if row["burst"]]
    found = planned_seeds(tmp_path, fresh.wave, 1)["acme-prod1"]
    assert (20, 20) == (found.runs, found.seeds)
    assert ["before", "after"] == [row["phase"] for row in bursts]
    for row in bursts:
        assert 20 == len(set(row["addresses"])) == len(row["slots"]) == row["count"] // 20
        assert all(address.startswith(f"{found.stem}-") for address in row["addresses"])
    capsys.readouterr()
    assert 0 == plan_with(fresh, tmp_path, "--json")
    assert "--seed-runs" not in capsys.readouterr().out
    assert found == planned_seeds(tmp_path, fresh.wave, 2)["acme-prod1"]
    assert 0 == plan_with(fresh, tmp_path, "--seeds", str(tmp_path / "again.json"))
    assert {} == planned_seeds(tmp_path, fresh.wave, 3)


def test_bursts_need_a_place_to_be_written(tmp_path: Path) -> None:
    """Runs that nobody is told of would make `throughput` wait for ever."""
    fresh = Desk(tmp_path / "fresh")
    assert 2 == plan_with(fresh, tmp_path, "--seed-runs", "20")
    assert not (tmp_path / "s").exists()


def test_no_bursts_to_fixed_addresses(tmp_path: Path) -> None:
    """A delivery reaches an address once: a sink that takes one address sees no burst."""
    sink = MailSource(sink=True, recipients=("seed@seed.example",))
    fresh = Desk(tmp_path / "fresh", estate=estate(instance(mail=(sink,))))
    out = tmp_path / "seeds.json"
    assert 0 == plan_with(fresh, tmp_path, "--seeds", str(out), "--seed-runs", "20")
    assert {} == planned_seeds(tmp_path, fresh.wave, 1)


def test_short_windows_ask_for_more_seeds() -> None:
    """Three times the longest gap must fit into half the window, also if mails come at random."""
    found = [mails_in_the_hour(timedelta(minutes=minutes)) for minutes in (60, 30, 120)]
    assert [(6, 23), (12, 56), (5, 8)] == found
