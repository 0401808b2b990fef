# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Hostile name servers: a capture ends, in bounded time and size, and every judge has a word."""

import base64
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.rdtypes.ANY.TXT import TXT
from tests.builders.estates import estate, instance
from tests.builders.snapshots import campaign, snapshot
from tests.builders.tiny_dns import TinyDns, Transport, reply

from wavegate.clock import now
from wavegate.compare import dkim, dmarc, nothing_else_changed, reverse_dns, spf
from wavegate.observe.dns_client import DnsLimits
from wavegate.observe.dns_probe import DnsProbe
from wavegate.observe.probe import Looked, Task
from wavegate.record.campaign_view import CampaignView
from wavegate.record.dns_view import DnsView
from wavegate.record.observation import Seen, Unreachable
from wavegate.verdict import Finding, Judgement, Verdict

D = "news.acme.example"
NAME = dns.name.from_text(D)
ONE = instance(sending_ips=("192.0.2.10",), url=None)
LIMITS = DnsLimits(timeout=0.4, tries=2)
SECONDS = 20
Handler = Callable[[dns.message.Message, Transport], Any]


def look(handler: Handler, *, tcp: bool = True) -> tuple[Looked, int]:
    """What a capture brings from a server of everything, within the time; and what it cost."""
    with TinyDns(handler, tcp=tcp) as server:
        made = estate(ONE, authoritative={".": (server.server,)}, resolvers=())
        began = time.monotonic()
        looked = DnsProbe(LIMITS).look(Task(estate=made, instance=ONE, vantage="x", base=Path()))
        assert time.monotonic() - began < SECONDS
        return looked, len(server.asked)


def judged(looked: Looked) -> dict[str, Judgement]:
    """Every judge's word on a world that is the same before and after, within the time."""
    taken = snapshot("before", (*looked.observations, *campaign(now())))
    view = DnsView(taken)
    began = time.process_time()
    found = {
        "spf": spf.compare_spf(spf.gather(ONE, view), spf.gather(ONE, view)),
        "dkim": dkim.compare_dkim(dkim.gather(ONE, view), dkim.gather(ONE, view)),
        "dmarc": dmarc.compare_dmarc(dmarc.gather(ONE, view), dmarc.gather(ONE, view)),
        "reverse_dns": reverse_dns.compare_reverse_dns(
            reverse_dns.gather(ONE, view), reverse_dns.gather(ONE, view)
        ),
        "rest": nothing_else_changed.compare_nothing_else_changed(
            *(nothing_else_changed.gather(ONE, view, CampaignView(taken)) for _ in range(2))
        ),
    }
    assert time.process_time() - began < SECONDS
    assert {"spf", "dkim", "dmarc", "reverse_dns"} <= {
        name for name, judgement in found.items() if judgement.verdict is not Verdict.PASSED
    }
    return found


def answering(rdtype: str, *rdatas: Any) -> Handler:
    """A server that gives these records for a type at any name, and nothing of another."""

    def handler(query: dns.message.Message, transport: Transport) -> bytes:
        question = query.question[0]
        message = dns.message.make_response(query)
        message.flags |= dns.flags.AA
        if question.rdtype == dns.rdatatype.from_text(rdtype):
            message.answer.append(dns.rrset.from_rdata_list(question.name, 300, rdatas))
        wire = message.to_wire(max_size=65_535)
        if transport == "udp" and len(wire) > 1_232:
            message.answer.clear()
            message.flags |= dns.flags.TC
            wire = message.to_wire()
        return wire

    return handler


def text(value: bytes) -> TXT:
    """A TXT of any length."""
    parts = [value[at : at + 255] for at in range(0, len(value), 255)]
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, parts)


def rsa_key(bits: int) -> bytes:
    """A DKIM record with an RSA key of so many bits, of which nobody knows the factors."""
    public = RSAPublicNumbers(65_537, (1 << bits - 1) | 1).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; p=" + base64.b64encode(spki)


