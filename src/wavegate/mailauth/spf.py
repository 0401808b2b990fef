# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""check_host of RFC 7208 over whole sets of addresses, which are split as terms match.

Counters live in the piece, since evaluation is short-circuit: an address that matches early never
meets the eleventh lookup behind it. A question that nobody answered gives `unknown` to the pieces
that reach it. A term that depends on the address splits each piece by an uninterpreted symbol.
"""

import ipaddress
from dataclasses import dataclass, replace

import dns.rdatatype
from dns.name import Name
from dns.rdata import Rdata

from wavegate.answer import Answer, Found, Lookup, Unknown
from wavegate.mailauth import spf_record
from wavegate.mailauth.address_set import (
    EMPTY,
    UNIVERSE,
    Address,
    AddressSet,
    Family,
    family_of,
    only,
    span_of,
)
from wavegate.mailauth.names import reverse_name, text_of
from wavegate.mailauth.spf_macro import Depends, Scope, Sender, expand, to_name
from wavegate.mailauth.spf_record import BadRecord, Directive, Record, Result
from wavegate.mailauth.spf_result import Because, Live, Piece, Question, Voids, merge

MAX_LOOKUPS = 10
MAX_VOIDS = 2
MAX_MX = 10
MAX_PTR = 10
MAX_SYMBOLS = 6
"""With more terms that depend on the address, the piece is unknown: 3 ** 6 regions are enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The pieces, the questions that were asked, and the TXT owners met, in order."""

    pieces: tuple[Piece, ...]
    asked: tuple[Question, ...]
    owners: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class _Hosts:
    """What `a` or `mx` found: the addresses, empty questions, an unanswered one, an error."""

    region: AddressSet = EMPTY
    empty: tuple[Name, ...] = ()
    unknown: tuple[Question, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Valid:
    """The validated names of a client, the names without an answer, the unanswered questions."""

    names: tuple[Name, ...] = ()
    empty: tuple[Name, ...] = ()
    unknown: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """Where the evaluation is: the record's owner, the way there, the record."""

    path: tuple[Name, ...]
    through: tuple[str, ...] = ()

    @property
    def owner(self) -> Name:
        return self.path[-1]

    def because(self, *terms: Directive, note: str = "", text: str = "") -> Because:
        return Because(path=self.path, through=self.through, terms=terms, note=note, text=text)

    def into(self, name: Name, term: str) -> "_At":
        return _At(path=(*self.path, name), through=(*self.through, term))


def evaluate(
    sender: Sender,
    lookup: Lookup,
    family: Family,
    *,
    voids: Voids = Voids.PER_QUESTION,
    region: AddressSet | None = None,
) -> Evaluation:
    """The result of every address of a region (default: the whole family) for a sender.

    Never raises; bounded by the lookup limit, which holds for loops too.
    """
    walk = _Walk(sender, lookup, family, voids)
    whole = UNIVERSE[family] if region is None else region
    pieces = walk.check(_At(path=(sender.domain,)), (Live(region=whole),))
    return Evaluation(
        pieces=tuple(piece for piece in pieces if piece.region),
        asked=tuple(walk.asked),
        owners=tuple(walk.owners),
    )


def evaluate_client(
    sender: Sender, lookup: Lookup, *, voids: Voids = Voids.PER_QUESTION
) -> Evaluation:
    """The result of the one client address of a sender; its macros are filled in."""
    if sender.client is None:
        raise ValueError("a sender without a client address")
    return evaluate(
        sender, lookup, family_of(sender.client), voids=voids, region=only(sender.client)
    )


