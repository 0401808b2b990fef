# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The per-server rule: what each server said before is held against what it says after.

Each server that answered before must answer after; one silent before and after is listed; at
least one must have answered (design, rule 6). A server that is new after, or was silent before,
is held against what most said before; one that is not asked any more is listed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from dns.name import Name

from wavegate.answer import Answer, Found, Lookup, Unknown
from wavegate.mailauth.names import parents
from wavegate.record.observation import Observation
from wavegate.verdict import Finding, Missing, NotCompared, On, cause

RECAPTURE = "wavegate capture --phase after"
BASELINE = "wavegate capture --phase before"
Question = tuple[Name, str]
S = TypeVar("S")


class View(Protocol):
    """What a comparison needs of the DNS answers of a snapshot; `record.dns_view` has it."""

    def answers(self, name: Name, rdtype: str) -> Mapping[str, Answer]:
        """What each of them said to one question."""

    def observation(self, server: str, name: Name, rdtype: str) -> Observation | None:
        """The recorded observation behind an answer."""

    def lookup(self, server: str | None = None) -> Lookup:
        """The DNS as one server shows it, or as most of them do."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A server that was asked and gave no definite answer to anything; why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Generic[S]):
    """One fact as the servers of one side show it.

    most: as most of them do. each: per server that was asked, its own state or its silence.
    """

    most: S
    each: Mapping[str, S | Silent]

    @property
    def answered(self) -> bool:
        """Whether any server answered."""
        return any(not isinstance(state, Silent) for state in self.each.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Generic[S]):
    """Two states to hold against each other, and the servers that show them, sorted.

    witness: the server that said `before`, None where it is what most said.
    """

    before: S
    after: S
    servers: tuple[str, ...]
    witness: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing(Generic[S]):
    """All that is to be held against each other, and what cannot be.

    silent_after: answered before, silent after, with the reason. silent_both, only_before: listed.
    among: how many servers are compared.
    """

    pairs: tuple[Pair[S], ...]
    silent_after: Mapping[str, str]
    silent_both: tuple[str, ...]
    only_before: tuple[str, ...]
    among: int


def shown(view: View, evaluate: Callable[[Lookup], tuple[S, Iterable[Question]]]) -> Shown[S]:
    """A fact per server. evaluate: gives the state and the questions that it rests on.

    A server that answers them as most do has the very same state object.
    """
    common = view.lookup()
    most, asked = evaluate(common)
    questions = tuple(asked)
    usual = [common(*question) for question in questions]
    each: dict[str, S | Silent] = {}
    for server, own in _own_answers(view, questions).items():
        look = view.lookup(server)
        if all(isinstance(answer, Unknown) for answer in own):
            reasons = {answer.reason for answer in own if isinstance(answer, Unknown)}
            each[server] = Silent(", ".join(sorted(reasons)))
        elif [look(*question) for question in questions] == usual:
            each[server] = most
        else:
            each[server] = evaluate(look)[0]
    return Shown(most=most, each=each)


def _own_answers(view: View, questions: Iterable[Question]) -> dict[str, list[Answer]]:
    """What each server said itself, for those that were asked any of the questions."""
    own: dict[str, list[Answer]] = {}
    for question in questions:
        for server, answer in view.answers(*question).items():
            own.setdefault(server, []).append(answer)
    return dict(sorted(own.items()))


def pair_up(before: Shown[S], after: Shown[S]) -> Pairing[S]:
    """What each server said before beside what it says after; equal pairs are joined."""
    pairs: list[Pair[S]] = []
    silent_after: dict[str, str] = {}
    silent_both: list[str] = []
    for server, now in sorted(after.each.items()):
        was = before.each.get(server)
        if isinstance(now, Silent):
            if was is None or isinstance(was, Silent):
                silent_both.append(server)
            else:
                silent_after[server] = now.reason
            continue
        if was is None or isinstance(was, Silent):
            _join(pairs, before.most, now, server, None)
        else:
            _join(pairs, was, now, server, server)
    return Pairing(
        pairs=tuple(pairs),
        silent_after=silent_after,
        silent_both=tuple(silent_both),
        only_before=tuple(sorted(set(before.each) - set(after.each))),
        among=sum(len(pair.servers) for pair in pairs),
    )


def _join(pairs: list[Pair[S]], before: S, after: S, server: str, witness: str | None) -> None:
    for at, pair in enumerate(pairs):
        if pair.before == before and pair.after == after:
            pairs[at] = replace(pair, servers=(*pair.servers, server))
            return
    pairs.append(Pair(before=before, after=after, servers=(server,), witness=witness))


def alone(pair: Pair[S], pairing: Pairing[S]) -> tuple[str, ...]:
    """The servers that a finding must name: those of the pair, unless all show it."""
    return () if len(pair.servers) == pairing.among else pair.servers


def serials(view: View, owner: Name, odd: tuple[str, ...]) -> tuple[str, ...]:
    """The SOA serials of the zone of a name, where odd servers have another one than the rest."""
    for apex in parents(owner) if odd else ():
        answers = view.answers(apex, "SOA").items()
        found = {server: _serial(answer) for server, answer in answers}
        mine = {found.get(server, "") for server in odd} - {""}
        others = {text for server, text in found.items() if server not in odd} - {""}
        if mine or others:
            return tuple(sorted(mine | others)) if mine != others else ()
    return ()


def _serial(answer: Answer) -> str:
    rdatas = answer.rdatas if isinstance(answer, Found) else ()
    return next((str(r.serial) for r in rdatas if hasattr(r, "serial")), "")


def where(pair: Pair[S], pairing: Pairing[S]) -> str:
    """At how many servers, and at which where it is not all."""
    found = alone(pair, pairing)
    count = f"at {len(pair.servers)} of {pairing.among} servers"
    return f"{count} ({', '.join(found)})" if found else count


def gaps(
    subject: str, before: Shown[S], after: Shown[S], pairing: Pairing[S]
) -> tuple[Missing, ...]:
    """What is missing because servers were silent.

    subject: what was asked, e.g. `news.acme.example TXT`.
    """
    if not before.answered:
        return (_nobody(subject, "before", before, BASELINE),)
    if not after.answered:
        return (_nobody(subject, "after", after, RECAPTURE),)
    if not pairing.silent_after:
        return ()
    names = ", ".join(f"{name} ({why})" for name, why in pairing.silent_after.items())
    return (
        Missing(
            what=f"{subject}: {names} answered before and did not after",
            on=On.OPERATOR,
            rule="server-silent-after",
            subject=subject,
            count=len(pairing.silent_after),
            command=RECAPTURE,
            after="silent",
        ),
    )


def _nobody(subject: str, phase: str, side: Shown[S], command: str) -> Missing:
    reasons = [f"{name} ({s.reason})" for name, s in side.each.items() if isinstance(s, Silent)]
    who = f"none of {', '.join(reasons)} answered" if reasons else "it was not asked"
    return Missing(
        what=f"{subject}: {who} {phase}",
        on=On.OPERATOR,
        rule=f"nobody-answered-{phase}",
        subject=subject,
        count=len(reasons) or None,
        command=command,
    )


def listed(subject: str, pairing: Pairing[S]) -> tuple[NotCompared, ...]:
    """The servers that were not compared, and why."""
    silent = (
        NotCompared(what=f"{subject} at {server}", reason="silent before and after")
        for server in pairing.silent_both
    )
    gone = (
        NotCompared(what=f"{subject} at {server}", reason="not asked after")
        for server in pairing.only_before
    )
    return (*silent, *gone)


def joined(promise: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings with one cause as one, with the witnesses of all."""
    found: dict[str, Finding] = {}
    for one in findings:
        key = cause(promise, one.rule, one.subject, one.before, one.after)
        first = found.get(key)
        found[key] = one if first is None else _with_witness(first, one)
    return tuple(found.values())


def _with_witness(first: Finding, other: Finding) -> Finding:
    witness = tuple(dict.fromkeys((*first.witness, *other.witness)))
    return Finding(
        rule=first.rule,
        subject=first.subject,
        expected=first.expected,
        observed=first.observed,
        explanation=first.explanation,
        witness=witness,
        before=first.before,
        after=first.after,
        records=tuple(dict.fromkeys((*first.records, *other.records))),
    )