LONG = 64_000
TEXTS = {
    "64 KB of SPF": b"v=spf1 " + b"ip4:192.0.2.1 " * (LONG // 14) + b"-all",
    "64 KB of one term": b"v=spf1 exists:" + b"a" * LONG,
    "64 KB of macros": b"v=spf1 exists:" + b"%{l1r+}." * (LONG // 8) + b"x.example -all",
    "a thousand includes": b"v=spf1 "
    + b"".join(b"include:i%d.x.example " % n for n in range(1_000))
    + b"-all",
    "an include of itself": b"v=spf1 include:news.acme.example -all",
    "64 KB of DMARC": b"v=DMARC1; p=none; rua=" + b"mailto:a@b.example," * (LONG // 19),
    "64 KB of tags": b"v=DKIM1; " + b"a=1; " * (LONG // 5),
    "a key of 16,384 bits": rsa_key(16_384),
    "a key of 32,768 bits": rsa_key(32_768),
    "NUL and bidi": b"v=spf1 a:\x00\xe2\x80\xae.example \xff -all",
}


@pytest.mark.parametrize("case", TEXTS)
def test_hostile_text_is_bounded(case: str) -> None:
    """At every name, over TCP where it is long: captured, read and judged in bounded time."""
    looked, asked = look(answering("TXT", text(TEXTS[case])))
    assert asked < 3_000
    seen = [o for o in looked.observations if o.subject == f"{D}. TXT"]
    assert all(isinstance(o.outcome, Seen) for o in seen)
    judged(looked)


def test_a_thousand_includes_are_told_where_they_end() -> None:
    """The walk stops at its bound, and says what it left out."""
    looked, _ = look(answering("TXT", text(TEXTS["a thousand includes"])))
    assert f"SPF of {D}." in {left.what for left in looked.left_out}


def test_a_storm_of_exchangers_is_bounded() -> None:
    """Of 1,500 MX hosts a few are asked; the others are listed."""
    storm = [dns.rdata.from_text("IN", "MX", f"{n} m{n}.example.") for n in range(1_500)]
    looked, asked = look(answering("MX", *storm))
    assert asked < 500
    assert "m999.example. A" in {left.what for left in looked.left_out}
    judged(looked)


ODD = (b"a\x00b", "\u202egnp".encode(), b"\xff\xfe", b"<script>", b"a.b", b" ", b"\\")


@pytest.mark.parametrize("label", ODD)
def test_odd_names_are_asked_for_and_escaped(label: bytes) -> None:
    """NUL, bidi, non-ASCII, a dot inside a label: a name all the same, and plain in a report."""
    target = dns.name.Name((label, b"example", b""))
    for rdtype, spelt in (("MX", f"10 {target.to_text()}"), ("PTR", target.to_text())):
        looked, _ = look(answering(rdtype, dns.rdata.from_text("IN", rdtype, spelt)))
        assert f"{target.canonicalize().to_text()} A" in {o.subject for o in looked.observations}
        for judgement in judged(looked).values():
            shown = f"{judgement.reason} {' '.join(map(_words, judgement.findings))}"
            assert shown.isprintable()
            assert "\u202e" not in shown


def _words(finding: Finding) -> str:
    return " ".join((finding.expected, finding.observed, finding.explanation, *finding.witness))


def test_cname_loops_and_chains_end() -> None:
    """A loop of two names, and a chain that never ends, are unknown to every judge."""

    def loop(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        name = query.question[0].name
        longer = dns.name.Name((b"x", *name.labels)) if len(name) < 30 else name
        message = dns.message.make_response(query)
        message.flags |= dns.flags.AA
        alias = dns.rdata.from_text("IN", "CNAME", longer.to_text())
        message.answer.append(dns.rrset.from_rdata(name, 300, alias))
        return bytes(message.to_wire())

    looked, asked = look(loop)
    assert asked < 2_000
    judged(looked)


def forged(query: dns.message.Message, **other: Any) -> bytes:
    """A response to something else: `id` or `name`."""
    message = dns.message.make_response(query)
    message.flags |= dns.flags.AA
    if "name" in other:
        rdtype = query.question[0].rdtype
        name = dns.name.from_text(other["name"])
        message.question[0] = dns.rrset.RRset(name, dns.rdataclass.IN, rdtype)
    message.id = other.get("id", query.id)
    return message.to_wire()


LIARS: dict[str, Handler] = {
    "another id": lambda query, _: forged(query, id=query.id ^ 1),
    "another question": lambda query, _: forged(query, name="evil.example"),
    "an echo": lambda query, _: query.to_wire(),
    "garbage": lambda _query, _: b"\xff" * 700,
    "truncated, and silence over TCP": lambda query, transport: (
        reply(query, flags="AA TC") if transport == "udp" else None
    ),
    "truncated, and another question over TCP": lambda query, transport: (
        reply(query, flags="AA TC") if transport == "udp" else forged(query, name="evil.example")
    ),
    "truncated, and another id over TCP": lambda query, transport: (
        reply(query, flags="AA TC") if transport == "udp" else forged(query, id=query.id ^ 1)
    ),
    "truncated over TCP too": lambda query, _: reply(query, flags="AA TC"),
    "half a message over TCP": lambda query, transport: (
        reply(query, flags="AA TC") if transport == "udp" else query.to_wire()[:7]
    ),
}


@pytest.mark.parametrize("liar", LIARS)
def test_answers_to_something_else_are_silence(liar: str) -> None:
    """None of them counts as an answer, none as an absence, and none is waited for without end."""

    def handler(query: dns.message.Message, transport: Transport) -> Any:
        if query.question[0] == dns.rrset.RRset(NAME, dns.rdataclass.IN, dns.rdatatype.TXT):
            return LIARS[liar](query, transport)
        return reply(query)

    looked, _ = look(handler)
    (found,) = [o for o in looked.observations if o.subject == f"{D}. TXT"]
    assert isinstance(found.outcome, Unreachable)
    assert Verdict.INCONCLUSIVE == judged(looked)["spf"].verdict


def test_a_lie_over_tcp_does_not_replace_what_udp_said() -> None:
    """A whole answer over UDP is the answer; TCP is for what did not fit."""
    honest = answering("TXT", text(b"v=spf1 ip4:192.0.2.10 -all"))

    def handler(query: dns.message.Message, transport: Transport) -> Any:
        return honest(query, transport) if transport == "udp" else reply(query, rcode="NXDOMAIN")

    looked, _ = look(handler)
    (found,) = [o for o in looked.observations if o.subject == f"{D}. TXT"]
    assert ("udp", True) == (found.heard["transport"], isinstance(found.outcome, Seen))


def test_a_flood_of_other_messages_over_tcp_ends_in_time() -> None:
    """Message after message to another question: read on, but not for ever, and none is kept."""

    def handler(query: dns.message.Message, transport: Transport) -> Any:
        if query.question[0].name != NAME or query.question[0].rdtype != dns.rdatatype.TXT:
            return reply(query)
        if transport == "udp":
            return reply(query, flags="AA TC")
        return [forged(query, name="evil.example")] * 3_000

    looked, _ = look(handler)
    (found,) = [o for o in looked.observations if o.subject == f"{D}. TXT"]
    assert isinstance(found.outcome, Unreachable)
    assert found.outcome.reason.startswith("truncated, no TCP")


def test_counts_that_lie_do_not_decide() -> None:
    """A header that promises 65,535 records over none is no answer and no absence."""

    def handler(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        wire = bytearray(reply(query))
        wire[6:8] = struct.pack("!H", 65_535)
        return bytes(wire)

    looked, _ = look(handler)
    judged(looked)
