# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A Campaign behind nginx with TLS: what a capture reads through it, and its certificates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
import trustme
from tests.builders.estates import estate, instance
from tests.builders.snapshots import BEFORE, campaign, snapshot, zone
from tests.real.front import HOST, Front, front

from wavegate.compare.nothing_else_changed import (
    Residue,
    compare_nothing_else_changed,
    gather,
)
from wavegate.estate.model import Estate, Instance
from wavegate.estate.policy import Policy
from wavegate.lab.serve import running
from wavegate.observe.campaign_probe import CampaignProbe
from wavegate.observe.capture import capture
from wavegate.observe.functions.answer import Lacking
from wavegate.observe.functions.certificate import certificate
from wavegate.observe.functions.facing import Facing
from wavegate.observe.host_probe import HostProbe
from wavegate.observe.http_client import new_context
from wavegate.observe.probe import Probe, Task
from wavegate.record.campaign_view import CampaignView, ServerInfo
from wavegate.record.dns_view import DnsView
from wavegate.record.host_view import HostView
from wavegate.record.observation import Observation, Unreachable
from wavegate.record.snapshot import Phase, Snapshot
from wavegate.verdict import Judgement, Verdict

Issue = Callable[[trustme.CA], trustme.LeafCert]
YEAR = timedelta(days=365)


@cache
def healthy(authority: trustme.CA) -> trustme.LeafCert:
    """For the host, until next year; the same one whenever it is asked for."""
    return authority.issue_cert(HOST, not_after=datetime.now(UTC) + YEAR)


def renewed(authority: trustme.CA) -> trustme.LeafCert:
    """A later one of the same kind."""
    return authority.issue_cert(HOST, not_after=datetime.now(UTC) + 2 * YEAR)


def expired(authority: trustme.CA) -> trustme.LeafCert:
    """One that has run out."""
    now = datetime.now(UTC)
    return authority.issue_cert(HOST, not_before=now - 2 * YEAR, not_after=now - YEAR)


def for_another_name(authority: trustme.CA) -> trustme.LeafCert:
    """One that is good for somebody else."""
    return authority.issue_cert("www.globex.example", not_after=datetime.now(UTC) + 2 * YEAR)


def by_a_stranger(authority: trustme.CA) -> trustme.LeafCert:
    """One that nobody here trusts."""
    del authority
    return renewed(trustme.CA())


