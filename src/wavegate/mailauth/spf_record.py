# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""SPF records (RFC 7208 4.5, 4.6, 5, 6): choosing one among the TXT, and its terms, syntax first.

Pure parsing: an error anywhere in the record is an error of the whole record.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from wavegate.mailauth.address_set import AddressSet, Family, Span, first_claims, span_of
from wavegate.mailauth.spf_macro import is_domain_spec, well_formed

VERSION = b"v=spf1"
MAX_RECORD = 65_535
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_DIRECTIVE = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9_.-]*)(.*)")
_CIDR = r"(0|[1-9]\d{0,2})"
_DUAL = re.compile(rf"(.*?)(?:/{_CIDR})?(?://{_CIDR})?")
_IP = re.compile(rf":([0-9A-Fa-f:.]+)(?:/{_CIDR})?")


class Result(StrEnum):
    """What check_host says (RFC 7208 2.6), and `unknown`: a question nobody answered."""

    PASS = "pass"  # noqa: S105 - a result's name
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"
    UNKNOWN = "unknown"


QUALIFIERS = {
    "+": Result.PASS,
    "-": Result.FAIL,
    "~": Result.SOFTFAIL,
    "?": Result.NEUTRAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A mechanism with its qualifier.

    mechanism: lower case. spec: domain-spec as written, None where there is none. family, span:
    of ip4 and ip6. cidr4, cidr6: prefix lengths of a and mx. text: the term as written.
    """

    text: str
    result: Result
    mechanism: str
    spec: str | None = None
    family: Family | None = None
    span: Span = (0, -1)
    cidr4: int = 32
    cidr6: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record without a syntax error. batches: its terms in order, runs of ip4/ip6 together."""

    text: str
    batches: tuple[tuple[Directive, ...], ...]
    redirect: str | None
    explanation: str | None
    has_all: bool

    @property
    def directives(self) -> tuple[Directive, ...]:
        """All mechanisms in order."""
        return tuple(directive for batch in self.batches for directive in batch)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that is a permerror: why, and which term."""

    why: str
    term: str = ""


class _SyntaxError(Exception):
    """Internal: a term that is no term."""


def choose(texts: Iterable[bytes]) -> tuple[bytes, ...]:
    """The TXT that are SPF records: the version alone or before a space, in any case."""
    return tuple(text for text in texts if text[:6].lower() == VERSION and text[6:7] in (b"", b" "))


@lru_cache(maxsize=512)
def parse(text: bytes) -> Record | BadRecord:
    """One chosen record to its terms, or why it is a permerror."""
    if len(text) > MAX_RECORD or not all(0x20 <= octet <= 0x7E for octet in text):
        return BadRecord("characters outside of printable ASCII")
    words = [word for word in text.decode("ascii")[len(VERSION) :].split(" ") if word]
    directives: list[Directive] = []
    modifiers: list[tuple[str, str]] = []
    for word in words:
        try:
            _term(word, directives, modifiers)
        except _SyntaxError as fault:
            return BadRecord(str(fault), word)
    return _record(text.decode("ascii"), directives, modifiers)


def _record(
    text: str, directives: list[Directive], modifiers: list[tuple[str, str]]
) -> Record | BadRecord:
    names = [name for name, _ in modifiers]
    for single in ("redirect", "exp"):
        if names.count(single) > 1:
            return BadRecord("the modifier stands twice", f"{single}=")
    known = dict(reversed(modifiers))
    return Record(
        text=text,
        batches=_batches(directives),
        redirect=known.get("redirect"),
        explanation=known.get("exp"),
        has_all=any(found.mechanism == "all" for found in directives),
    )


def _batches(directives: list[Directive]) -> tuple[tuple[Directive, ...], ...]:
    batches: list[list[Directive]] = []
    for directive in directives:
        if batches and directive.family and batches[-1][-1].family:
            batches[-1].append(directive)
        else:
            batches.append([directive])
    return tuple(tuple(batch) for batch in batches)


def _term(word: str, directives: list[Directive], modifiers: list[tuple[str, str]]) -> None:
    modifier = _MODIFIER.fullmatch(word)
    if modifier:
        name, value = modifier[1].lower(), modifier[2]
        if name in ("redirect", "exp"):
            _need(is_domain_spec(value), "no domain-spec")
        else:
            _need(well_formed(value, explanation=True), "no macro string")
        modifiers.append((name, value))
        return
    parts = _DIRECTIVE.fullmatch(word)
    if parts is None:
        raise _SyntaxError("no term")
    directives.append(_directive(word, QUALIFIERS[parts[1] or "+"], parts[2].lower(), parts[3]))


def _need(condition: bool, why: str) -> None:
    if not condition:
        raise _SyntaxError(why)


def _directive(word: str, result: Result, mechanism: str, rest: str) -> Directive:
    match mechanism:
        case "all":
            _need(not rest, "`all` takes no argument")
            return Directive(text=word, result=result, mechanism=mechanism)
        case "ip4" | "ip6":
            return _ip_directive(word, result, mechanism, rest)
        case "a" | "mx":
            return _host_directive(word, result, mechanism, rest)
        case "include" | "exists" | "ptr":
            _need(bool(rest) or mechanism == "ptr", "a domain is needed")
            return Directive(text=word, result=result, mechanism=mechanism, spec=_spec(rest))
        case _:
            raise _SyntaxError("no such mechanism")


def _spec(rest: str) -> str | None:
    if not rest:
        return None
    _need(rest[0] == ":" and is_domain_spec(rest[1:]), "no domain-spec")
    return rest[1:]


def _ip_directive(word: str, result: Result, mechanism: str, rest: str) -> Directive:
    family = Family.V4 if mechanism == "ip4" else Family.V6
    parts = _IP.fullmatch(rest)
    if parts is None:
        raise _SyntaxError("no address")
    prefix = family.bits if parts[2] is None else int(parts[2])
    _need(prefix <= family.bits, "prefix too long")
    try:
        kind = ipaddress.IPv4Address if family is Family.V4 else ipaddress.IPv6Address
        number = int(kind(parts[1]))
    except ValueError as error:
        raise _SyntaxError("no address") from error
    return Directive(
        text=word,
        result=result,
        mechanism=mechanism,
        family=family,
        span=span_of(number, prefix, family),
    )


def _host_directive(word: str, result: Result, mechanism: str, rest: str) -> Directive:
    parts = _DUAL.fullmatch(rest)
    if parts is None:
        raise _SyntaxError("no domain-spec")
    cidr4, cidr6 = int(parts[2] or 32), int(parts[3] or 128)
    _need(cidr4 <= 32 and cidr6 <= 128, "prefix too long")
    return Directive(
        text=word,
        result=result,
        mechanism=mechanism,
        spec=_spec(parts[1]),
        cidr4=cidr4,
        cidr6=cidr6,
    )


@lru_cache(maxsize=512)
def claimed(batch: tuple[Directive, ...], family: Family) -> tuple[tuple[Result, AddressSet], ...]:
    """What a run of ip4/ip6 terms gives the addresses of one family: the first match counts."""
    order = list(QUALIFIERS.values())
    claims = [(found.span, order.index(found.result)) for found in batch if found.family is family]
    return tuple((order[label], region) for label, region in first_claims(claims).items())


def term_for(batch: tuple[Directive, ...], number: int, family: Family) -> Directive:
    """The first term of a run that claims an address; the run's first where none does."""
    for found in batch:
        if found.family is family and found.span[0] <= number <= found.span[1]:
            return found
    return batch[0]
