# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The suites that ship, unchanged, over a clean and a broken wave on real servers."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.real.daemons import as_root, binary
from tests.real.judging import IPS
from tests.real.names import ADDRESSES
from tests.real.world import HEALTHY, Broken, Played, play

NEEDED = {
    "nsd": "nsd",
    "unbound": "unbound",
    "postfix": "postfix",
    "opendkim": "opendkim",
    "nginx": "nginx-light",
}
WORLDS = {
    "clean": Broken(),
    "broken": Broken(
        stale=replace(HEALTHY, serial=4, policy="v=spf1 ip4:127.10.3.11 ip4:192.0.2.0/28 -all"),
        leaks=IPS[1],
        loses=True,
    ),
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[dict[str, Future[Played]]]":
    """Both worlds, played at the same time; they share nothing but the machine."""
    as_root("Postfix")
    for name, package in NEEDED.items():
        binary(name, package)
    folder = tmp_path_factory.mktemp("waves")
    with ThreadPoolExecutor(len(WORLDS)) as pool:
        yield {name: pool.submit(play, folder / name, what) for name, what in WORLDS.items()}


@pytest.mark.timeout(400)  # it waits for both plays, which a busy machine may begin anew
def test_a_clean_world_is_go(played: "dict[str, Future[Played]]") -> None:
    """Every promise that these servers play is kept, nothing is open, and the bundle verifies."""
    found = played["clean"].result()
    assert {} == found.cells("FAILED") | found.cells("INCONCLUSIVE"), found.told()
    assert (0, "GO", 0) == (found.gate.code, found.gate.data["decision"], found.gate.data["open"])
    assert 0 == found.verify.code


def test_a_broken_world_is_no_go_for_what_is_broken(played: "dict[str, Future[Played]]") -> None:
    """The stale server, the address that leaked and the lost message are named, nothing else."""
    found = played["broken"].result()
    assert (1, "NO-GO") == (found.gate.code, found.gate.data["decision"])
    failed = found.cells("FAILED")
    assert {"spf", "nothing_else_changed", "sending_window", "queued_mail"} == set(failed), (
        found.told()
    )
    assert {} == found.cells("INCONCLUSIVE"), found.told()
    for promise in ("spf", "nothing_else_changed"):
        servers = {w for w in failed[promise] if w.startswith(ADDRESSES) and ":" in w}
        assert {ADDRESSES[1]} == {server.partition(":")[0] for server in servers}
    assert {IPS[1]} == set(IPS) & set(failed["sending_window"])
    assert found.lost in failed["queued_mail"]
    assert 0 == found.verify.code