@dataclass(frozen=True)
class Served:
    """The front and the estate that names it."""

    front: Front
    estate: Estate

    @property
    def instance(self) -> Instance:
        """The only one."""
        return self.estate.instances[0]

    def look(self, *probes: Probe) -> tuple[Observation, ...]:
        """What probes see through the front."""
        base = self.front.folder
        task = Task(estate=self.estate, instance=self.instance, vantage="here", base=base)
        ((_, captured),) = capture([task], probes)
        assert captured.complete
        return captured.looked.observations

    def handshakes(self, phase: Phase, issue: Issue, **other: object) -> Snapshot:
        """A phase in which nginx shows a certificate; all else is healthy."""
        shown = issue(self.front.authority)
        with self.front.serving(shown, **other):  # type: ignore[arg-type] # of the test
            seen = self.look(HostProbe())
        return snapshot(phase, (*zone(BEFORE), *campaign(BEFORE), *seen))

    def judged(self, before: Snapshot, after: Snapshot) -> Judgement:
        """What the residue makes of two phases."""

        def side(taken: Snapshot) -> Residue:
            names, server = DnsView(taken), CampaignView(taken)
            return gather(self.instance, names, server, hosts=HostView(taken))

        return compare_nothing_else_changed(side(before), side(after))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The lab's Campaign, the front before it, and the operator's secrets as files."""
    folder = tmp_path_factory.mktemp("front")
    with running("single", folder / "lab", opens_in=timedelta(minutes=10)) as lab:
        inside = lab.campaigns["acme-prod1"]
        found = front(folder / "nginx", inside.url)
        (found.folder / "operator").write_text(inside.sessions.operator)
        (found.folder / "password").write_text(inside.sessions.password)
        one = instance(
            url=found.url,
            tls={"ca": "file:ca.pem"},
            credentials={"operator": "file:operator", "password": "file:password"},
        )
        policy = Policy.model_validate({"too_slow": "5s", "timestamps": "optional"})
        yield Served(found, estate(one, policy=policy))


@pytest.fixture(scope="module")
def before(served: Served) -> Snapshot:
    """Healthy handshakes."""
    return served.handshakes("before", healthy)


def test_everything_is_read_through_the_front(served: Served) -> None:
    """Build, logon, options: nginx hands on headers and tokens, and nothing stays unanswered."""
    with served.front.serving(healthy(served.front.authority)):
        seen = served.look(CampaignProbe(), HostProbe())
    taken = snapshot("before", seen)
    assert [] == [o.subject for o in seen if isinstance(o.outcome, Unreachable)]
    view = CampaignView(taken)
    assert isinstance(view.logon, ServerInfo)
    assert {view.logon.build_number} == {redir.build for redir in view.redir}
    assert {None} == {s.untrusted for shakes in HostView(taken).tls.values() for s in shakes}


def test_a_renewed_certificate_is_no_change(served: Served, before: Snapshot) -> None:
    """Same names, same issuer, later end: cleared by its rule."""
    found = served.judged(before, served.handshakes("after", renewed))
    assert (Verdict.PASSED, ()) == (found.verdict, found.findings)
    assert "certificate-renewed" in {row.rule for row in found.cleared}


@pytest.mark.parametrize(
    ("issue", "why"),
    [
        (expired, "certificate has expired"),
        (for_another_name, "www.globex.example"),
        (by_a_stranger, "unable to get local issuer certificate"),
    ],
)
def test_a_certificate_that_clients_refuse_is_named(
    served: Served, before: Snapshot, issue: Issue, why: str
) -> None:
    """The finding says why, and the probe of the window says the same."""
    after = served.handshakes("after", issue)
    found = served.judged(before, after)
    told = {finding.subject: finding.observed for finding in found.findings}
    assert why in told.pop(f"{HOST}:{served.front.port} certificate")
    assert set(told) <= {f"{HOST}:{served.front.port} certificate in use"}  # one that ends earlier
    with served.front.serving(issue(served.front.authority)):
        asked = certificate(facing(served), HOST, served.front.port)
    assert not isinstance(asked, Lacking)
    (answer,) = asked
    assert "certificate not trusted" in answer.detail
    assert why in answer.detail


def test_a_missing_intermediate_is_guessed_at(served: Served, before: Snapshot) -> None:
    """A chain that is not sent whole is refused by clients that do not know its middle."""

    @cache
    def between(authority: trustme.CA) -> trustme.LeafCert:
        return renewed(authority.create_child_ca())

    whole = served.judged(before, served.handshakes("after", between))
    part = served.judged(before, served.handshakes("after", between, whole=False))
    assert "missing intermediate" not in str(whole.findings)
    assert "missing intermediate" in str(part.findings)


def test_a_version_that_is_no_longer_spoken_is_named(served: Served, before: Snapshot) -> None:
    """TLS 1.2 was spoken before and is refused after: clients that know no other are lost."""
    found = served.judged(before, served.handshakes("after", healthy, protocols="TLSv1.3"))
    assert Verdict.FAILED == found.verdict
    assert [f"{HOST}:{served.front.port} TLS 1.2"] == [row.subject for row in found.findings]


def facing(served: Served) -> Facing:
    """The instance as a watch faces it."""
    trusted = (served.front.folder / "ca.pem").read_text()
    return Facing(
        estate=served.estate,
        instance=served.instance,
        window=timedelta(seconds=20),
        base=served.front.folder,
        context=new_context(trusted),
    )
