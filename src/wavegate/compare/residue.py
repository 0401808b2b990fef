# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What remains of a snapshot when the other promises took theirs: normalised facts, per server.

Left to others: SPF records of sender domains and what they include, DKIM keys, DMARC records, the
set of PTR names and whether they forward-confirm, the build. Everything else that was captured is
a fact here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from dns.name import Name
from dns.rdata import Rdata

from wavegate.answer import Answer, Found, NoData, NoSuchName, Unknown
from wavegate.record.campaign_view import CampaignView, NotSeen, OptionValue

NO_NAME = "no such name"
NO_RECORD = "no record"
CANARY = "wavegate-no-such-name"
"""The label that a capture asks for because nobody has it: an answer shows a wildcard."""
LEFT_OUT_TYPES = frozenset({"RRSIG", "NSEC", "NSEC3"})
"""They change with every signing of the zone."""
_ADDRESS_TYPES = frozenset({"A", "AAAA"})
_NO_CASE_TYPES = frozenset({"NS", "MX", "CNAME", "PTR", "SRV", "DNAME", "CAA"})
_LEADS_TO_TXT = ("include:", "redirect=")
_LEADS_TO_ADDRESS = ("a:", "mx:", "exists:", "ptr:")


class DnsSide(Protocol):
    """What is needed of the DNS answers of a snapshot; `record.dns_view.DnsView` has it."""

    def questions(self) -> tuple[tuple[Name, str], ...]:
        """Everything that was asked, sorted."""

    def answers(self, name: Name, rdtype: str) -> Mapping[str, Answer]:
        """Per server its own answer."""

    def delegation(self, zone: Name) -> Mapping[str, frozenset[Name] | Unknown]:
        """Per server of the parent zone, the NS names of the zone."""

    def delegated_zones(self) -> tuple[Name, ...]:
        """The zones whose parents were asked."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Place:
    """Where a fact was seen. subject: owner and type, or a key. server: host:port, or empty."""

    subject: str
    server: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A definite state: sorted, normalised items.

    behind: what stands behind them and is compared by itself: the CNAME target that led to
    addresses, the policy that a text or host leads to; of a certificate its end.
    """

    items: tuple[str, ...]
    behind: str = ""

    @property
    def text(self) -> str:
        """The items in one line."""
        return ", ".join(self.items)


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody could tell, and why."""

    reason: str


State = Known | Silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The names whose records belong to other promises.

    reverse: targets of PTR. policies: where SPF leads for TXT. mechanisms: where it leads for
    addresses. aliased: targets of CNAMEs, whose addresses may rotate.
    """

    reverse: frozenset[Name]
    policies: frozenset[str]
    mechanisms: frozenset[str]
    aliased: frozenset[Name]


def dns_facts(
    view: DnsSide, domains: Iterable[str], apart: frozenset[Name] = frozenset()
) -> Iterator[tuple[Place, State]]:
    """The facts of all DNS answers. domains: the sender domains, whose SPF is `spf`'s.

    apart: names whose answers make facts of another kind.
    The SOA of other zones are captured to date a stale copy of a policy, which is `spf`'s too.
    """
    own = frozenset(domains)
    explained = _explained(view, own)
    for name, rdtype in view.questions():
        if rdtype in LEFT_OUT_TYPES or name in apart or "_domainkey" in text_of(name).split("."):
            continue
        if rdtype == "SOA" and text_of(name) not in own:
            continue
        for server, answer in view.answers(name, rdtype).items():
            yield from _facts(name, rdtype, server, answer, explained)
    for zone in view.delegated_zones():
        for server, names in view.delegation(zone).items():
            place = Place(subject=f"{text_of(zone)} NS at the parent", server=server)
            yield place, _delegated(names)


def text_of(name: Name) -> str:
    """A name in lower case without the final dot; the root is a dot."""
    return name.to_text(omit_final_dot=True).lower() or "."


def _explained(view: DnsSide, domains: Iterable[str]) -> Explained:
    reverse: set[Name] = set()
    aliased: set[Name] = set()
    leads: dict[str, set[str]] = {"txt": set(domains), "address": set()}
    for name, rdtype in view.questions():
        for answer in view.answers(name, rdtype).values():
            if isinstance(answer, Unknown):
                continue
            aliased |= set(answer.chain)
            if not isinstance(answer, Found):
                continue
            if rdtype == "PTR":
                reverse |= {rdata.target for rdata in answer.rdatas}  # type: ignore[attr-defined] # PTR
            elif rdtype == "TXT":
                _follow(answer.rdatas, leads)
    return Explained(
        reverse=frozenset(reverse),
        policies=frozenset(leads["txt"]),
        mechanisms=frozenset(leads["address"]),
        aliased=frozenset(aliased),
    )


def _follow(rdatas: Iterable[Rdata], leads: Mapping[str, set[str]]) -> None:
    """The names that an SPF record's terms lead to (RFC 7208 sections 5, 6.1)."""
    for text in map(joined, rdatas):
        if not _is_spf(text):
            continue
        for term in text.lower().split()[1:]:
            bare = term.lstrip("+-~?")
            for kind, starts in (("txt", _LEADS_TO_TXT), ("address", _LEADS_TO_ADDRESS)):
                if bare.startswith(starts):
                    target = bare.replace("=", ":").partition(":")[2]
                    leads[kind].add(target.partition("/")[0].rstrip("."))


