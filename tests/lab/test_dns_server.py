# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The name servers of a running lab, over real sockets."""

import socket

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.reversename
import pytest

from wavegate.lab.running import Lab


def _ask(address: str, name: str, rdtype: str, *, tcp: bool = False) -> dns.message.Message:
    host, port = address.split(":")
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
    if tcp:
        return dns.query.tcp(query, host, port=int(port), timeout=5)
    return dns.query.udp(query, host, port=int(port), timeout=5)


def _data(response: dns.message.Message) -> set[str]:
    return {str(rdata) for rrset in response.answer for rdata in rrset}


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("server", ["ns1", "ns2", "ns3", "ns4"])
def test_every_server_answers_on_its_own_address(calm_lab: Lab, server: str, tcp: bool) -> None:
    """UDP and TCP of each server share a port, and its answers come from its address."""
    found = _ask(calm_lab.dns.address(server), "news.acme.example", "MX", tcp=tcp)
    assert found.flags & dns.flags.AA
    assert _data(found) == {"10 inbound.news.acme.example."}


def test_several_questions_on_one_connection(calm_lab: Lab) -> None:
    """A client may keep its TCP connection (RFC 7766)."""
    host, port = calm_lab.dns.address("ns1").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        for name in ("news.acme.example", "shop.acme.example"):
            query = dns.message.make_query(name, "SOA").to_wire()
            sock.sendall(len(query).to_bytes(2, "big") + query)
            length = int.from_bytes(sock.recv(2), "big")
            assert dns.message.from_wire(sock.recv(length)).answer


def test_the_resolver_follows_referrals_and_aliases(calm_lab: Lab) -> None:
    """From the root over the parent to the zone, and over a zone's edge."""
    found = _ask(calm_lab.dns.resolver, "t.news.acme.example", "A")
    assert found.flags & dns.flags.RA
    assert {text for text in _data(found) if text[0].isdigit()}
    assert "t1.cust-a.example." in _data(found)


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode"),
    [
        ("nowhere.acme.example", "A", "NXDOMAIN"),
        ("news.acme.example", "AAAA", "NOERROR"),
        ("11.3.10.127.in-addr.arpa", "PTR", "NOERROR"),
    ],
)
def test_the_resolver_tells_denials_apart(
    calm_lab: Lab, name: str, rdtype: str, rcode: str
) -> None:
    """NXDOMAIN and NODATA survive the way through the resolver."""
    assert dns.rcode.to_text(_ask(calm_lab.dns.resolver, name, rdtype).rcode()) == rcode


def test_the_parent_delegates_with_glue(calm_lab: Lab) -> None:
    """Whoever follows NS from the parent finds the servers and their addresses."""
    found = _ask(calm_lab.dns.address("reg1"), "www.mailer.example", "A")
    names = {str(rdata) for rrset in found.authority for rdata in rrset}
    glue = {str(rdata) for rrset in found.additional for rdata in rrset}
    assert names == {f"ns{number}.mailer.example." for number in range(1, 5)}
    assert glue == {f"127.53.1.{number}" for number in range(1, 5)}


def test_every_address_confirms_itself(calm_lab: Lab) -> None:
    """The healthy world's reverse names lead back to their addresses."""
    for instance in calm_lab.world.agreed.instances:
        for ip in instance.sending_ips:
            reverse = dns.reversename.from_address(ip).to_text()
            (host,) = _data(_ask(calm_lab.dns.resolver, reverse, "PTR"))
            rdtype = "AAAA" if ":" in ip else "A"
            assert _data(_ask(calm_lab.dns.resolver, host, rdtype)) == {ip}


def test_rubbish_gets_no_answer(calm_lab: Lab) -> None:
    """Bytes that are no query must not end the server."""
    host, port = calm_lab.dns.address("ns1").split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"\x00", (host, int(port)))
        sock.sendto(bytes(12), (host, int(port)))
    assert _data(_ask(calm_lab.dns.address("ns1"), "news.acme.example", "MX"))
