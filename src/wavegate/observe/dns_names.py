# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The names that an instance's mail identity consists of, known before anything is asked. Pure."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.reversename
from dns.name import Name

from wavegate.estate.model import FunctionProbe, Instance, SenderDomain

CANARY = "wavegate-no-such-name"
"""A label that nobody has: an answer for it shows a wildcard."""
MAIL_HOSTS = ("m", "t", "res")
"""Mirror page, tracking and resources of a sender domain (campaign DNS set)."""
WALK = 8
"""RFC 9989 4.10: at most eight queries of the DMARC tree walk."""
HOST_TYPES = ("CNAME", "A", "AAAA")
TEST_ENTRIES = {4: "127.0.0.2", 6: "::ffff:7f00:2"}
"""What every list holds, so that one sees whether it answers (RFC 5782 5)."""
DOMAIN_TYPES = ("TXT", "NS", "SOA", "MX", "CAA")

Asked = tuple[Name, str]


def plan(instance: Instance) -> tuple[Asked, ...]:
    """Every question known beforehand, in order, once each."""
    found = dict.fromkeys(_plan(instance))
    return tuple(found)


def _plan(instance: Instance) -> Iterator[Asked]:
    for domain in instance.domains:
        yield from domain_plan(domain)
    for ip in instance.sending_ips:
        yield reverse_name(ip), "PTR"
    for host in url_hosts(instance):
        yield from ((host, rdtype) for rdtype in HOST_TYPES)


def domain_plan(domain: SenderDomain) -> Iterator[Asked]:
    """The questions about one sender domain."""
    name = absolute(domain.name)
    yield from ((name, rdtype) for rdtype in DOMAIN_TYPES)
    for found in dmarc_walk(name):
        yield found, "TXT"
    selectors = tuple(f"{selector}._domainkey" for selector in domain.selectors)
    for found in under((*selectors, "_mta-sts", "_smtp._tls", "default._bimi", CANARY), name):
        yield found, "TXT"
    for parent in parents(name):  # a parent domain may sign (relaxed alignment, RFC 9989 4.4)
        yield from ((found, "TXT") for found in under(selectors, parent))
    for found in under(MAIL_HOSTS, name):
        yield from ((found, rdtype) for rdtype in (*HOST_TYPES, "CAA"))
    yield from ((found, "CAA") for found in parents(name))  # inherited by the name (RFC 8659 3)


def signed_sets(domain: SenderDomain, zone: Name) -> tuple[Asked, ...]:
    """The sets of a signed zone that mail rests on, whose signatures are looked at."""
    name = absolute(domain.name)
    texts = ("_dmarc", *(f"{selector}._domainkey" for selector in domain.selectors))
    sets = [(zone, "SOA"), (name, "TXT"), (name, "MX")]
    return tuple(dict.fromkeys((*sets, *((found, "TXT") for found in under(texts, name)))))


def blocklist_names(ips: Iterable[str], zone: str) -> Iterator[Name]:
    """Where a list holds some addresses, and its test entries (RFC 5782 2.1, 2.4, 5)."""
    versions = {ipaddress.ip_address(ip).version: None for ip in ips}
    for address in (*ips, *(TEST_ENTRIES[version] for version in versions)):
        labels = ipaddress.ip_address(address).reverse_pointer.split(".")[:-2]
        yield from under((".".join(labels),), absolute(zone))


def absolute(text: str) -> Name:
    """A host or domain name as an absolute, lower-case name."""
    return dns.name.from_text(text).canonicalize()


def under(prefixes: Iterable[str], name: Name) -> Iterator[Name]:
    """Labels put before a name; what would be longer than a name can be does not exist."""
    for labels in prefixes:
        with suppress(dns.name.NameTooLong):
            yield dns.name.from_text(labels, origin=name).canonicalize()


def parents(domain: Name) -> tuple[Name, ...]:
    """The domains above a domain that have two labels or more, nearest first."""
    labels = domain.labels
    return tuple(dns.name.Name(labels[at:]) for at in range(1, len(labels) - 2))


def dmarc_walk(domain: Name) -> tuple[Name, ...]:
    """The names of the DMARC tree walk (RFC 9989 4.10), from the domain to the top label."""
    labels = domain.labels[:-1]
    starts = [labels]
    rest = labels[-7:] if len(labels) >= WALK else labels[1:]
    starts.extend(rest[at:] for at in range(len(rest)))
    names = (dns.name.Name((*found, b"")) for found in starts[:WALK])
    return tuple(found for name in names for found in under(("_dmarc",), name))


def reverse_name(ip: str) -> Name:
    """The name under in-addr.arpa or ip6.arpa; a mapped address is an IPv4 address."""
    address = ipaddress.ip_address(ip)
    mapped = getattr(address, "ipv4_mapped", None)
    return dns.reversename.from_address(str(mapped or address))


def url_hosts(instance: Instance) -> tuple[Name, ...]:
    """The host names of the instance's url and of its functions; addresses need no DNS."""
    probes = (p for p in instance.functions.values() if isinstance(p, FunctionProbe))
    urls = [instance.url, *(probe.url for probe in probes)]
    names = (_host(url) for url in urls if url)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _host(url: str) -> Name | None:
    try:
        host = urlsplit(url).hostname or ""
        if not re.search(r"[A-Za-z]", host) or ":" in host or "." not in host:
            return None
        return absolute(host)
    except (ValueError, dns.exception.DNSException):
        return None
