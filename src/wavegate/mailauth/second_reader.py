# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""checkdmarc as a second reader of captured SPF and DMARC text: a witness, never the judge.

It is given a resolver that answers from what was captured and that has no sockets; its cache,
which does not tell resolvers apart, is emptied before each use; `exp=` is taken out, since its
check of it would go past the given resolver to the machine's DNS.
"""

import importlib
import re
from functools import cache
from types import ModuleType
from typing import Any

from dns.name import Name

from wavegate.answer import Found, Lookup, NoSuchName, Unknown
from wavegate.mailauth.dmarc import Discovery, dmarc_name
from wavegate.mailauth.dmarc_record import DmarcRecord, choose
from wavegate.mailauth.names import name_of, text_of
from wavegate.mailauth.spf import texts
from wavegate.mailauth.spf_compare import Policy
from wavegate.mailauth.spf_record import Result
from wavegate.mailauth.spf_terms import spell_texts

READER = "checkdmarc"
MAX_RECORD = 4_096
MAX_QUESTIONS = 100
MAX_ADVICE = 10
_EXPLANATION = re.compile(r" exp=\S*", re.IGNORECASE)
_REPORTING = re.compile(r";\s*(?:rua|ruf)\s*=[^;]*", re.IGNORECASE)
_COMPARED = ("p", "sp", "np", "adkim", "aspf", "t", "psd")


@cache
def _module(name: str) -> ModuleType:
    """A module of checkdmarc, imported on first use: it takes a third of a second."""
    return importlib.import_module(f"{READER}.{name}")


def load() -> None:
    """Import what will be needed now.

    A library below checkdmarc opens a socket as it is imported, to see whether there is IPv6;
    whoever watches that judging opens nothing calls this first.
    """
    for name in ("utils", "spf", "dmarc"):
        _module(name)


class _Replay:
    """Stands in for a resolver: answers from a Lookup, and can open nothing."""

    lifetime = 1.0
    timeout = 1.0

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._left = MAX_QUESTIONS

    def resolve(self, name: object, rdtype: object, **_: object) -> list[Any]:
        """The captured records, or the exception that the library expects."""
        errors = _module("utils").dns.resolver
        asked = name_of(str(name))
        self._left -= 1
        if asked is None or self._left < 0 or str(rdtype) == "SPF":
            raise errors.NoAnswer
        answer = self._lookup(asked, str(rdtype))
        match answer:
            case Found(rdatas):
                return (
                    [_Text(texts(answer)[at]) for at in range(len(rdatas))]
                    if str(rdtype) == "TXT"
                    else list(rdatas)
                )
            case NoSuchName():
                raise errors.NXDOMAIN
            case Unknown():
                raise errors.LifetimeTimeout
            case _:
                raise errors.NoAnswer


class _Text:
    """A TXT record without its `exp=`."""

    def __init__(self, text: bytes) -> None:
        self.strings = (_without_exp(text.decode("utf-8", "replace")).encode(),)


def _without_exp(text: str) -> str:
    return _EXPLANATION.sub("", text) if text[:6].lower() == "v=spf1" else text


def read_spf(domain: Name, lookup: Lookup, ours: Policy) -> tuple[str, ...]:
    """What checkdmarc says of the SPF policy of a domain, where it differs or advises."""
    found = spell_texts(lookup, domain)
    if len(found) != 1 or len(found[0]) > MAX_RECORD:
        return ()
    error, advice = _parse_spf(_without_exp(found[0]), domain, lookup)
    name = text_of(domain)
    results = {piece.result for pieces in ours.views.values() for piece in pieces}
    if Result.UNKNOWN in results:
        return ()
    bad = Result.PERMERROR in results
    disagree = f"two readers disagree on SPF of {name}"
    if error and not bad:
        says = f"{READER} says {error!r}"
        return (f"{disagree}: {says}; ours stands: by RFC 7208 no address gets permerror",)
    if bad and not error:
        why = sorted({p.because.note for v in ours.views.values() for p in v if p.because.note})
        ground = f"by RFC 7208 some addresses get permerror ({', '.join(why)})"
        return (f"{disagree}: {READER} accepts it; ours stands: {ground}",)
    return _advice(f"SPF of {name}", advice)


def _parse_spf(text: str, domain: Name, lookup: Lookup) -> tuple[str, list[str]]:
    try:
        found = _fresh("spf").parse_spf_record(
            text, text_of(domain), resolver=_Replay(lookup), retries=0
        )
    except Exception as error:  # noqa: BLE001 - a second reader may fail in any way on hostile text
        return _short(error), []
    return "", [str(warning) for warning in found["warnings"]]


def _fresh(name: str) -> ModuleType:
    """A module of checkdmarc with the process-wide cache emptied."""
    _module("utils").DNS_CACHE.clear()
    return _module(name)


def read_dmarc(lookup: Lookup, ours: Discovery) -> tuple[str, ...]:
    """What checkdmarc says of the DMARC record in effect, where it differs or advises."""
    at = ours.tree.at
    place = None if at is None else dmarc_name(at)
    if at is None or place is None:
        return ()
    record = choose(texts(lookup(place, "TXT")))
    if record is None or len(record.text) > MAX_RECORD:
        return ()
    error, tags, advice = _parse_dmarc(_REPORTING.sub("", record.text), at, lookup)
    name = text_of(place)
    if error:
        says = f"{READER} says {error!r}"
        return (f"two readers disagree on {name}: {says}; ours stands by RFC 9989 4.7",)
    odd = [tag for tag in _COMPARED if tag in tags and tags[tag] != _ours(record, tag)]
    if odd:
        parts = ", ".join(f"{tag}={tags[tag]} (ours: {_ours(record, tag)})" for tag in odd)
        stands = "ours stands: a bad value of a tag counts as its default (RFC 9989 4.7)"
        return (f"two readers disagree on {name}: {READER} reads {parts}; {stands}",)
    return _advice(name, advice)


def _parse_dmarc(text: str, domain: Name, lookup: Lookup) -> tuple[str, dict[str, str], list[str]]:
    try:
        found = _fresh("dmarc").parse_dmarc_record(
            text, text_of(domain), resolver=_Replay(lookup), retries=0
        )
    except Exception as error:  # noqa: BLE001 - a second reader may fail in any way on hostile text
        return _short(error), {}, []
    tags = found["tags"].items()
    stated = {tag: str(value["value"]) for tag, value in tags if value.get("explicit")}
    return "", stated, [str(w) for w in found["warnings"] if "rua" not in str(w)]


def _ours(record: DmarcRecord, tag: str) -> str:
    known = {
        "p": record.p,
        "sp": record.sp,
        "np": record.np,
        "adkim": record.adkim,
        "aspf": record.aspf,
        "psd": record.psd,
        "t": "y" if record.testing else "n",
    }
    return str(known[tag])


def _short(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]


def _advice(subject: str, advice: list[str]) -> tuple[str, ...]:
    kept = (" ".join(text.split())[:200] for text in advice[:MAX_ADVICE])
    return tuple(f"{READER} advises on {subject}: {text}" for text in kept)
