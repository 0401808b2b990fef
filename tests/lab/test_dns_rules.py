# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Each misbehaviour of a name server, alone."""

import random

import dns.flags
import dns.message
import dns.rcode
import pytest

from wavegate.lab.dns_rules import Ask, Memory, Transport, react
from wavegate.lab.dns_state import (
    Delays,
    DnsServer,
    Drops,
    Limits,
    MixedCase,
    NoTcp,
    Rr,
    Rule,
    Says,
    Scope,
    Serves,
    Shuffles,
    Silent,
    Truncates,
    Zone,
    txt,
    zone,
)

ORIGIN = "lab.example."


def _zone(address: str = "192.0.2.1") -> Zone:
    many = [Rr(f"many.{ORIGIN}", "A", f"192.0.2.{number}") for number in range(10, 20)]
    return zone(
        ORIGIN,
        [
            Rr(ORIGIN, "SOA", f"ns1.{ORIGIN} host.{ORIGIN} 7 1 1 1 1"),
            Rr(ORIGIN, "TXT", txt("hello")),
            Rr(f"www.{ORIGIN}", "A", address),
            Rr(f"alias.{ORIGIN}", "CNAME", f"www.{ORIGIN}"),
            *many,
        ],
    )


class _Server:
    """A server with rules, asked again and again."""

    def __init__(self, *rules: Rule) -> None:
        self._server = DnsServer(
            name="ns1", host=f"ns1.{ORIGIN}", address="127.0.0.9", zones=(ORIGIN,), rules=rules
        )
        self._memory = Memory(dice=random.Random(7))  # noqa: S311 - a reproducible dice
        self.delay = 0.0

    def ask(
        self,
        name: str = f"www.{ORIGIN}",
        rdtype: str = "A",
        *,
        transport: Transport = "udp",
        client: str = "127.0.0.1",
        now: float = 0.0,
    ) -> dns.message.Message | None:
        """The answer, or None for silence."""
        ask = Ask(
            query=dns.message.make_query(name, rdtype), transport=transport, client=client, now=now
        )
        reply = react(self._server, (_zone(),), ask, self._memory)
        if reply is None:
            return None
        self.delay = reply.delay
        return dns.message.from_wire(reply.data)

    def text(self, name: str = f"www.{ORIGIN}", rdtype: str = "A", **how: object) -> str:
        """The data of the answer, its rcode if it has none, or `silence`."""
        found = self.ask(name, rdtype, **how)  # type: ignore[arg-type]  # passed on as given
        if found is None:
            return "silence"
        data = [str(rdata) for rrset in found.answer for rdata in rrset]
        return " ".join(data) or dns.rcode.to_text(found.rcode())


def test_without_rules_the_truth_is_told() -> None:
    """A healthy server is the measure of the others."""
    assert _Server().text() == "192.0.2.1"


@pytest.mark.parametrize(
    ("scope", "www", "apex"),
    [
        (Scope(), "silence", "silence"),
        (Scope(names=(f"www.{ORIGIN}",)), "silence", '"hello"'),
        (Scope(types=("TXT",)), "192.0.2.1", "silence"),
        (Scope(under=(ORIGIN,), types=("A",)), "silence", '"hello"'),
    ],
)
def test_a_scope_covers_what_it_names(scope: Scope, www: str, apex: str) -> None:
    """A fault of one name or type must leave the others alone."""
    server = _Server(Silent(scope=scope))
    assert (server.text(), server.text(ORIGIN, "TXT")) == (www, apex)


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NXDOMAIN", "FORMERR"])
def test_an_rcode_replaces_the_answer(rcode: str) -> None:
    """Only a denial of existence is given with authority."""
    found = _Server(Says(rcode=rcode)).ask()
    assert found is not None
    assert dns.rcode.to_text(found.rcode()) == rcode
    assert bool(found.flags & dns.flags.AA) == (rcode == "NXDOMAIN")


def test_truncation_is_for_udp_only() -> None:
    """The same question over TCP gets its answer."""
    server = _Server(Truncates(above=0))
    over_udp = server.ask()
    assert over_udp is not None
    assert over_udp.flags & dns.flags.TC
    assert server.text(transport="tcp") == "192.0.2.1"


def test_no_tcp_leaves_udp() -> None:
    """TCP alone is cut."""
    server = _Server(NoTcp())
    assert (server.text(), server.text(transport="tcp")) == ("192.0.2.1", "silence")


def test_a_delay_is_told_to_the_socket() -> None:
    """The answer is right, and late."""
    server = _Server(Delays(milliseconds=400))
    assert (server.text(), server.delay) == ("192.0.2.1", 0.4)


def test_a_share_of_the_datagrams_is_lost() -> None:
    """About the share, and the same ones for the same seed."""
    told = [[_Server(Drops(ppm=250_000)).text() for _ in range(1)] for _ in range(2)]
    server = _Server(Drops(ppm=250_000))
    lost = sum(server.text() == "silence" for _ in range(400))
    assert told[0] == told[1]
    assert 60 <= lost <= 140


def test_a_client_is_refused_beyond_its_limit() -> None:
    """Each client has its own count, and time gives it back."""
    server = _Server(Limits(answers=2, seconds=60))
    told = [server.text(now=at) for at in (0, 1, 2, 61)]
    assert told == ["192.0.2.1", "192.0.2.1", "REFUSED", "192.0.2.1"]
    assert server.text(now=2, client="127.0.0.8") == "192.0.2.1"


def test_another_version_for_a_transport_or_a_client() -> None:
    """Lies over TCP and split views are told apart."""
    other = (_zone("192.0.2.99"),)
    over_tcp = _Server(Serves(zones=other, transport="tcp"))
    inside = _Server(Serves(zones=other, clients=("127.0.0.1/32",)))
    assert (over_tcp.text(), over_tcp.text(transport="tcp")) == ("192.0.2.1", "192.0.2.99")
    assert (inside.text(), inside.text(client="127.0.0.2")) == ("192.0.2.99", "192.0.2.1")


def test_mixed_case_changes_letters_only() -> None:
    """Owner and alias target differ in case and are the same names."""
    found = _Server(MixedCase()).ask(f"alias.{ORIGIN}")
    assert found is not None
    honest = _Server().ask(f"alias.{ORIGIN}")
    assert honest is not None
    assert str(found.answer[0][0]) != str(honest.answer[0][0])
    assert found.answer[0] == honest.answer[0]


def test_shuffling_keeps_the_set() -> None:
    """Order differs between answers, content does not."""
    server = _Server(Shuffles())
    told = [server.text(f"many.{ORIGIN}").split() for _ in range(5)]
    assert len({tuple(found) for found in told}) > 1
    assert len({frozenset(found) for found in told}) == 1