class _Walk:
    """One evaluation: remembers what was asked and which records were met."""

    def __init__(self, sender: Sender, lookup: Lookup, family: Family, voids: Voids) -> None:
        self._sender = sender
        self._lookup = lookup
        self._family = family
        self._voids = voids
        self._symbols: set[str] = set()
        self.asked: dict[Question, None] = {}
        self.owners: dict[Name, None] = {}

    def _ask(self, name: Name, rdtype: str) -> Answer:
        self.asked[(name, rdtype)] = None
        return self._lookup(name, rdtype)

    def check(self, at: _At, live: tuple[Live, ...]) -> list[Piece]:
        """check_host for the record at `at`."""
        if len(at.owner.labels) < 3:
            return _all_end(live, Result.NONE, at.because(note="no domain with two labels"))
        self.owners[at.owner] = None
        answer = self._ask(at.owner, "TXT")
        if isinstance(answer, Unknown):
            because = at.because(note=f"{text_of(at.owner)} TXT: {answer.reason}")
            return _all_end(live, Result.UNKNOWN, because, ((at.owner, "TXT"),))
        chosen = spf_record.choose(texts(answer))
        if not chosen:
            return _all_end(live, Result.NONE, at.because(note="no SPF record"))
        if len(chosen) > 1:
            return _all_end(live, Result.PERMERROR, at.because(note="several SPF records"))
        record = spf_record.parse(chosen[0])
        if isinstance(record, BadRecord):
            because = at.because(note=f"syntax: {record.why}", text=record.term)
            return _all_end(live, Result.PERMERROR, because)
        return self._run(record, at, live)

    def _run(self, record: Record, at: _At, live: tuple[Live, ...]) -> list[Piece]:
        done: list[Piece] = []
        for batch in record.batches:
            ended, rest = self._step(batch, at, live)
            done += ended
            live = merge(rest)
            if not live:
                return done
        if record.redirect is None or record.has_all:
            return done + _all_end(live, Result.NEUTRAL, at.because(note="no term matches"))
        return done + self._redirect(record.redirect, at, live)

    def _redirect(self, spec: str, at: _At, live: tuple[Live, ...]) -> list[Piece]:
        text = f"redirect={spec}"
        done, live = self._count(at, live, text)
        target = self._expand(spec, at)
        if isinstance(target, Depends):
            return done + _depends(live, at, text, target)
        if target is None:
            because = at.because(note="no name to redirect to", text=text)
            return done + _all_end(live, Result.PERMERROR, because)
        return done + [
            replace(
                piece,
                result=Result.PERMERROR,
                because=replace(piece.because, note=f"no SPF record at {text_of(target)}"),
            )
            if piece.result is Result.NONE
            else piece
            for piece in (self.check(at.into(target, text), live) if live else [])
        ]

    def _step(
        self, batch: tuple[Directive, ...], at: _At, live: tuple[Live, ...]
    ) -> tuple[list[Piece], list[Live]]:
        first = batch[0]
        if first.family:
            return self._ip(batch, at, live)
        if first.mechanism == "all":
            return _all_end(live, first.result, at.because(first)), []
        done, live = self._count(at, live, first.text)
        if not live:
            return done, []
        target = at.owner if first.spec is None else self._expand(first.spec, at)
        ended, rest = self._counted(first, target, at, live)
        return done + ended, rest

    def _ip(
        self, batch: tuple[Directive, ...], at: _At, live: tuple[Live, ...]
    ) -> tuple[list[Piece], list[Live]]:
        done: list[Piece] = []
        claims = spf_record.claimed(batch, self._family)
        rest = []
        for one in live:
            left = one.region
            for result, region in claims:
                matched = one.region & region
                if matched:
                    terms = tuple(found for found in batch if found.result is result)
                    done.append(one.within(matched).ends(result, at.because(*terms)))
                    left = left - matched
            rest.append(one.within(left))
        return done, rest

    def _count(
        self, at: _At, live: tuple[Live, ...], text: str
    ) -> tuple[list[Piece], tuple[Live, ...]]:
        """One more lookup for every piece; the eleventh is a permerror (RFC 7208 4.6.4)."""
        over = [one for one in live if one.lookups >= MAX_LOOKUPS]
        because = at.because(note=f"more than {MAX_LOOKUPS} lookups", text=text)
        counted = [
            replace(one, lookups=one.lookups + 1) for one in live if one.lookups < MAX_LOOKUPS
        ]
        return _all_end(over, Result.PERMERROR, because), tuple(counted)

    def _counted(
        self, term: Directive, target: Name | Depends | None, at: _At, live: tuple[Live, ...]
    ) -> tuple[list[Piece], list[Live]]:
        if term.mechanism == "ptr":
            return self._ptr(term, target, at, live)
        if isinstance(target, Depends):
            if term.mechanism == "include":
                return _depends(live, at, term.text, target), []
            cidr = f"/{term.cidr4}//{term.cidr6}"
            return self._assume(term, f"{term.mechanism}:{target.text}{cidr}", at, live)
        if term.mechanism == "include":
            return self._include(term, target, at, live)
        if target is None:
            return [], list(live)
        if term.mechanism == "exists":
            return self._hosts(term, self._exists(target), at, live)
        return self._hosts(term, self._addresses(term, target), at, live)

    def _include(
        self, term: Directive, target: Name | None, at: _At, live: tuple[Live, ...]
    ) -> tuple[list[Piece], list[Live]]:
        if target is None:
            because = at.because(term, note="no name to include")
            return _all_end(live, Result.PERMERROR, because), []
        done: list[Piece] = []
        rest: list[Live] = []
        for piece in self.check(at.into(target, term.text), live):
            match piece.result:
                case Result.PASS:
                    done.append(replace(piece, result=term.result))
                case Result.NONE:
                    note = f"no SPF record at {text_of(target)}"
                    because = replace(piece.because, note=note)
                    done.append(replace(piece, result=Result.PERMERROR, because=because))
                case Result.PERMERROR | Result.TEMPERROR | Result.UNKNOWN:
                    done.append(piece)
                case _:
                    rest.append(_alive_again(piece))
        return done, rest

    def _hosts(
        self, term: Directive, hosts: _Hosts, at: _At, live: tuple[Live, ...]
    ) -> tuple[list[Piece], list[Live]]:
        """Split by what `a`, `mx` or `exists` found, after counting the empty answers."""
        if hosts.error:
            return _all_end(live, Result.PERMERROR, at.because(term, note=hosts.error)), []
        if hosts.unknown:
            because = at.because(term, note=_asked_text(hosts.unknown))
            return _all_end(live, Result.UNKNOWN, because, hosts.unknown), []
        done, counted = self._void(term, hosts.empty, at, live)
        rest = []
        for one in counted:
            matched = one.region & hosts.region
            done.append(one.within(matched).ends(term.result, at.because(term)))
            rest.append(one.within(one.region - matched))
        return [piece for piece in done if piece.region], rest

    def _void(
        self,
        term: Directive,
        empty: tuple[Name, ...],
        at: _At,
        live: tuple[Live, ...],
        *,
        nameless: int = 0,
    ) -> tuple[list[Piece], list[Live]]:
        """Count empty answers. nameless: further ones behind a name that is not known."""
        count = len(empty) + nameless
        add = min(count, 1) if self._voids is Voids.PER_TERM else count
        done: list[Piece] = []
        rest: list[Live] = []
        for one in live:
            counted = replace(one, voids=one.voids + add, void_names=_joined(one.void_names, empty))
            if self._voids is not Voids.UNLIMITED and counted.voids > MAX_VOIDS:
                because = at.because(term, note=f"more than {MAX_VOIDS} empty answers")
                done.append(counted.ends(Result.PERMERROR, because))
            else:
                rest.append(counted)
        return done, rest

    def matched(self, term: Directive, at: _At) -> AddressSet | None:
        """What `a`, `mx` or `exists` matches; None where that is not known."""
        target = at.owner if term.spec is None else self._expand(term.spec, at)
        if isinstance(target, Depends):
            return None
        if target is None:
            return EMPTY
        hosts = (
            self._exists(target) if term.mechanism == "exists" else self._addresses(term, target)
        )
        return None if hosts.unknown else hosts.region

    def _exists(self, target: Name) -> _Hosts:
        """`exists` asks A for IPv6 clients too (RFC 7208 5.7)."""
        match self._ask(target, "A"):
            case Found():
                return _Hosts(region=UNIVERSE[self._family])
            case Unknown():
                return _Hosts(unknown=((target, "A"),))
            case _:
                return _Hosts(empty=(target,))

    def _addresses(self, term: Directive, target: Name) -> _Hosts:
        prefix = term.cidr4 if self._family is Family.V4 else term.cidr6
        if term.mechanism == "a":
            return self._address_records((target,), prefix)
        answer = self._ask(target, "MX")
        if isinstance(answer, Unknown):
            return _Hosts(unknown=((target, "MX"),))
        if not isinstance(answer, Found):
            return _Hosts(empty=(target,))
        hosts = sorted({name.canonicalize() for name in targets(answer, "exchange")})
        if len(answer.rdatas) > MAX_MX:
            return _Hosts(error=f"more than {MAX_MX} MX")
        return self._address_records(tuple(host for host in hosts if len(host) > 1), prefix)

    def _address_records(self, hosts: tuple[Name, ...], prefix: int) -> _Hosts:
        rdtype = "A" if self._family is Family.V4 else "AAAA"
        spans, empty, unknown = [], [], []
        for host in hosts:
            match self._ask(host, rdtype):
                case Found(rdatas):
                    numbers = addresses(rdatas, rdtype)
                    spans += [span_of(number, prefix, self._family) for number in numbers]
                case Unknown():
                    unknown.append((host, rdtype))
                case _:
                    empty.append(host)
        return _Hosts(AddressSet.of(spans), tuple(empty), tuple(unknown))

    def _ptr(
        self, term: Directive, target: Name | Depends | None, at: _At, live: tuple[Live, ...]
    ) -> tuple[list[Piece], list[Live]]:
        if isinstance(target, Depends) or self._sender.client is None:
            text = target.text if isinstance(target, Depends) else _name_text(target)
            return self._assume(term, f"ptr:{text}", at, live)
        valid = self._validate(self._sender.client)
        if valid.unknown:
            because = at.because(term, note=_asked_text(valid.unknown))
            return _all_end(live, Result.UNKNOWN, because, valid.unknown), []
        done, counted = self._void(term, valid.empty, at, live)
        if target is not None and any(name.is_subdomain(target) for name in valid.names):
            return done + _all_end(counted, term.result, at.because(term)), []
        return done, counted

    def _validate(self, client: Address) -> _Valid:
        """The validated names of the client (RFC 7208 5.5); a silent server leaves it unknown."""
        reverse = reverse_name(client)
        answer = self._ask(reverse, "PTR")
        if isinstance(answer, Unknown):
            return _Valid(unknown=((reverse, "PTR"),))
        if not isinstance(answer, Found):
            return _Valid(empty=(reverse,))
        found = [
            (name, self._address_records((name,), self._family.bits))
            for name in targets(answer, "target")[:MAX_PTR]
        ]
        return _Valid(
            names=tuple(name for name, hosts in found if int(client) in hosts.region),
            empty=tuple(name for _, hosts in found for name in hosts.empty),
            unknown=tuple(asked for _, hosts in found for asked in hosts.unknown),
        )

    def _validated(self) -> tuple[Name, ...] | None:
        """For the macro `p`: the validated names, None where that is not known."""
        if self._sender.client is None:
            return None
        valid = self._validate(self._sender.client)
        return None if valid.unknown else valid.names

    def _assume(
        self, term: Directive, symbol: str, at: _At, live: tuple[Live, ...]
    ) -> tuple[list[Piece], list[Live]]:
        """Split each piece by an uninterpreted symbol: it matches, it does not, it is empty."""
        self._symbols.add(symbol)
        if len(self._symbols) > MAX_SYMBOLS:
            because = at.because(term, note="too many terms depend on the address")
            return _all_end(live, Result.UNKNOWN, because), []
        done: list[Piece] = []
        rest: list[Live] = []
        for one in live:
            known = [value for name, value in one.assumed if name == symbol]
            for value in known or ["yes", "no", "void"]:
                assumed = replace(one, assumed=one.assumed | {(symbol, value)})
                if value == "yes":
                    done.append(assumed.ends(term.result, at.because(term)))
                elif value == "no":
                    rest.append(assumed)
                else:
                    ended, counted = self._void(term, (), at, (assumed,), nameless=1)
                    done += ended
                    rest += counted
        return done, rest

    def _expand(self, spec: str, at: _At) -> Name | Depends | None:
        expanded = expand(spec, self.scope(at.owner))
        return expanded if isinstance(expanded, Depends) else to_name(expanded)

    def scope(self, owner: Name) -> Scope:
        """What macros see in the record of an owner."""
        return Scope(
            sender=self._sender,
            domain=owner,
            family=self._family,
            validated=self._validated,
        )


