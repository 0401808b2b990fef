# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A whole healthy migration of acme-prod1 in memory: zones, Campaign, signed mail, both phases.

A test breaks one thing of one phase and plays a suite on it. What lies between the phases, the
watch and the queue, is in `migrations`.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

import dkim  # type: ignore[import-untyped] # dkimpy has no types
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.builders.estates import END, IPS, START, instance
from tests.builders.mails import message_id
from tests.builders.queues import SUFFIX, seed
from tests.builders.rates import rate_answers, side, steady
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
from wavegate.record.rates import Bucket
from wavegate.record.snapshot import Phase, Snapshot

DOMAIN = "news.acme.example"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
UNIT = 5 * MINUTE
"""The unit of evidence that `migrations.agreed` agrees on, so that a night has several."""
QUEUED = 12
"""So many of the first mails after were queued before the window."""
STOP = END + UNIT
STOPPED, OTHER = "new-a", "new-b"
"""The two new hosts; the first is stopped for three minutes, as planned."""
STEP = END + 3 * UNIT
"""From here on for two units the load is doubled, as planned."""
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
    """One phase. silent: servers without an answer. odd: what a server says differently.

    count: of mails; else they last ten minutes before and fifteen after. rate: messages a minute
    that the instance says it sent in this phase. single: one host sends all, so that its stop stops
    the mail. taken: the instant of the capture, else three hours before or half an hour after.
    """

    phase: Phase
    zone: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=healthy_zone)
    silent: tuple[str, ...] = ()
    odd: dict[str, Zone] = field(default_factory=dict)
    attributes: str = "build='9282' sha1='cc45440' instance='acme_mkt_prod1'"
    logon: dict[str, object] = field(default_factory=dict)
    mail_ips: Sequence[str] = IPS
    count: int | None = None
    signed_by: str | None = "acc1"
    rate: float = 1200.0
    single: bool = False
    taken: datetime | None = None

    @property
    def at(self) -> datetime:
        """The instant of the capture."""
        return self.taken or (BEFORE if self.phase == "before" else AFTER)

    def snapshot(self, found: Instance | None = None, **other: object) -> Snapshot:
        """The capture."""
        agreed = found or instance()
        campaign = (redir(self.attributes, at=self.at), logon(at=self.at, **self.logon))  # type: ignore[arg-type] # keywords of logon
        rates = rate_answers(self._rates(), self.at)
        return snapshot(self.phase, [*self._dns(agreed), *campaign, *rates], **other)

    def _rates(self) -> Mapping[str, Sequence[Bucket]]:
        """What was sent up to the capture, minute by minute, by one delivery before and one after.

        Both captures tell the same of before.
        """
        before = side(START - 21 * UNIT, 21, steady(1200), noise=0.01, unit=UNIT, per_unit=5)
        if self.phase == "before":
            return {"1": [b for b in before if b.end <= self.at]}
        after = side(END, 6, self._rate_after, noise=0.01, seed=2, unit=UNIT, per_unit=5)
        return {"1": before, "2": [b for b in after if b.end <= self.at]}

    def _rate_after(self, at: datetime, _unit: int) -> float:
        return self.rate * (2 if STEP <= at < STEP + 2 * UNIT else 1)

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
        """Signed mail every ten seconds over the addresses in turn, a connection each.

        The last ones before come just before the opening, the first ones after are of the queue.
        """
        before = self.phase == "before"
        count = self.count if self.count is not None else 60 if before else 90
        since = START - (count * 10 + 1) * SECOND if before else END + SECOND
        instants = [(n, since + 10 * n * SECOND) for n in range(count)]
        ips = self.mail_ips
        return tuple(
            signed_mail(n, ips[n % len(ips)], at, self.signed_by, host)
            for n, at in instants
            if (host := self._host(n, at)) is not None
        )

    def _host(self, n: int, at: datetime) -> str | None:
        """Who sends a mail: the old host; of the new ones each in turn, unless it is stopped."""
        if self.phase == "before":
            return "momentum06.lon7"
        stopped = STOP <= at < STOP + 3 * MINUTE
        if self.single:
            return None if stopped else STOPPED
        return OTHER if stopped else (STOPPED, OTHER)[n // len(self.mail_ips) % 2]


@lru_cache(maxsize=4096)
def signed_mail(
    n: int, ip: str, at: datetime, signed_by: str | None, by: str, delivery: int = 4001
) -> Received:
    """One mail; signing is slow, so each is made once per run. The first ones after are queued."""
    last = ip.rpartition(".")[2]
    queued = n < QUEUED and at >= END
    ids = f"<NM6{70000 + n:08X}{delivery:08X}{SUFFIX}>" if queued else message_id(n, at)
    to, written = seed(n) if queued else "seed@seed.example", format_datetime(at - SECOND)
    raw = (
        f"Received: from [10.0.0.1] by {by} (ecelerity); {written}\r\n"
        f"From: acme <hello@{DOMAIN}>\r\nTo: {to}\r\nSubject: news {n}\r\n"
        f"Date: {written}\r\nMessage-ID: {ids}\r\n"
        f"X-mailer: nlserver, Build 8.5.1\r\n\r\nhello {n}\r\n"
    ).encode()
    if signed_by is not None:
        raw = _sign(raw, signed_by) + raw
    return Received(
        source="sink",
        peer=ip,
        peer_by="socket",
        helo=f"r{last}.{DOMAIN}",
        mail_from=f"bounce@{DOMAIN}",
        recipients=(to,),
        connected=at,
        ended=at,
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
