# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A whole healthy migration of acme-prod1 in memory: zones, Campaign, signed mail, both phases.

A test breaks one thing of one phase and plays a suite on it.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

import dkim  # type: ignore[import-untyped] # dkimpy has no types
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.builders.estates import END, IPS, START, instance
from tests.builders.mails import message_id
from tests.builders.snapshots import (
    AFTER,
    BEFORE,
    NS,
    answered,
    dns_seen,
    logon,
    no_name,
    redir,
    snapshot,
)

from wavegate.canonical import digest
from wavegate.estate.model import Instance
from wavegate.observe.dns_names import plan
from wavegate.record.message import Received
from wavegate.record.observation import Observation, Unreachable
from wavegate.record.snapshot import Phase, Snapshot

DOMAIN = "news.acme.example"
HEADERS = [b"from", b"subject", b"date", b"message-id"]
Zone = Mapping[tuple[str, str], tuple[str, ...]]


@lru_cache(maxsize=2)
def key(which: str) -> rsa.RSAPrivateKey:
    """The key of a name, made once per run."""
    del which
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_record(which: str) -> tuple[str, ...]:
    """The TXT of a DKIM key, in two strings."""
    der = (
        key(which)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    text = b64encode(der).decode()
    return (f'"v=DKIM1; k=rsa; p={text[:200]}" "{text[200:]}"',)


def healthy_zone() -> dict[tuple[str, str], tuple[str, ...]]:
    """All records of the sender domain and its reverse zone."""
    policy = " ".join(f"ip4:{ip}" for ip in IPS)
    zone: dict[tuple[str, str], tuple[str, ...]] = {
        (DOMAIN, "TXT"): (f'"v=spf1 {policy} -all"', '"site-verification=abc"'),
        (f"acc1._domainkey.{DOMAIN}", "TXT"): key_record("acc1"),
        (f"_dmarc.{DOMAIN}", "TXT"): ('"v=DMARC1; p=reject"',),
        (DOMAIN, "MX"): (f"10 inbound.{DOMAIN}.",),
        (DOMAIN, "NS"): ("ns1.acme.example.", "ns2.acme.example."),
        (DOMAIN, "SOA"): ("ns1.acme.example. host.acme.example. 7 3600 600 86400 300",),
        (f"t.{DOMAIN}", "A"): (
            f"@t.{DOMAIN} CNAME t1.cust-a.example.",
            "@t1.cust-a.example A 198.51.100.1",
        ),
    }
    for ip in IPS:
        last = ip.rpartition(".")[2]
        zone[f"{last}.2.0.192.in-addr.arpa", "PTR"] = (f"r{last}.{DOMAIN}.",)
        zone[f"r{last}.{DOMAIN}", "A"] = (ip,)
    return zone


@dataclass(kw_only=True)
class World:
    """One phase. silent: servers without an answer. odd: what a server says differently."""

    phase: Phase
    zone: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=healthy_zone)
    silent: tuple[str, ...] = ()
    odd: dict[str, Zone] = field(default_factory=dict)
    attributes: str = "build='9282' sha1='cc45440' instance='acme_mkt_prod1'"
    logon: dict[str, object] = field(default_factory=dict)
    mail_ips: Sequence[str] = IPS
    count: int = 60
    signed_by: str | None = "acc1"
    received_by: str = "momentum06.lon7"

    @property
    def at(self) -> datetime:
        """The instant of the capture."""
        return BEFORE if self.phase == "before" else AFTER

    def snapshot(self, found: Instance | None = None, **other: object) -> Snapshot:
        """The capture."""
        agreed = found or instance()
        campaign = (redir(self.attributes, at=self.at), logon(at=self.at, **self.logon))  # type: ignore[arg-type] # keywords of logon
        return snapshot(self.phase, [*self._dns(agreed), *campaign], **other)

    def _dns(self, found: Instance) -> list[Observation]:
        questions = [(n.to_text(omit_final_dot=True), t) for n, t in plan(found)]
        names = [rows[0].rstrip(".") for (_, t), rows in self.zone.items() if t == "PTR" and rows]
        questions += [(name, kind) for name in names for kind in ("A", "AAAA")]
        asked = dict.fromkeys((*questions, *self.zone))
        return [self._answer(server, *question) for server in NS for question in asked]

    def _answer(self, server: str, name: str, rdtype: str) -> Observation:
        zone = {**self.zone, **self.odd.get(server, {})}
        records = zone.get((name, rdtype), ())
        known = any(owner == name or owner.endswith(f".{name}") for owner, _ in zone)
        outcome = answered(name, rdtype, *records) if known else no_name(name, rdtype)
        seen = dns_seen(name, rdtype, outcome, at=self.at, server=server)
        return replace(seen, outcome=Unreachable("timeout")) if server in self.silent else seen

    def mails(self) -> tuple[Received, ...]:
        """Signed mail over the addresses in turn, each over a connection of its own."""
        at = START - timedelta(hours=2) if self.phase == "before" else END + timedelta(minutes=5)
        ips = self.mail_ips
        return tuple(
            signed_mail(n, ips[n % len(ips)], at, self.signed_by, self.received_by)
            for n in range(self.count)
        )


@lru_cache(maxsize=4096)
def signed_mail(n: int, ip: str, at: datetime, signed_by: str | None, by: str) -> Received:
    """One mail; signing is slow, so each is made once per run."""
    last = ip.rpartition(".")[2]
    raw = (
        f"Received: from [10.0.0.1] by {by} (ecelerity); now\r\n"
        f"From: acme <hello@{DOMAIN}>\r\nTo: seed@seed.example\r\nSubject: news {n}\r\n"
        f"Date: Tue, 16 Jan 2024 20:00:00 +0000\r\nMessage-ID: {message_id(n, at)}\r\n"
        f"X-mailer: nlserver, Build 8.5.1\r\n\r\nhello {n}\r\n"
    ).encode()
    if signed_by is not None:
        raw = _sign(raw, signed_by) + raw
    when = at + timedelta(seconds=n)
    return Received(
        source="sink",
        peer=ip,
        peer_by="socket",
        helo=f"r{last}.{DOMAIN}",
        mail_from=f"bounce@{DOMAIN}",
        recipients=("seed@seed.example",),
        connected=when,
        ended=when,
        tls=True,
        raw=raw,
        digest=digest(raw),
        journal="",
    )


def _sign(raw: bytes, which: str) -> bytes:
    pem = key(which).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    signed: bytes = dkim.sign(
        raw, b"acc1", DOMAIN.encode(), pem, include_headers=HEADERS, canonicalize=(b"relaxed",) * 2
    )
    return signed
