# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The DNS probe against small worlds: every server asked, every lead followed, nothing guessed."""

import asyncio
import errno
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import dns.message
import dns.name
import pytest
from tests.builders.estates import estate, instance
from tests.builders.tiny_dns import TinyDns, Transport, Zone, reply

from wavegate.errors import InternalError
from wavegate.estate.model import Estate, Instance, SenderDomain
from wavegate.estate.policy import Policy
from wavegate.observe import dns_run
from wavegate.observe.dns_client import DnsLimits
from wavegate.observe.dns_names import CANARY, dmarc_walk, reverse_name, url_hosts
from wavegate.observe.dns_probe import DnsProbe, limits_of
from wavegate.observe.dns_run import DnsRun, system_resolvers
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Task
from wavegate.record.dns_view import SIGNED
from wavegate.record.observation import Unreachable
from wavegate.record.snapshot import LeftOut

LIMITS = DnsLimits(timeout=5, tries=2)
HASTY = DnsLimits(timeout=0.05, tries=1)
DOMAIN = "news.acme.example"
RECORDS = (
    f"{DOMAIN}. SOA ns1.acme.example. h.acme.example. 7 1 1 1 1",
    f"{DOMAIN}. NS ns1.acme.example.",
    f"{DOMAIN}. MX 10 inbound.{DOMAIN}.",
    f'{DOMAIN}. TXT "v=spf1 include:_spf.{DOMAIN} exists:%{{i}}.%{{v}}.x.{DOMAIN} a:%{{l}}.x -all"',
    f'_spf.{DOMAIN}. TXT "v=spf1 mx a:relay.{DOMAIN} redirect=late.{DOMAIN}"',
    f'late.{DOMAIN}. TXT "v=spf1 a:host.{DOMAIN} -all"',
    f'acc1._domainkey.{DOMAIN}. TXT "v=DKIM1; p=AAAA"',
    f'_dmarc.{DOMAIN}. TXT "v=DMARC1; p=none; rua=mailto:d@reports.{DOMAIN}"',
    f"inbound.{DOMAIN}. A 192.0.2.5",
    f"relay.{DOMAIN}. A 192.0.2.6",
    f"t.{DOMAIN}. CNAME t1.cdn.example.",
    "t1.cdn.example. A 198.51.100.1",
    "10.2.0.192.in-addr.arpa. CNAME 10.0-63.2.0.192.in-addr.arpa.",
    f"10.0-63.2.0.192.in-addr.arpa. PTR r10.{DOMAIN}.",
    f"r10.{DOMAIN}. A 192.0.2.10",
)
ONE = instance(sending_ips=("192.0.2.10",), url="https://192.0.2.80/")


def world(authoritative: dict[str, Sequence[str]], *instances: Instance, **other: object) -> Estate:
    """An estate whose zones are at these servers."""
    given = {zone: tuple(servers) for zone, servers in authoritative.items()}
    policy = Policy(reachable_private=("127.0.0.0/8",))
    made = estate(instances=instances or (ONE,), policy=policy)
    return made.model_copy(update={"authoritative": given, "resolvers": (), **other})


def look(made: Estate, *, limits: DnsLimits = LIMITS, resolvers: tuple[str, ...] = ()) -> Looked:
    """What the probe brings of the first instance. Without resolvers unless they are given."""
    seen = made.model_copy(update={"resolvers": resolvers})
    task = Task(estate=seen, instance=seen.instances[0], vantage="here", base=Path())
    return DnsProbe(limits).look(task)


def outcomes(looked: Looked, subject: str) -> list[tuple[str, str]]:
    """(server, kind of outcome) of a subject, in order."""
    found = [o for o in looked.observations if o.subject == subject]
    return [(o.asked["server"], type(o.outcome).__name__) for o in found]


@pytest.fixture(autouse=True)
def _no_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks the machine's own resolver."""
    monkeypatch.setattr(dns_run, "system_resolvers", lambda: ())


@pytest.fixture
def two_servers() -> Iterator[tuple[TinyDns, TinyDns]]:
    """Two servers of equal zones."""
    with TinyDns(Zone(*RECORDS)) as one, TinyDns(Zone(*RECORDS)) as two:
        yield one, two


