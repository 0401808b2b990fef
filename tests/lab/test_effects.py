# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What mail faults do to a receiver, told by pyspf and dkimpy on the lab's own answers."""

import email
from collections.abc import Iterator
from datetime import UTC, datetime

import dkim  # type: ignore[import-untyped]  # it ships no types
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.TXT
import pytest
import spf  # type: ignore[import-untyped]  # it ships no types

from wavegate.lab.dns_resolver import recurse
from wavegate.lab.dns_server import Dns
from wavegate.lab.faults import planted
from wavegate.lab.letters import Letter, compose
from wavegate.lab.mta import streams
from wavegate.lab.reference import reference_world
from wavegate.lab.world import Scene

WORLD = reference_world()
IP1, STRANGER = "127.10.3.11", "203.0.113.250"


def _ask(scene: Scene, name: str, rdtype: str) -> dns.message.Message:
    """The resolver's answer in a scene, without sockets."""
    servers = Dns(scene)
    query = dns.message.make_query(name, rdtype)
    data = recurse(query, ("a.nic.example.",), servers._ask_host)
    return dns.message.from_wire(data)


def _lookup(scene: Scene, name: str, rdtype: str) -> Iterator[tuple[tuple[str, str], object]]:
    found = _ask(scene, name, rdtype)
    if found.rcode() == dns.rcode.SERVFAIL:
        raise spf.TempError("SERVFAIL")
    for rrset in found.answer:
        if rrset.rdtype == dns.rdatatype.from_text(rdtype):
            for rdata in rrset:
                yield (name, rdtype), _value(rdata)


def _value(rdata: object) -> object:
    match rdata:
        case dns.rdtypes.ANY.TXT.TXT():
            return rdata.strings
        case dns.rdtypes.ANY.MX.MX():
            return (rdata.preference, str(rdata.exchange))
        case _:
            return str(rdata).rstrip(".")


def _spf(monkeypatch: pytest.MonkeyPatch, scene: Scene, ip: str) -> str:
    def lookup(name: str, rdtype: str, *_: object, **__: object) -> list[object]:
        return list(_lookup(scene, name, rdtype))

    monkeypatch.setattr(spf, "DNSLookup", lookup)
    return str(spf.check2(i=ip, s="bounce@news.acme.example", h="r11.news.acme.example")[0])


@pytest.mark.parametrize(
    ("fault", "ip", "before", "after"),
    [
        ("benign-ttl-change", IP1, "pass", "pass"),
        ("benign-ttl-change", "2001:db8:10::20", "pass", "pass"),
        ("benign-ttl-change", STRANGER, "fail", "fail"),
        ("spf-lost-one-slash32", "192.0.2.13", "pass", "fail"),
        ("spf-lost-one-slash32", "192.0.2.12", "pass", "pass"),
        ("spf-six-only", "2001:db8:10:0:8000::", "pass", "fail"),
        ("spf-six-only", "2001:db8:10::20", "pass", "pass"),
        ("spf-widened", "198.51.100.9", "fail", "pass"),
        ("spf-lookups-exceeded-late", IP1, "pass", "pass"),
        ("spf-lookups-exceeded-late", STRANGER, "fail", "permerror"),
        ("spf-lookups-exceeded-early", IP1, "pass", "permerror"),
        ("spf-void-lookups", IP1, "pass", "permerror"),
        ("spf-all-softened", STRANGER, "fail", "softfail"),
        ("spf-two-records", IP1, "pass", "permerror"),
        ("spf-redirect-target-gone", IP1, "pass", "permerror"),
        ("spf-mx-term-moved", "198.51.100.25", "fail", "pass"),
        ("spf-include-dropped", "203.0.113.64", "pass", "fail"),
        ("benign-spf-flattened", "203.0.113.64", "pass", "pass"),
        ("benign-spf-merged-prefixes", "192.0.2.15", "pass", "pass"),
        ("benign-spf-split-and-case", IP1, "pass", "pass"),
        ("benign-spf-split-and-case", STRANGER, "fail", "fail"),
        ("benign-spf-dead-term", "203.0.113.200", "fail", "fail"),
        ("ip-replaced", "198.51.100.77", "fail", "pass"),
    ],
)
def test_spf_as_a_receiver_sees_it(
    monkeypatch: pytest.MonkeyPatch, fault: str, ip: str, before: str, after: str
) -> None:
    """The fault has the effect that its entry tells, and only on the addresses it tells of."""
    world = planted(WORLD, (fault,))
    told = [_spf(monkeypatch, scene, ip) for scene in (world.before, world.after)]
    assert told == [before, after]


def _verified(scene: Scene, domain: str) -> set[bool]:
    """Whether mail of a domain verifies, over all ways that it can take."""
    mailing = scene.instance("acme-prod1").mailing

    def published(name: bytes, **_: object) -> bytes | None:
        found = _ask(scene, name.decode(), "TXT")
        texts = [
            b"".join(rdata.strings)
            for rrset in found.answer
            for rdata in rrset
            if isinstance(rdata, dns.rdtypes.ANY.TXT.TXT)
        ]
        return texts[0] if texts else None

    return {
        dkim.verify(
            compose(
                Letter(
                    instance="acme-prod1",
                    sender=mailing.sender(domain),
                    route=stream.route,
                    mta=stream.mta,
                    x_mailer=mailing.x_mailer,
                    recipient="s@seed.example",
                    number=7,
                    delivery=1,
                    at=datetime.now(UTC),
                )
            ),
            dnsfunc=published,
        )
        for stream in streams(mailing)
        if stream.domain == domain
    }


@pytest.mark.parametrize(
    ("fault", "before", "after"),
    [
        ("build-newer", {True}, {True}),
        ("dkim-key-rotated", {True}, {True}),
        ("dkim-old-private-new-public", {True}, {True, False}),
        ("dkim-truncated", {True}, {False}),
        # dkimpy's base64 skips what is no base64; stricter receivers fail here
        ("dkim-space-between-strings", {True}, {True}),
        ("dkim-header-list-shrunk", {True}, {True}),
        ("dmarc-aspf-strict", {True}, {True}),
        ("benign-dkim-rewrapped", {True}, {True}),
        ("benign-dkim-default-tags", {True}, {True}),
        ("benign-dkim-canonicalisation", {True}, {True}),
        ("benign-cname-flattened", {True}, {True}),
        ("dns-servfail-one-record", {True}, {False}),
    ],
)
def test_dkim_as_a_receiver_sees_it(fault: str, before: set[bool], after: set[bool]) -> None:
    """Signatures verify by an independent library exactly where they should."""
    world = planted(WORLD, (fault,))
    told = [_verified(scene, "news.acme.example") for scene in (world.before, world.after)]
    assert told == [before, after]


def test_a_strict_identity_is_written() -> None:
    """The i= that t=s will break stands in the signatures of both sides."""
    world = planted(WORLD, ("dkim-flag-t-s",))
    flow = world.before.instance("acme-prod1").mailing
    (first, *_) = (stream for stream in streams(flow) if stream.domain == "shop.acme.example")
    raw = compose(
        Letter(
            instance="acme-prod1",
            sender=flow.sender("shop.acme.example"),
            route=first.route,
            mta=first.mta,
            x_mailer=flow.x_mailer,
            recipient="s@seed.example",
            number=7,
            delivery=1,
            at=datetime.now(UTC),
        )
    )
    assert "i=@mail.shop.acme.example;" in email.message_from_bytes(raw)["DKIM-Signature"]
