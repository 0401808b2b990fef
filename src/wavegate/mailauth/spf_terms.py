# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The effective terms of one SPF record, and the name of the rewrite between two of them.

Effective terms: runs of ip4/ip6 as the addresses they claim, a and mx with the addresses behind
them, nothing behind `all`, no modifier without effect. The same effect has the same spelling.
"""

import ipaddress
from collections.abc import Iterable

from dns.name import Name

from wavegate.answer import Found, Lookup, Unknown
from wavegate.canonical import digest
from wavegate.mailauth import spf_record
from wavegate.mailauth.address_set import AddressSet, Family, only
from wavegate.mailauth.spf import evaluate, term_region, texts
from wavegate.mailauth.spf_macro import Sender
from wavegate.mailauth.spf_record import QUALIFIERS, BadRecord, Directive, Record, Result

MAX_SHOWN = 1_000
_SIGNS = {result: "" if sign == "+" else sign for sign, result in QUALIFIERS.items()}


def effective_terms(owner: Name, sender: Sender, lookup: Lookup) -> str | None:
    """The effective terms of the record at an owner; None where there is no SPF record.

    Over 1,000 characters, the SHA-256 of them stands for them.
    """
    answer = lookup(owner, "TXT")
    if isinstance(answer, Unknown):
        return f"unknown: {answer.reason}"
    chosen = spf_record.choose(texts(answer))
    if not chosen:
        return None
    shown = " | ".join(sorted(_spell(text, owner, sender, lookup) for text in chosen))
    return shown if len(shown) <= MAX_SHOWN else f"sha256:{digest(shown.encode())}"


def _spell(text: bytes, owner: Name, sender: Sender, lookup: Lookup) -> str:
    record = spf_record.parse(text)
    if isinstance(record, BadRecord):
        return f"{_plain(text)} (syntax: {record.why} {record.term})"
    words = ["v=spf1"]
    for batch in record.batches:
        words += _batch(batch, owner, sender, lookup)
        if batch[0].mechanism == "all":
            break
    if record.redirect is not None and not record.has_all:
        words.append(f"redirect={record.redirect.lower()}")
    return " ".join(words)


def _plain(text: bytes) -> str:
    return " ".join(text.decode("ascii", "backslashreplace").split())


def _batch(batch: tuple[Directive, ...], owner: Name, sender: Sender, lookup: Lookup) -> list[str]:
    first = batch[0]
    if first.family:
        return sorted(word for family in Family for word in _claims(batch, family))
    term = first.text.lower().lstrip("+")
    if first.mechanism not in ("a", "mx", "exists"):
        return [term]
    found = [_behind(first, owner, sender, lookup, family) for family in Family]
    return [f"{term}={{{','.join(filter(None, found))}}}"]


def _claims(batch: tuple[Directive, ...], family: Family) -> Iterable[str]:
    for result, region in spf_record.claimed(batch, family):
        for network in networks(region, family):
            yield f"{_SIGNS[result]}ip{family}:{network}"


def _behind(term: Directive, owner: Name, sender: Sender, lookup: Lookup, family: Family) -> str:
    region = term_region(term, owner, sender, lookup, family)
    if region is None:
        return "?"
    if term.mechanism == "exists":
        return "yes" if region else "no"
    return ",".join(networks(region, family))


def networks(region: AddressSet, family: Family) -> list[str]:
    """The prefixes that make up a set, lowest first."""
    return [
        str(network) for first, last in region.spans for network in _summary(family, first, last)
    ]


def _summary(family: Family, first: int, last: int) -> Iterable[object]:
    if family is Family.V4:
        return ipaddress.summarize_address_range(
            ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
        )
    return ipaddress.summarize_address_range(
        ipaddress.IPv6Address(first), ipaddress.IPv6Address(last)
    )


def first_changed(
    sender: Sender, before: Lookup, after: Lookup, number: int, family: Family
) -> tuple[Name, str | None, str | None]:
    """The owner of the first TXT on an address's path whose effective terms differ, and both.

    The sender's own domain where none does.
    """
    region = only(family.address(number))
    path = dict.fromkeys(
        owner
        for lookup in (before, after)
        for owner in evaluate(sender, lookup, family, region=region).owners
    )
    for owner in path:
        was = effective_terms(owner, sender, before)
        now = effective_terms(owner, sender, after)
        if was != now:
            return owner, was, now
    domain = sender.domain
    return domain, effective_terms(domain, sender, before), effective_terms(domain, sender, after)


def rewrite_rule(owner: Name, before: Lookup, after: Lookup) -> str | None:
    """The name of the rule that explains another text at an owner; None where it is the same.

    To be asked only where the two policies were found to be equal.
    """
    was, now = before(owner, "TXT"), after(owner, "TXT")
    if _strings(was) == _strings(now):
        return None
    mine, theirs = (spf_record.choose(texts(answer)) for answer in (was, now))
    if sorted(mine) == sorted(theirs):
        return "txt-split"
    records = [spf_record.parse(found[0]) if len(found) == 1 else None for found in (mine, theirs)]
    one, other = records
    if isinstance(one, Record) and isinstance(other, Record):
        return _rule(one, other)
    return "same-result-for-every-address"


def _strings(answer: object) -> list[tuple[bytes, ...]]:
    rdatas = answer.rdatas if isinstance(answer, Found) else ()
    found = (tuple(getattr(rdata, "strings", ())) for rdata in rdatas)
    return sorted(strings for strings in found if spf_record.choose([b"".join(strings)]))


def _rule(one: Record, other: Record) -> str:
    mine, theirs = _words(one), _words(other)
    ways = (
        ("white-space", one.text.split(), other.text.split()),
        ("case", mine, theirs),
        ("terms-reordered", sorted(mine), sorted(theirs)),
        ("duplicate-term", set(mine), set(theirs)),
        ("dead-term", _alive(one), _alive(other)),
        ("modifier-without-effect", _mechanisms(one), _mechanisms(other)),
    )
    for name, left, right in ways:
        if left == right:
            return name
    if _includes(one) - _includes(other):
        return "include-flattened"
    if _includes(other) - _includes(one):
        return "include-introduced"
    return "prefix-merged" if _sets(one) == _sets(other) else "same-result-for-every-address"


def _words(record: Record) -> list[str]:
    return [word.lower().lstrip("+") for word in record.text.split()[1:]]


def _mechanisms(record: Record) -> list[str]:
    return [found.text.lower().lstrip("+") for found in record.directives] + [record.redirect or ""]


def _alive(record: Record) -> list[str]:
    words = _words(record)
    ends = [at for at, word in enumerate(words) if word.lstrip("-~?") == "all"]
    return words[: ends[0] + 1] if ends else words


def _includes(record: Record) -> set[str]:
    return {
        (found.spec or "").lower() for found in record.directives if found.mechanism == "include"
    }


def _sets(record: Record) -> list[list[tuple[Result, AddressSet]]]:
    return [
        sorted(spf_record.claimed(batch, family), key=lambda claim: claim[0])
        for batch in record.batches
        if batch[0].family
        for family in Family
    ]


def owners_of(asked: Iterable[tuple[Name, str]]) -> tuple[Name, ...]:
    """The owners of TXT among the questions of a closure."""
    return tuple(dict.fromkeys(name for name, rdtype in asked if rdtype == "TXT"))


def spell_texts(lookup: Lookup, owner: Name) -> list[str]:
    """The SPF records at an owner as published, joined, odd octets escaped."""
    chosen = spf_record.choose(texts(lookup(owner, "TXT")))
    return sorted(text.decode("ascii", "backslashreplace") for text in chosen)