def _all_end(
    live: tuple[Live, ...] | list[Live],
    result: Result,
    because: Because,
    unknown: tuple[Question, ...] = (),
) -> list[Piece]:
    return [one.ends(result, because, unknown) for one in live]


def _depends(live: tuple[Live, ...], at: _At, text: str, target: Depends) -> list[Piece]:
    note = f"the policy at {target.text} depends on the address or the sender"
    return _all_end(live, Result.UNKNOWN, at.because(note=note, text=text))


def _alive_again(piece: Piece) -> Live:
    return Live(
        region=piece.region,
        lookups=piece.lookups,
        voids=piece.voids,
        void_names=piece.because.voids,
        assumed=piece.assumed,
    )


def texts(answer: Answer) -> tuple[bytes, ...]:
    """The TXT of an answer, each with its strings joined without a space."""
    if not isinstance(answer, Found):
        return ()
    found = _typed(answer.rdatas, "TXT")
    return tuple(b"".join(getattr(rdata, "strings", ())) for rdata in found)


def _typed(rdatas: tuple[Rdata, ...], rdtype: str) -> list[Rdata]:
    wanted = dns.rdatatype.from_text(rdtype)
    return [rdata for rdata in rdatas if rdata.rdtype == wanted]


def addresses(rdatas: tuple[Rdata, ...], rdtype: str) -> tuple[int, ...]:
    """The addresses of A or AAAA records as numbers."""
    found = (str(getattr(rdata, "address", "")) for rdata in _typed(rdatas, rdtype))
    return tuple(int(ipaddress.ip_address(text)) for text in found)


