# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Observations and snapshots of a made-up instance, as the probes record them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
from tests.builders.estates import END, START, WAVE

from wavegate.canonical import digest
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable
from wavegate.record.retake import Chosen
from wavegate.record.snapshot import Phase, Snapshot, Tool

NS = ("192.0.2.53:53", "192.0.2.54:53")
BEFORE = START - timedelta(hours=3)
AFTER = END + timedelta(minutes=30)
TOOL = Tool(version="1.4.0", source="s" * 64)
AGREED = "e" * 64
URL = "https://acme-prod1.example"


@lru_cache(maxsize=4096)
def response(name: str, rdtype: str, *records: str, rcode: str = "NOERROR") -> bytes:
    """The wire of an authoritative response; a record may be `owner TYPE text`, for chains."""
    query = dns.message.make_query(dns.name.from_text(name), rdtype)
    query.id = 0
    message = dns.message.make_response(query)
    message.flags |= dns.flags.AA
    message.set_rcode(dns.rcode.from_text(rcode))
    for record in records:
        owner, kind, text = name, rdtype, record
        if record.startswith("@"):
            owner, kind, text = record[1:].split(" ", 2)
        rrset = dns.rrset.from_text(dns.name.from_text(owner), 300, "IN", kind, text)
        message.answer.append(rrset)
    return message.to_wire()


def answered(name: str, rdtype: str, *records: str) -> Outcome:
    """Seen with these records, or Absent (NODATA) without any."""
    wire = response(name, rdtype, *records)
    return Seen(wire) if records else Absent("NODATA", wire)


def no_name(name: str, rdtype: str) -> Outcome:
    """NXDOMAIN."""
    return Absent("NXDOMAIN", response(name, rdtype, rcode="NXDOMAIN"))


def dns_seen(
    name: str,
    rdtype: str,
    outcome: Outcome,
    *,
    at: datetime = BEFORE,
    server: str = NS[0],
    role: str = "authoritative",
) -> Observation:
    """One DNS observation."""
    return Observation(
        kind="dns",
        subject=f"{name} {rdtype}",
        asked={
            "server": server,
            "name": f"{name}.",
            "type": rdtype,
            "zone": "news.acme.example.",
            "role": role,
        },
        heard={"transport": "udp", "rcode": "NOERROR", "aa": "1"},
        outcome=outcome,
        at=at,
        took_us=1000,
        vantage="here",
    )


def everywhere(
    name: str, rdtype: str, *records: str, at: datetime = BEFORE, servers: Sequence[str] = NS
) -> tuple[Observation, ...]:
    """The same answer from all servers."""
    return tuple(
        dns_seen(name, rdtype, answered(name, rdtype, *records), at=at, server=s) for s in servers
    )


def redir(
    attributes: str,
    *,
    at: datetime = BEFORE,
    n: int = 0,
    date: datetime | None = None,
    content_type: str = "text/xml",
    body: str | None = None,
) -> Observation:
    """One look at /r/test. n: which look. date: the server's Date header, default our clock."""
    text = body if body is not None else f"<redir status='OK' {attributes}/>"
    return Observation(
        kind="http",
        subject=f"{URL} /r/test",
        asked={"method": "GET", "url": f"{URL}/r/test", "n": str(n)},
        heard={
            "status": "200",
            "content_type": content_type,
            "date": format_datetime(date or at, usegmt=True),
        },
        outcome=Seen(text.encode()),
        at=at,
        took_us=1000,
        vantage="here",
    )


LOGON = """<SOAP-ENV:Envelope xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'
 xmlns:SOAP-ENV='http://schemas.xmlsoap.org/soap/envelope/'><SOAP-ENV:Body>
<LogonResponse xmlns='urn:xtk:session'><pSessionInfo><sessionInfo>
<serverInfo buildNumber="{build}" commitId="{commit}" releaseName="{release}"
 instanceName="{instance}" databaseId="{database}"/>
<userInfo>{packages}</userInfo></sessionInfo></pSessionInfo></LogonResponse>
</SOAP-ENV:Body></SOAP-ENV:Envelope>"""
FAULT = """<SOAP-ENV:Envelope xmlns:SOAP-ENV='http://schemas.xmlsoap.org/soap/envelope/'>
<SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>
<faultstring>XSV-350013 The IP address of the caller is not authorised</faultstring><detail/>
</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"""