def joined(rdata: Rdata) -> str:
    """The text of a TXT record, its strings joined without a gap; odd bytes are escaped."""
    strings: tuple[bytes, ...] = getattr(rdata, "strings", ())
    return b"".join(strings).decode("utf-8", "backslashreplace")


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def _facts(
    name: Name, rdtype: str, server: str, answer: Answer, explained: Explained
) -> Iterator[tuple[Place, State]]:
    owner = text_of(name).replace(f"{CANARY}.", "*.")

    def place(what: str) -> Place:
        return Place(subject=f"{owner} {what}", server=server)

    if rdtype == "SOA":
        for part, state in _soa_parts(answer):
            yield place(f"SOA {part}"), state
        return
    if rdtype in _ADDRESS_TYPES or rdtype in ("PTR", "CNAME"):
        yield place("CNAME"), _chain(answer, rdtype)
    if _others(name, owner, rdtype, explained):
        return
    state = _state(owner, rdtype, answer, explained)
    if isinstance(state, Known) and rdtype in _ADDRESS_TYPES and name in explained.aliased:
        state = Known(state.items, owner)
    yield place(rdtype), state


def _others(name: Name, owner: str, rdtype: str, explained: Explained) -> bool:
    """Whether another promise explains these records, or another fact here holds them."""
    if rdtype in ("PTR", "CNAME"):
        return True
    return rdtype in _ADDRESS_TYPES and (name in explained.reverse or owner in explained.mechanisms)


def _soa_parts(answer: Answer) -> Iterator[tuple[str, State]]:
    """Primary, serial, and the rest of an SOA apart (RFC 1035 3.3.13)."""
    match answer:
        case Unknown(reason):
            parts: list[State] = [Silent(reason)] * 3
        case Found(rdatas):
            mname, rname, serial, *timers = rdatas[0].to_text().lower().split()
            rest = " ".join([rname.rstrip("."), *timers])
            parts = [Known((mname.rstrip("."),)), Known((serial,)), Known((rest,))]
        case NoData() | NoSuchName():
            parts = [Known((NO_RECORD,))] * 3
    yield from zip(("primary", "serial", "contact and timers"), parts, strict=True)


def _chain(answer: Answer, rdtype: str) -> State:
    match answer:
        case Unknown(reason):
            return Silent(reason)
        case Found(rdatas, chain) if rdtype == "CNAME":
            return Known(tuple(text_of(rdata.target) for rdata in rdatas) or _texts(chain))  # type: ignore[attr-defined] # CNAME
        case Found(_, chain) | NoData(chain) | NoSuchName(chain):
            return Known(_texts(chain) or (NO_RECORD,))


def _texts(chain: tuple[Name, ...]) -> tuple[str, ...]:
    return tuple(text_of(name) for name in chain)


def _state(owner: str, rdtype: str, answer: Answer, explained: Explained) -> State:
    match answer:
        case Unknown(reason):
            return Silent(reason)
        case NoSuchName():
            return Known((NO_NAME,))
        case NoData():
            return Known((NO_RECORD,))
        case Found(rdatas, chain):
            items = sorted(_items(owner, rdtype, rdatas, explained))
            behind = text_of(chain[-1]) if chain and rdtype in _ADDRESS_TYPES else ""
            return Known(tuple(items) or (NO_RECORD,), behind)


def _items(owner: str, rdtype: str, rdatas: Iterable[Rdata], explained: Explained) -> Iterator[str]:
    for rdata in rdatas:
        if rdtype == "TXT":
            text = joined(rdata)
            if not _anothers_text(owner, text, explained):
                yield text
        elif rdtype in _NO_CASE_TYPES:
            yield rdata.to_text().lower().rstrip(".")
        else:
            yield rdata.to_text()


def _anothers_text(owner: str, text: str, explained: Explained) -> bool:
    """Whether a TXT belongs to `spf` or `dmarc`; SPF at other names, such as HELO's, is ours."""
    if _is_spf(text):
        return owner in explained.policies
    return owner.startswith("_dmarc.") and text.lower().lstrip().startswith("v=dmarc1")


def _delegated(names: frozenset[Name] | Unknown) -> State:
    if isinstance(names, Unknown):
        return Silent(names.reason)
    return Known(tuple(sorted(map(text_of, names))) or (NO_RECORD,))


def campaign_facts(view: CampaignView) -> Iterator[tuple[Place, State]]:
    """Which instance answers, what is installed on it, and the options that policy names."""
    logon = view.logon
    if isinstance(logon, NotSeen):
        for key in ("instanceName", "databaseId"):
            yield Place(subject=f"{key} at Logon"), Silent(logon.reason)
    else:
        yield Place(subject="instanceName at Logon"), _told(logon.instance_name)
        yield Place(subject="databaseId at Logon"), _told(logon.database_id)
    packages = view.packages
    installed = (
        Silent(packages.reason)
        if isinstance(packages, NotSeen)
        else Known(tuple(sorted(packages)) or (NO_RECORD,))
    )
    yield Place(subject="installed packages"), installed
    names = sorted({redir.instance for redir in view.redir if redir.instance})
    if view.redir_asked:
        told = Known(tuple(names)) if names else Silent("not shown")
        yield Place(subject="instance at /r/test"), told
    for name, value in view.options.items():
        yield Place(subject=f"option {name}"), _option(value)


def _told(value: str | None) -> State:
    return Known((value,)) if value else Silent("not told")


def _option(value: OptionValue | NotSeen) -> State:
    if isinstance(value, NotSeen):
        return Silent(value.reason)
    return Known((value.value if value.exists else "no such option",))
