# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Faults of names and hosts in the lab, captured before and after and judged, without a window."""

import asyncio
import shutil
import subprocess
from base64 import b64decode
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.builders.snapshots import BEFORE, campaign, snapshot

from wavegate.compare.nothing_else_changed import Residue, compare_nothing_else_changed, gather
from wavegate.estate.load import load
from wavegate.estate.model import Estate, Instance
from wavegate.lab.dns_server import Dns
from wavegate.lab.estate import Account, Place, write_estate
from wavegate.lab.faults import explain, planted
from wavegate.lab.plants import PROD
from wavegate.lab.reference import reference_names, reference_world
from wavegate.lab.ssh_host import SshHost, host_key
from wavegate.lab.world import Scene, World
from wavegate.observe.capture import capture
from wavegate.observe.dns_probe import DnsProbe
from wavegate.observe.host_probe import HostProbe
from wavegate.observe.probe import Task
from wavegate.record.campaign_view import CampaignView
from wavegate.record.dns_view import DnsView
from wavegate.record.host_view import HostView
from wavegate.record.snapshot import Phase
from wavegate.verdict import Judgement, Verdict

BASE = reference_world()
CLEARED_BY = {
    "benign-dnssec-key-rolled": "dnssec-keys-roll",
    "benign-tags-respaced": "tags-respaced",
    "benign-ip-delisted": "left-a-blocklist",
    "benign-ttl-change": None,
    "benign-soa-serial": "soa-serial-counts-edits",
    "benign-tracking-ip-rotation": "address-behind-cname",
    "benign-ns-order": None,
    "benign-case-randomised": None,
}
FAULTS = (
    "dnssec-bogus",
    "dnssec-ds-lost",
    "dnssec-one-server-unsigned",
    "caa-forbids-renewal",
    "tls-reporting-lost",
    "mta-sts-announcement-lost",
    "sending-ip-blocklisted",
    "sftp-host-key-changed",
    "mx-lost",
    "spf-helo-identity-lost",
    "tracking-cname-elsewhere",
)


def play(world: World, directory: Path) -> Judgement:
    """Capture names and hosts of the one instance in both scenes, and judge them."""

    async def both() -> Judgement:
        async with AsyncExitStack() as stack:
            dns = Dns(world.before)
            await dns.start(stack)
            sftp = SshHost(lambda: dns.scene.instance(PROD).campaign.functions.host_key)
            await sftp.start(stack)
            estate = agreed(world, dns, sftp, directory)
            before = await asyncio.to_thread(side, "before", estate, directory)
            dns.scene = world.after
            after = await asyncio.to_thread(side, "after", estate, directory)
            return compare_nothing_else_changed(before, after)

    return asyncio.run(both())


def agreed(world: World, dns: Dns, sftp: SshHost, directory: Path) -> Estate:
    """The estate of the world, as the lab writes it."""
    place = Place(
        opens=datetime(2024, 1, 16, 22, tzinfo=UTC),
        window=timedelta(seconds=20),
        resolver=dns.resolver,
        authoritative={
            zone.origin: servers(dns, world.before, zone.origin) for zone in world.before.zones
        },
        accounts={PROD: Account(url="http://127.0.0.1:1", operator="o", password="p")},
        secrets=dict.fromkeys(world.agreed.customers, "s"),
        smtp="127.0.0.1:2",
        sftp={PROD: sftp.address},
    )
    write_estate(directory / "estate.yaml", world.agreed, place)
    return load(directory / "estate.yaml").estate


def servers(dns: Dns, scene: Scene, origin: str) -> list[str]:
    """Who serves a zone."""
    return [dns.address(server.name) for server in scene.servers if origin in server.zones]


def side(phase: Phase, estate: Estate, directory: Path) -> Residue:
    """One side, really captured; Campaign's answers are those of a healthy instance."""
    found: Instance = estate.instance(PROD)
    task = Task(estate=estate, instance=found, vantage="here", base=directory)
    ((_, captured),) = capture([task], [DnsProbe(), HostProbe()])
    taken = snapshot(phase, (*captured.looked.observations, *campaign(BEFORE)))
    return gather(
        found,
        DnsView(taken),
        CampaignView(taken),
        hosts=HostView(taken),
        blocklists=estate.policy.blocklists,
    )


def test_nothing_happens(tmp_path: Path) -> None:
    """Without a fault nothing differs, nothing is cleared, and lists and host keys were seen."""
    found = play(BASE, tmp_path)
    assert (Verdict.PASSED, ()) == (found.verdict, found.cleared), found.reason
    not_seen = " ".join(row.what for row in found.not_compared)
    assert "listed on" not in not_seen
    assert "host key" not in not_seen


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_with_its_witness(tmp_path: Path, fault: str) -> None:
    """One finding, which names what the catalogue says."""
    found = play(planted(BASE, (fault,)), tmp_path)
    assert Verdict.FAILED == found.verdict
    assert 1 == len(found.findings), [f.explanation for f in found.findings]
    witness = " ".join(found.findings[0].witness)
    names = reference_names()
    assert [] == [name for name in explain(fault).names if names.get(name, name) not in witness]


@pytest.mark.parametrize("variation", CLEARED_BY)
def test_a_variation_is_none(tmp_path: Path, variation: str) -> None:
    """It passes, and what was seen is cleared by its rule."""
    found = play(planted(BASE, (variation,)), tmp_path)
    assert Verdict.PASSED == found.verdict, found.reason
    assert CLEARED_BY[variation] in {None, *(c.rule for c in found.cleared)}


def test_the_lab_shows_its_host_key_to_a_stock_client() -> None:
    """What `ssh-keyscan` reads, signature of the exchange and all, is the key of the name."""
    keyscan = shutil.which("ssh-keyscan")
    if keyscan is None:
        pytest.skip("there is no ssh-keyscan here")

    async def scan() -> str:
        async with AsyncExitStack() as stack:
            host = SshHost(lambda: "the first")
            await host.start(stack)
            port = host.address.rpartition(":")[2]
            command = [keyscan, "-T", "5", "-t", "ed25519", "-p", port, "127.0.0.1"]
            done = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, check=False
            )
            return str(done.stdout)

    shown = asyncio.run(scan())
    expected = host_key("the first").public_key().public_bytes_raw()
    assert "ssh-ed25519" in shown
    assert b64decode(shown.split()[-1]).endswith(expected)