def logon(
    *,
    at: datetime = BEFORE,
    build: str = "9282",
    commit: str = "8f3ef8e",
    release: str = "8.5.1",
    name: str = "acme_mkt_prod1",
    database: str = "uFE80A",
    packages: Iterable[str] = ("nms:core", "nms:mobile"),
    fault: bool = False,
    outcome: Outcome | None = None,
) -> Observation:
    """One Logon."""
    installed = "".join(
        f'<installed-package namespace="{p.partition(":")[0]}" name="{p.partition(":")[2]}"/>'
        for p in packages
    )
    text = (
        FAULT
        if fault
        else LOGON.format(
            build=build,
            commit=commit,
            release=release,
            instance=name,
            database=database,
            packages=installed,
        )
    )
    return Observation(
        kind="soap",
        subject=f"{URL} xtk:session#Logon",
        asked={"url": URL, "action": "xtk:session#Logon", "body": "-"},
        heard={"status": "200"},
        outcome=outcome or Seen(text.encode()),
        at=at,
        took_us=1000,
        vantage="here",
    )


def zone(at: datetime, *, servers: Sequence[str] = NS) -> tuple[Observation, ...]:
    """A healthy sender domain at all servers."""
    domain = "news.acme.example"
    rows = (
        (domain, "MX", ("10 inbound.news.acme.example.",)),
        (domain, "NS", ("ns1.acme.example.", "ns2.acme.example.")),
        (domain, "SOA", ("ns1.acme.example. host.acme.example. 7 3600 600 86400 300",)),
        (domain, "TXT", ('"v=spf1 ip4:192.0.2.0/24 -all"', '"site-verification=abc"')),
        (f"_dmarc.{domain}", "TXT", ('"v=DMARC1; p=reject"',)),
        (
            f"t.{domain}",
            "A",
            (f"@t.{domain} CNAME t1.cust-a.example.", "@t1.cust-a.example A 198.51.100.1"),
        ),
    )
    return tuple(
        found
        for name, rdtype, records in rows
        for found in everywhere(name, rdtype, *records, at=at, servers=servers)
    )


def campaign(at: datetime) -> tuple[Observation, ...]:
    """A healthy Campaign endpoint."""
    return redir("build='9282' sha1='cc45440' instance='acme_mkt_prod1'", at=at), logon(at=at)


def snapshot(
    phase: Phase, observations: Sequence[Observation] | None = None, **other: object
) -> Snapshot:
    """A snapshot whose digest is that of its bytes; healthy unless observations are given."""
    at = BEFORE if phase == "before" else AFTER
    found = tuple(observations) if observations is not None else (*zone(at), *campaign(at))
    fields: dict[str, object] = {
        "instance": "acme-prod1",
        "customer": "acme",
        "wave": WAVE,
        "phase": phase,
        "sequence": 1 if phase == "before" else 2,
        "previous": None,
        "because": None,
        "began": at,
        "ended": at + timedelta(seconds=10),
        "complete": True,
        "forced": False,
        "vantage": "here",
        "estate": AGREED,
        "tool": TOOL,
        "observations": found,
    }
    raw = Snapshot(**(fields | other))  # type: ignore[arg-type] # test data of known shape
    return Snapshot.from_bytes(raw.to_bytes(), digest=digest(raw.to_bytes()))


def chosen(taken: Snapshot, **other: object) -> Chosen:
    """The snapshot as the only attempt of its phase."""
    fields: dict[str, object] = {"snapshot": taken, "used": (taken.digest,), "attempts": (taken,)}
    return Chosen(**(fields | other))  # type: ignore[arg-type] # test data of known shape


def silent(found: Observation, reason: str = "timeout") -> Observation:
    """The same question without an answer."""
    return replace(found, outcome=Unreachable(reason))
