# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The DMARC policy in effect for a From domain, under RFC 9989's tree walk and under RFC 7489.

RFC 9989 obsoletes 7489, but many receivers still run the older one with a public suffix list; both
are computed. An error in the walk is unknown, never "no policy".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import dns.exception
from dns.name import Name
from publicsuffixlist import PublicSuffixList

from wavegate.answer import Lookup, NoSuchName, Unknown
from wavegate.mailauth.dmarc_record import POLICIES, DmarcRecord, choose
from wavegate.mailauth.names import name_of, parents, text_of
from wavegate.mailauth.spf import texts

MAX_QUERIES = 8
Question = tuple[Name, str]


class Rfc(StrEnum):
    """Which specification a receiver follows."""

    RFC9989 = "RFC 9989"
    RFC7489 = "RFC 7489"


@dataclass(frozen=True, slots=True, kw_only=True)
class InEffect:
    """What applies to mail from a domain under one specification.

    policy: none, quarantine or reject, after t=y; None: no DMARC. at: the domain whose record
    applies. tag: the tag that gave the policy, as written. organizational: None where unknown.
    percent: of RFC 7489. unknown: questions without an answer, on which the policy depends.
    """

    policy: str | None
    at: Name | None = None
    tag: str = ""
    organizational: Name | None = None
    adkim: str = "r"
    aspf: str = "r"
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    fo: str = "0"
    percent: int = 100
    unknown: tuple[Question, ...] = ()

    @property
    def effect(self) -> tuple[object, ...]:
        """What receivers do with mail: policy, alignment, organizational domain, sampling."""
        return (self.policy, self.organizational, self.adkim, self.aspf, self.percent)

    @property
    def reporting(self) -> tuple[object, ...]:
        """Where receivers report to."""
        return (self.rua, self.ruf, self.fo if self.ruf else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Both views of one From domain, and every question that was asked."""

    tree: InEffect
    list: InEffect
    asked: tuple[Question, ...]

    def under(self, rfc: Rfc) -> InEffect:
        """The view of one specification."""
        return self.tree if rfc is Rfc.RFC9989 else self.list


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What stands at one name of the walk: a record, nothing, or nobody answered."""

    name: Name
    record: DmarcRecord | None
    unknown: bool


def discover(author: Name, lookup: Lookup) -> Discovery:
    """The policy in effect for a From domain. Never raises."""
    steps = walk(author, lookup)
    suffix_based = [_step(name, lookup) for name in _two_looks(author)]
    exists = lookup(author, "TXT")
    asked = [dmarc_name(step.name) for step in (*steps, *suffix_based)]
    return Discovery(
        tree=_tree(author, steps, missing=isinstance(exists, NoSuchName)),
        list=_list(author, suffix_based),
        asked=tuple(dict.fromkeys((name, "TXT") for name in asked if name is not None)),
    )


def dmarc_name(name: Name) -> Name | None:
    """Where the record of a domain stands; None where that would be too long a name."""
    try:
        return Name((b"_dmarc", *name.labels))
    except dns.exception.DNSException:
        return None


def _step(name: Name, lookup: Lookup) -> _Step:
    place = dmarc_name(name)
    if place is None:
        return _Step(name=name, record=None, unknown=False)
    answer = lookup(place, "TXT")
    record = choose(texts(answer))
    return _Step(name=name, record=record, unknown=isinstance(answer, Unknown))


def walk_names(author: Name) -> tuple[Name, ...]:
    """The names of the tree walk, the domain first; at most eight (RFC 9989 4.10)."""
    every = parents(author)
    return every if len(every) < MAX_QUERIES else (every[0], *every[-(MAX_QUERIES - 1) :])


def walk(author: Name, lookup: Lookup) -> tuple[_Step, ...]:
    """The steps of the walk up to a record that says whether it is a public suffix."""
    steps: list[_Step] = []
    for name in walk_names(author):
        steps.append(_step(name, lookup))
        record = steps[-1].record
        if record is not None and record.psd != "u":
            break
    return tuple(steps)


def organizational_domain(author: Name, lookup: Lookup) -> Name | None:
    """The organizational domain by the tree walk; None where an answer is missing."""
    steps = walk(author, lookup)
    return None if any(step.unknown for step in steps) else _organizational(author, steps)


def _organizational(author: Name, steps: tuple[_Step, ...]) -> Name:
    found = [step for step in steps if step.record is not None]
    for step in found:
        if step.record is not None and step.record.psd == "n":
            return step.name
        if step.record is not None and step.record.psd == "y" and step.name != author:
            return _one_below(step.name, author)
    return found[-1].name if found else author


def _one_below(suffix: Name, author: Name) -> Name:
    return Name(author.labels[-(len(suffix.labels) + 1) :])


def _tree(author: Name, steps: tuple[_Step, ...], *, missing: bool) -> InEffect:
    own = steps[0]
    unknown = tuple(_asked(step) for step in steps if step.unknown)
    organizational = None if unknown else _organizational(author, steps)
    if own.unknown or (own.record is None and unknown):
        return InEffect(policy=None, organizational=organizational, unknown=unknown)
    applied = own if own.record is not None else _inherited(steps, organizational)
    record = applied.record if applied else None
    if applied is None or record is None or not record.usable:
        return InEffect(policy=None, organizational=organizational)
    tag, policy = _policy(record, inherited=applied is not own, missing=missing)
    lowered = _lowered(policy) if record.testing else policy
    note = f"{tag}={policy}" + ("; t=y" if record.testing else "")
    return _in_effect(record, lowered, applied.name, note, organizational)


def _asked(step: _Step) -> Question:
    return (dmarc_name(step.name) or step.name, "TXT")


def _inherited(steps: tuple[_Step, ...], organizational: Name | None) -> _Step | None:
    """The organizational domain's record, else that of the public suffix."""
    for step in steps:
        if step.name == organizational and step.record is not None:
            return step
    last = steps[-1]
    return last if last.record is not None and last.record.psd == "y" else None


def _policy(record: DmarcRecord, *, inherited: bool, missing: bool) -> tuple[str, str]:
    """The tag that applies and its value: np, sp, p for a name below; p for the name itself."""
    if inherited and missing and record.np is not None:
        return "np", record.np
    if inherited and record.sp is not None:
        return "sp", record.sp
    return "p", record.p or "none"


def _lowered(policy: str) -> str:
    return POLICIES[max(POLICIES.index(policy) - 1, 0)]


def _in_effect(
    record: DmarcRecord,
    policy: str,
    at: Name,
    tag: str,
    organizational: Name | None,
    percent: int = 100,
) -> InEffect:
    return InEffect(
        policy=policy,
        at=at,
        tag=tag,
        organizational=organizational,
        adkim=record.adkim,
        aspf=record.aspf,
        rua=record.rua,
        ruf=record.ruf,
        fo=record.fo,
        percent=percent,
    )


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)