def targets(answer: Found, field: str) -> list[Name]:
    """The names in one field of the records: `target` of PTR, `exchange` of MX."""
    found = (getattr(rdata, field, None) for rdata in answer.rdatas)
    return [name for name in found if isinstance(name, Name)]


def _joined(names: tuple[Name, ...], more: tuple[Name, ...]) -> tuple[Name, ...]:
    return tuple(dict.fromkeys((*names, *more)))


def _asked_text(questions: tuple[Question, ...]) -> str:
    return ", ".join(f"{text_of(name)} {rdtype}" for name, rdtype in questions) + " not answered"


def _name_text(name: Name | None) -> str:
    return "" if name is None else text_of(name)


def scope_of(sender: Sender, owner: Name, lookup: Lookup) -> Scope:
    """What macros see in the record of an owner, for the client of a sender.

    Raises ValueError where the sender has no client address.
    """
    if sender.client is None:
        raise ValueError("a sender without a client address")
    return _Walk(sender, lookup, family_of(sender.client), Voids.PER_QUESTION).scope(owner)


def term_region(
    term: Directive, owner: Name, sender: Sender, lookup: Lookup, family: Family
) -> AddressSet | None:
    """The addresses of one family that one term of an owner's record matches; None: not known."""
    walk = _Walk(sender, lookup, family, Voids.UNLIMITED)
    return walk.matched(term, _At(path=(owner,)))
