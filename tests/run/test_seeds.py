# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

from tests.builders.stores import Desk

from wavegate.cli.entry import run
from wavegate.estate.model import Window
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
    from wavegate.estate.load import dump

    fresh = Desk(tmp_path / "fresh")
    (tmp_path / "e.json").write_bytes(dump(fresh.estate))
    args = ["plan", "--estate", str(tmp_path / "e.json"), "--wave", fresh.wave]
    args += ["--store", str(tmp_path / "s"), "--seeds", str(tmp_path / "seeds.json")]
    assert 0 == run(args)
    assert "wavegate/seeds/v1" == json.loads((tmp_path / "seeds.json").read_bytes())["schema"]
    before = (tmp_path / "seeds.json").read_bytes()
    assert 2 == run(args)
    assert before == (tmp_path / "seeds.json").read_bytes()