def test_every_server_is_asked_everything(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """Each planned question goes to each authoritative server and has its own observation."""
    servers = sorted(server.server for server in two_servers)
    made = world({".": servers})
    task = Task(estate=made, instance=ONE, vantage="here", base=Path())
    looked = DnsProbe(LIMITS).look(task)
    for subject in DnsProbe().questions(task):
        assert sorted(server for server, _ in outcomes(looked, subject)) == servers, subject


def test_answers_lead_on(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """MX hosts, the SPF closure with macros, CNAME and PTR targets, report addresses: asked."""
    looked = look(world({".": [two_servers[0].server]}))
    subjects = {o.subject for o in looked.observations}
    assert subjects >= {
        f"inbound.{DOMAIN}. AAAA",
        f"_spf.{DOMAIN}. TXT",
        f"late.{DOMAIN}. TXT",
        f"host.{DOMAIN}. A",
        f"relay.{DOMAIN}. A",
        f"192.0.2.10.in-addr.x.{DOMAIN}. A",
        "t1.cdn.example. A",
        "10.0-63.2.0.192.in-addr.arpa. PTR",
        f"r10.{DOMAIN}. A",
        f"r10.{DOMAIN}. TXT",
        f"{DOMAIN}._report._dmarc.reports.{DOMAIN}. TXT",
        f"{CANARY}.{DOMAIN}. TXT",
        "_dmarc.example. TXT",
    }
    assert (
        LeftOut(
            what=f"SPF term a:%{{l}}.x of {DOMAIN}.",
            reason="depends on the local part or HELO name of a mail",
        )
        in looked.left_out
    )


def test_an_observation_says_how_it_was_asked(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """Server, name, type, zone and role are the identity; transport and rcode are heard."""
    server = two_servers[0].server
    looked = look(world({".": [server], f"{DOMAIN}.": [server]}))
    (found,) = [o for o in looked.observations if o.subject == f"acc1._domainkey.{DOMAIN}. TXT"]
    assert found.asked == {
        "server": server,
        "name": f"acc1._domainkey.{DOMAIN}.",
        "type": "TXT",
        "zone": f"{DOMAIN}.",
        "role": "authoritative",
    }
    assert (found.heard["transport"], found.heard["rcode"], found.heard["aa"]) == (
        "udp",
        "NOERROR",
        "1",
    )
    assert (found.vantage, found.kind) == ("here", "dns")


def test_one_silent_server_leaves_the_other(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """A server that says nothing is Unreachable by itself; the other's answers stand."""
    with TinyDns(lambda *_: None) as silent:
        looked = look(world({".": [two_servers[0].server, silent.server]}), limits=HASTY)
    found = dict(outcomes(looked, f"{DOMAIN}. TXT"))
    assert found == {two_servers[0].server: "Seen", silent.server: "Unreachable"}


def test_a_cname_leads_to_the_servers_of_its_target() -> None:
    """A target in another zone is asked at that zone's servers, not at the alias's."""
    alias = Zone(f"t.{DOMAIN}. CNAME t1.cdn.example.", f"{DOMAIN}. A 192.0.2.1")
    with TinyDns(alias) as ours, TinyDns(Zone("t1.cdn.example. A 198.51.100.1")) as theirs:
        looked = look(world({".": [ours.server], "cdn.example.": [theirs.server]}))
        assert outcomes(looked, "t1.cdn.example. A") == [(theirs.server, "Seen")]


def test_cname_loops_end() -> None:
    """A loop is asked once around."""
    with TinyDns(Zone(f"t.{DOMAIN}. CNAME m.{DOMAIN}.", f"m.{DOMAIN}. CNAME t.{DOMAIN}.")) as loop:
        look(world({".": [loop.server]}))
        assert loop.asked.count(f"t.{DOMAIN}. A udp") == 1


def test_an_endless_include_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SPF record that leads on for ever stops at the bound, and the rest is told."""
    from wavegate.observe import dns_walk

    monkeypatch.setattr(dns_walk, "MAX_SPF_NAMES", 20)

    def endless(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        name = query.question[0].name.to_text()
        text = f"v=spf1 include:a.{name} include:b.{name}"
        is_txt = query.question[0].rdtype == dns.rdatatype.TXT
        return reply(query, f'{name} TXT "{text}"') if is_txt else reply(query)

    with TinyDns(endless) as server:
        looked = look(world({".": [server.server]}))
    assert f"SPF of {DOMAIN}." in [left.what for left in looked.left_out]


def test_equal_questions_are_asked_once_per_run(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """What two instances share is asked once per server in a run, and again in the next run."""
    server = two_servers[0]
    other = ONE.model_copy(update={"name": "acme-prod2"})
    made = world({".": [server.server]}, ONE, other)

    async def run() -> list[Looked]:
        found = []
        async with DnsProbe(LIMITS).opened(made) as looks:
            for chosen in made.instances:
                notes = Notes("here")
                await looks(Task(estate=made, instance=chosen, vantage="here", base=Path()), notes)
                found.append(notes.looked())
        return found

    first, second = asyncio.run(run())
    assert len(server.asked) == len(set(server.asked))
    assert first.observations == second.observations
    asyncio.run(run())
    assert len(server.asked) == 2 * len(set(server.asked))


# finding servers


def recursive(*records: str) -> Zone:
    """A resolver that knows these records."""
    return Zone(*records, flags="RA")


def test_servers_are_found_by_following_ns(monkeypatch: pytest.MonkeyPatch) -> None:
    """NS of the closest zone, A of each NS, and those addresses are asked; the way is recorded."""
    monkeypatch.setattr(dns_run, "TOP_SERVERS", 9)
    found = (f"{DOMAIN}. NS ns1.acme.example.", "ns1.acme.example. A 127.0.0.9")
    with TinyDns(recursive(*found)) as resolver:

        async def places() -> tuple[dns_run.Place, dns_run.Place]:
            async with DnsRun(world({}), LIMITS, resolvers=(resolver.server,)) as run:
                name = dns.name.from_text(f"acc1._domainkey.{DOMAIN}")
                return await run.place(name), await run.place(dns.name.from_text("x.other.example"))

        here, nowhere = asyncio.run(places())
    assert (here.zone_text, here.servers, here.role) == (
        f"{DOMAIN}.",
        ("127.0.0.9:53",),
        "authoritative",
    )
    assert {o.subject for o in here.evidence} >= {f"{DOMAIN}. NS", "ns1.acme.example. A"}
    assert (nowhere.servers, nowhere.role) == ((), "resolver")


def test_without_a_zone_cut_the_resolver_is_asked() -> None:
    """A name whose servers nobody knows still has an outcome: the resolver's, by that role."""
    with TinyDns(recursive(*RECORDS[2:5])) as resolver:
        looked = look(world({}), resolvers=(resolver.server,))
    roles = {o.asked["role"] for o in looked.observations}
    assert roles == {"resolver"}
    assert outcomes(looked, f"{DOMAIN}. MX") == [(resolver.server, "Seen")]
    assert f"parent of {DOMAIN}." in {left.what for left in looked.left_out}


def test_the_parents_delegation_is_asked_apart(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """The parent's referral is kept as what it says, and never as the zone's own answer."""

    def refer(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        return reply(query, flags="", authority=[f"{DOMAIN}. NS ns9.acme.example."])

    child = two_servers[0].server
    with TinyDns(refer) as parent:
        looked = look(
            world({".": [child], f"{DOMAIN}.": [child], "acme.example.": [parent.server]})
        )
    told = [o for o in looked.observations if o.asked["role"] == "parent"]
    (found,) = [o for o in told if SIGNED not in o.asked]
    assert (found.subject, found.asked["server"], found.asked["zone"]) == (
        f"{DOMAIN}. NS",
        parent.server,
        "acme.example.",
    )
    assert type(found.outcome).__name__ == "Seen"


def test_a_given_server_that_refers_is_followed() -> None:
    """Where a given server delegates below itself, the child's own servers are asked too."""

    def refer(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        return reply(query, flags="", authority=[f"{DOMAIN}. NS ns1.acme.example."])

    found = (f"{DOMAIN}. NS ns1.acme.example.", "ns1.acme.example. A 127.0.0.9")
    with TinyDns(refer) as parent, TinyDns(recursive(*found)) as resolver:
        looked = look(world({".": [parent.server]}), limits=HASTY, resolvers=(resolver.server,))
    asked = dict(outcomes(looked, f"acc1._domainkey.{DOMAIN}. TXT"))
    assert asked == {parent.server: "Unreachable", "127.0.0.9:53": "Unreachable"}


def test_a_missing_resolver_is_our_own_fault() -> None:
    """Sender domains without given servers need a resolver; its lack is an error, not data."""
    with pytest.raises(InternalError, match="missing resolver"):
        look(world({}))


def test_names_outside_the_given_zones_are_left_out(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """With all that matters given, a missing resolver only leaves out what lies elsewhere."""
    server = [two_servers[0].server]
    looked = look(world({"acme.example.": server, "in-addr.arpa.": server}))
    left = [found.what for found in looked.left_out]
    assert "_dmarc.example. TXT" in left
    assert "t1.cdn.example. A" in left
    assert outcomes(looked, f"{DOMAIN}. TXT") == [(server[0], "Seen")]


def test_a_server_without_route_is_left_out(
    two_servers: tuple[TinyDns, TinyDns], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address family without a route here is no observation; it is listed."""
    connect = socket.socket.connect

    def no_ipv6(self: socket.socket, address: tuple[str, int]) -> None:
        if ":" in address[0]:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", no_ipv6)
    looked = look(world({".": [two_servers[0].server, "[2001:db8::53]:53"]}))
    assert {o.asked["server"] for o in looked.observations} == {two_servers[0].server}
    assert (
        LeftOut(
            what="server [2001:db8::53]:53",
            reason="no IPv6 route from this machine (Network is unreachable)",
        )
        in looked.left_out
    )


def test_a_dead_resolver_is_silence_not_absence() -> None:
    """A resolver that says nothing gives Unreachable and nothing else."""
    with TinyDns(lambda *_: None) as resolver:
        looked = look(
            world({}), limits=DnsLimits(timeout=0.02, tries=1), resolvers=(resolver.server,)
        )
    kinds = {type(o.outcome) for o in looked.observations}
    assert kinds == {Unreachable}


def test_answers_that_are_stopped_leave_what_was_seen(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """After a stop nothing more is asked."""
    made = world({".": [two_servers[0].server]})

    async def run() -> Looked:
        notes = Notes("here")
        notes.stopped.set()
        async with DnsProbe(LIMITS).opened(made) as looks:
            await looks(Task(estate=made, instance=ONE, vantage="here", base=Path()), notes)
        return notes.looked()

    assert asyncio.run(run()).observations == ()
    assert two_servers[0].asked == []


def test_order_does_not_depend_on_who_answers_first(two_servers: tuple[TinyDns, TinyDns]) -> None:
    """Two captures of an unchanged world list the same questions in the same order."""
    made = world({".": [server.server for server in two_servers]})
    one, two = look(made), look(made)
    assert [o.identity for o in one.observations] == [o.identity for o in two.observations]


# names


def test_the_dmarc_walk_has_at_most_eight_names() -> None:
    """RFC 9989 4.10: a long name jumps to its last seven labels, then one at a time to the top."""
    deep = dns.name.from_text("a.b.c.d.e.f.g.h.i.example.com")
    assert [name.to_text() for name in dmarc_walk(deep)] == [
        "_dmarc.a.b.c.d.e.f.g.h.i.example.com.",
        "_dmarc.e.f.g.h.i.example.com.",
        "_dmarc.f.g.h.i.example.com.",
        "_dmarc.g.h.i.example.com.",
        "_dmarc.h.i.example.com.",
        "_dmarc.i.example.com.",
        "_dmarc.example.com.",
        "_dmarc.com.",
    ]
    assert len(dmarc_walk(dns.name.from_text("example.com"))) == 2


def test_reverse_names() -> None:
    """IPv6 by nibbles; a mapped address is the IPv4 address it stands for."""
    assert reverse_name("192.0.2.10").to_text() == "10.2.0.192.in-addr.arpa."
    assert reverse_name("::ffff:192.0.2.10").to_text() == "10.2.0.192.in-addr.arpa."
    assert reverse_name("2001:db8::1").to_text().endswith(".8.b.d.0.1.0.0.2.ip6.arpa.")


def test_names_too_long_to_exist_are_not_asked() -> None:
    """A domain near the limit of 253 octets loses only the names that cannot be."""
    long = ".".join(["a" * 60] * 4)
    one = instance(
        domains=(SenderDomain(name=long, selectors=("a" * 30,)),), sending_ips=(), url=None
    )
    subjects = DnsProbe().questions(Task(estate=world({}), instance=one, vantage="", base=Path()))
    assert f"{long}. TXT" in subjects
    assert not [subject for subject in subjects if f"_domainkey.{long}" in subject]


def test_url_hosts_are_names_only() -> None:
    """Addresses in urls need no DNS; names of functions are asked once each."""
    one = instance(
        url="https://[2001:db8::1]:8443/",
        functions={
            "tracking": {"url": "https://T.news.acme.example/r/test"},
            "mirror_page": {"url": "https://t.news.acme.example/nl/jsp/m.jsp"},
            "sftp": False,
            "report": {"url": "http://127.0.0.1:80/"},
        },
    )
    assert [name.to_text() for name in url_hosts(one)] == ["t.news.acme.example."]


def test_the_time_of_all_tries_is_within_the_policy() -> None:
    """Three tries share too_slow, but a try is never shorter than half a second."""
    slow = estate()
    fast = slow.model_copy(
        update={"policy": slow.policy.model_copy(update={"too_slow": slow.policy.too_slow / 100})}
    )
    assert (limits_of(slow).timeout, limits_of(fast).timeout) == (1.5, 0.5)


def test_resolv_conf_is_read(tmp_path: Path) -> None:
    """The nameserver lines in order, comments and link-local zones aside; no file, no resolver."""
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# x\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver 2001:db8::1\noptions x\n"
    )
    assert system_resolvers(file) == ("192.0.2.1:53", "[2001:db8::1]:53")
    assert system_resolvers(tmp_path / "none") == ()
