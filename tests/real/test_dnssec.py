# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A zone that Knot signs, whose signatures hold before and are broken after in several ways."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from tests.real.daemons import free_port
from tests.real.judging import agreed, judged, taken
from tests.real.names import Knot, nsd
from tests.real.zones import PARENT, REVERSE, SENDER, Version

from wavegate.estate.model import Estate
from wavegate.record.snapshot import Snapshot
from wavegate.verdict import Judgement, Verdict

HEALTHY = Version(serial=5)
ZONE = HEALTHY.zones()[SENDER]


@dataclass(frozen=True)
class Signed:
    """The signing server, the estate, what was captured before, and the zone as it was signed."""

    knot: Knot
    estate: Estate
    before: Snapshot
    zone: str

    def after(self, zone: str, *, signing: bool) -> Judgement:
        """What the residue makes of another zone."""
        with self.knot.serving(zone, signing=signing):
            return judged(self.before, taken("after", self.estate))["nothing_else_changed"]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    """Knot with a signed zone, and its DS in the parent's zone, which NSD serves."""
    folder, address = tmp_path_factory.mktemp("dnssec"), "127.53.1.3"
    knot = Knot(folder=folder / "knot", origin=SENDER, address=address, port=free_port(address))
    with ExitStack() as stack:
        with knot.serving(ZONE, signing=True):
            others = replace(HEALTHY, delegation=knot.delegation()).zones()
            above = {origin: others[origin] for origin in (PARENT, REVERSE)}
            parent = stack.enter_context(nsd(folder / "nsd", "127.53.1.1", above))
            given = {SENDER: (knot.server,), PARENT: (parent.server,), REVERSE: (parent.server,)}
            estate = agreed(parent.server, given)
            before, zone = taken("before", estate), knot.transferred()
        yield Signed(knot, estate, before, zone)


def test_a_zone_that_is_signed_anew_is_as_secure_as_before(signed: Signed) -> None:
    """New signatures by the same keys, and a higher serial, are no difference."""
    found = signed.after(ZONE.replace(" 5 7200 ", " 6 7200 "), signing=True)
    assert (Verdict.PASSED, ()) == (found.verdict, found.findings)


OF_TEXT = re.compile(rf"^{re.escape(SENDER)} \d+ IN RRSIG TXT .*$", re.MULTILINE)
"""The signature over the SPF record and what else is text at the domain itself."""


def spoiled(zone: str) -> str:
    """The zone with another number in that signature."""
    return OF_TEXT.sub(lambda found: found[0][:-12] + "A" * 8 + found[0][-4:], zone)


def expired(zone: str) -> str:
    """The zone with that signature as one of years ago."""
    return OF_TEXT.sub(
        lambda found: re.sub(r"\d{14} \d{14}", "20200131000000 20200101000000", found[0]), zone
    )


def stripped(zone: str) -> str:
    """The zone without that signature."""
    return OF_TEXT.sub("", zone)


def unsigned(zone: str) -> str:
    """The zone as it was before it was signed."""
    del zone
    return ZONE


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (spoiled, f"RRSIG of {SENDER[:-1]} TXT: not of the zone's key"),
        (expired, f"RRSIG of {SENDER[:-1]} TXT: expired"),
        (stripped, f"RRSIG of {SENDER[:-1]} TXT: missing"),
        (unsigned, "DS at the parent, no DNSKEY"),
    ],
)
def test_a_signature_that_does_not_hold_is_named(
    signed: Signed, broken: Callable[[str], str], why: str
) -> None:
    """What a validating resolver would refuse is a change; which set, and why."""
    found = signed.after(broken(signed.zone), signing=False)
    assert Verdict.FAILED == found.verdict
    (finding,) = found.findings
    assert f"{SENDER[:-1]} DNSSEC" == finding.subject
    assert why in finding.witness
