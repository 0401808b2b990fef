# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which names an SPF record leads to, so that a capture asks all that a judge could need. Pure.

It over-asks on purpose: a syntax error, an early `all` or the limit of ten lookups (RFC 7208
4.6.4) stop an evaluation, but the names behind them explain what changed.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import dns.exception
import dns.name
from dns.name import Name

MAX_TERMS = 500
MAX_RECORD = 64 * 1024
_TERM = re.compile(
    r"[+?~-]?(include|a|mx|exists|ptr)(?:([:/])(.*))?|(redirect|exp)=(.*)", re.IGNORECASE
)
_CIDR = re.compile(r"(/\d{1,3})?(//\d{1,3})?$")
_MACRO = re.compile(r"%(?:\{([A-Za-z])(\d{0,3})(r?)([-.+,/_=]*)\}|([%_-]))")
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
_UNKNOWN = "lsh"

What = Literal["record", "address", "mx", "text", "exists"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name to ask. what: an SPF record, addresses, an MX and its hosts, a TXT, an A alone."""

    name: Name
    what: What


@dataclass(frozen=True, slots=True)
class Sender:
    """One sending IP, and the names that its PTR gave, for macros that depend on them."""

    ip: str
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Led:
    """Where a record leads, and the terms whose names cannot be known at capture."""

    wanted: tuple[Wanted, ...]
    unknown: tuple[str, ...]


def spf_texts(texts: Iterable[bytes]) -> tuple[str, ...]:
    """The SPF records among TXT values (RFC 7208 4.5), as text."""
    found = (text[:MAX_RECORD].decode("latin-1") for text in texts)
    return tuple(t for t in found if re.match(r"v=spf1(?: |$)", t, re.IGNORECASE))


def leads(text: str, record: str, domain: str, senders: tuple[Sender, ...]) -> Led:
    """The names that one record leads to. record: its owner; domain: of the MAIL FROM."""
    wanted: dict[Wanted, None] = {}
    unknown: list[str] = []
    for term in text.split(" ")[1 : MAX_TERMS + 1]:
        match = _TERM.fullmatch(term)
        if match is None:
            continue
        what, spec = _target(match, record)
        if what is None:
            continue
        names = expand(spec, record, domain, senders)
        if names is None:
            unknown.append(term)
            continue
        wanted.update((Wanted(name, what), None) for name in map(_name, names) if name is not None)
    return Led(tuple(wanted), tuple(unknown))


def _target(match: re.Match[str], record: str) -> tuple[What | None, str]:
    """What a term asks for, and of which domain-spec."""
    if match[4]:
        return ("record" if match[4].lower() == "redirect" else "text"), match[5]
    mechanism = match[1].lower()
    spec = match[3] if match[2] == ":" else ""
    kinds: dict[str, What] = {"include": "record", "a": "address", "mx": "mx", "exists": "exists"}
    if mechanism in ("a", "mx"):
        spec = _CIDR.sub("", spec) or record
    return (kinds.get(mechanism) if spec else None), spec


def _name(text: str) -> Name | None:
    """An absolute name; longer than 253 octets loses labels on the left (RFC 7208 7.3)."""
    labels = text.rstrip(".").split(".")
    while len(".".join(labels)) > 253:
        labels = labels[1:]
    try:
        return dns.name.Name([*(label.encode("latin-1") for label in labels), b""]).canonicalize()
    except (dns.exception.DNSException, UnicodeEncodeError):
        return None


def expand(
    spec: str, record: str, domain: str, senders: tuple[Sender, ...]
) -> tuple[str, ...] | None:
    """All expansions of a domain-spec (RFC 7208 7): d, o, v as constants, i and p per sender.

    None where it depends on the local part or the HELO name, or the macro is malformed.
    """
    letters = {match[1].lower() for match in _MACRO.finditer(spec) if match[1]}
    if "%" in _MACRO.sub("", spec) or letters & set(_UNKNOWN) or not letters <= set("diovp"):
        return None
    if letters & set("ip"):
        values = [v for sender in senders for v in _sender_values(sender, per_name="p" in letters)]
    else:
        values = [{"v": "in-addr"}, {"v": "ip6"}] if "v" in letters else [{}]
    constant = {"d": record.rstrip("."), "o": domain.rstrip(".")}
    found = [_MACRO.sub(lambda m, v=value: _one(m, constant | v), spec) for value in values]  # type: ignore[misc] # a default binds the loop's value
    return tuple(dict.fromkeys(found))


def _sender_values(sender: Sender, *, per_name: bool) -> list[dict[str, str]]:
    address = ipaddress.ip_address(sender.ip)
    text = str(address) if address.version == 4 else ".".join(address.exploded.replace(":", ""))
    base = {"i": text, "v": "in-addr" if address.version == 4 else "ip6"}
    if not per_name:
        return [base]
    return [base | {"p": name.rstrip(".")} for name in (*sender.pointers, "unknown")]


def _one(match: re.Match[str], values: dict[str, str]) -> str:
    """One macro: split at the delimiters, reverse, keep the rightmost labels, join with dots."""
    if match[5]:
        return _ESCAPES[match[5]]
    value = values[match[1].lower()]
    parts = re.split(f"[{re.escape(match[4] or '.')}]", value)
    if match[3]:
        parts.reverse()
    keep = int(match[2] or 0)
    text = ".".join(parts[-keep:] if keep else parts)
    return (
        "".join(f"%{b:02X}" if not _unreserved(b) else chr(b) for b in text.encode())
        if match[1].isupper()
        else text
    )


def _unreserved(octet: int) -> bool:
    return chr(octet).isascii() and (chr(octet).isalnum() or chr(octet) in "-._~")
