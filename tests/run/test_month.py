# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders import judged_here
from tests.builders.nights import DAY, Nights, agreed, dev, night, zone
from tests.builders.snapshots import NS
from tests.builders.worlds import DOMAIN, World

from wavegate.run.nightly import Nightly
from wavegate.run.notify import Transition

pytestmark = pytest.mark.timeout(600)
PAGE = Path(__file__).parents[2] / "docs" / "nightly.md"
HEALTHY = World(phase="after")
OTHER = {**zone("10.2.0.192.in-addr.arpa", "PTR", f"other.{DOMAIN}.")}
PTR = replace(HEALTHY, zone={**OTHER, (f"other.{DOMAIN}", "A"): ("192.0.2.10",)})
NEW_BUILD = replace(
    HEALTHY,
    attributes="build='9283' sha1='cc45440' instance='acme_mkt_prod1'",
    logon={"build": "9283"},
)
ODD = replace(HEALTHY, odd={NS[1]: {(f"_dmarc.{DOMAIN}", "TXT"): ('"v=DMARC1; p=none"',)}})
SILENT = replace(HEALTHY, silent=(NS[1],))
OPEN = '"v=spf1 ip4:192.0.2.0/24 -all"'
SPF = replace(NEW_BUILD, zone=zone(DOMAIN, "TXT", OPEN, '"site-verification=abc"'))
ACME = (
    dict.fromkeys((6, 7, 8), PTR)
    | dict.fromkeys((15, 17, 19), ODD)
    | dict.fromkeys(range(23, 28), SILENT)
)
"""What is to be seen of acme-dev1, night by night; healthy in all others."""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Nightly]]:
    """The month, played once."""
    with pytest.MonkeyPatch.context() as patch:
        judged_here.use(patch)
        yield play(make(tmp_path_factory.mktemp("month")))


def make(folder: Path) -> Nights:
    """Two customers, of which one expects a change in the nights 12 to 16."""
    expected = {
        "instances": ["globex-stage1"],
        "promise": "build_version",
        "from": "9282",
        "to": "9283",
        "ticket": "CHG-7",
        "between": {"from": night(11, hours=12), "to": night(16)},
    }
    instances = dev(owner="ann"), dev("globex-stage1")
    return Nights(folder, estate=agreed(*instances, expected_changes=(expected,)))


def globex(n: int) -> World:
    """What is to be seen of globex-stage1 in a night."""
    return HEALTHY if n < 12 else NEW_BUILD if n < 29 else SPF


def play(nights: Nights) -> dict[int, Nightly]:
    """A month: night 10 does not run; in the mornings after 1, 13 and 29 somebody accepts."""
    found = {}
    for n in (n for n in range(1, 31) if n != 10):
        nights.worlds = {"acme-dev1": ACME.get(n, HEALTHY), "globex-stage1": globex(n)}
        found[n] = nights.play(night(n))
        if n == 1:
            nights.accept(night(n, hours=7), why="as after the wave")
        if n == 13:
            nights.accept(night(n, hours=7), why="new build", ticket="CHG-7")
        if n == 29:
            nights.accept(night(n, hours=7), why="agreed", instances=("globex-stage1",))
    return found


def row(n: int, told: Transition) -> tuple[int, str, str, str, str | None, timedelta | None]:
    """A notification, as the month's list has it."""
    return (n, told.kind, told.promise, told.customer, told.owner, told.lasted)


def test_a_month_of_nights_tells_this_and_nothing_else(month: dict[int, Nightly]) -> None:
    """Quiet nights, a change, a flapping server, an expected one, a missed night, accepts."""
    told = [row(n, one) for n, found in month.items() for one in found.transitions]
    silent = ("reverse_dns", "spf", "dkim", "dmarc", "nothing_else_changed")
    assert [
        (6, "broke", "reverse_dns", "acme", "ann", None),
        (9, "recovered", "reverse_dns", "acme", "ann", 3 * DAY),
        *(
            (n + late, kind, "dmarc", "acme", "ann", DAY if late else None)
            for n in (15, 17, 19)
            for late, kind in ((0, "broke"), (1, "recovered"))
        ),
        *((26, "undecided", promise, "acme", "ann", None) for promise in silent),
        *((28, "recovered", promise, "acme", "ann", 5 * DAY) for promise in silent),
        (29, "broke", "spf", "globex", None, None),
    ] == told
    codes = [(n, found.exit_code) for n, found in month.items() if found.exit_code]
    assert [
        (1, 3),
        *((n, 1) for n in (6, 7, 8, 15, 17, 19)),
        *((n, 3) for n in range(23, 28)),
        (29, 1),
    ] == codes
    changed = [n for n, found in month.items() if found.night and found.night.changed]
    assert [6, 9, 15, 16, 17, 18, 19, 20, 23, 28, 29] == changed


def test_the_page_tells_the_month_as_it_was_played(month: dict[int, Nightly]) -> None:
    """The table of notifications in the docs is what is sent, in this order."""
    told = [row(n, one) for n, found in month.items() for one in found.transitions]
    lines = PAGE.read_text("utf-8").splitlines()
    listed = [line.split(" | ") for line in lines if re.match(r"\| \d+ \| ", line)]
    assert [
        (f"| {n}", kind, f"`{promise}`", customer) for n, kind, promise, customer, *_ in told
    ] == [tuple(cells[:4]) for cells in listed]


def test_what_a_month_shows_beside_its_notifications(month: dict[int, Nightly]) -> None:
    """The missed night, the expected change, the flapping cell: told, and no verdict bent."""
    found = {n: one.night for n, one in month.items()}
    notes = {n: one.notes for n, one in found.items() if one and one.notes}
    assert {11: ("no nightly ran in the night of 2026-01-14",)} == notes
    states = [one.expected_changes[0].state for one in found.values() if one]
    assert ["waiting"] * 9 + ["consumed"] * 2 + ["spent"] * 17 == states
    unstable = {n: one.unstable for n, one in found.items() if one and one.unstable}
    assert [17, *range(18, 31)] == list(unstable)
    assert {("dmarc", 6)} == {(u.promise, u.flips) for u in unstable[22]}
    lines = [line for one in found.values() if one for t in one.transitions for line in t.lines]
    assert "unstable: it turned 6 times in 30 nights" in lines