def registrable(name: Name) -> Name:
    """The organizational domain by the public suffix list; a suffix itself is its own."""
    found = _suffixes().privatesuffix(text_of(name))
    return (name_of(found) if found else None) or name


def _two_looks(author: Name) -> tuple[Name, ...]:
    return tuple(dict.fromkeys((author, registrable(author))))


def _list(author: Name, steps: Iterable[_Step]) -> InEffect:
    """RFC 7489 6.6.3: the From domain, then the organizational domain of the list."""
    organizational = registrable(author)
    for step in steps:
        if step.unknown:
            return InEffect(policy=None, organizational=organizational, unknown=(_asked(step),))
        record = step.record
        if record is None:
            continue
        if not record.usable:
            break
        use_sp = step.name != author and record.sp is not None
        policy = (record.sp if use_sp else record.p) or "none"
        tag = f"{'sp' if use_sp else 'p'}={policy}"
        return _in_effect(record, policy, step.name, tag, organizational, record.percent)
    return InEffect(policy=None, organizational=organizational)


def aligned(identity: Name, author: Name, mode: str, lookup: Lookup) -> bool | None:
    """Whether an authenticated domain aligns with a From domain; None where it is not known.

    mode: `s` the same name, `r` the same organizational domain, each by its own walk.
    """
    if identity == author:
        return True
    if mode == "s":
        return False
    mine, theirs = organizational_domain(identity, lookup), organizational_domain(author, lookup)
    if mine is None or theirs is None:
        return None
    return bool(mine == theirs)
