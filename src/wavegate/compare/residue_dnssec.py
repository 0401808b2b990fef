# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The DNSSEC state of the sender domains' zones as facts of `nothing_else_changed`.

What the signatures amount to is compared, per server; keys and DS are shown beside it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from dns.name import Name

from wavegate.compare.residue import NO_RECORD, Known, Place, Silent, State
from wavegate.mailauth.dnssec import Signed, judge_zone, key_labels, read_signed
from wavegate.mailauth.names import text_of
from wavegate.record.observation import Observation, Unreachable

MAX_ANSWERS = 60
STATE, KEYS, DELEGATION = "DNSSEC", "DNSKEY", "DS at the parent"
Question = tuple[Name, str]


class SignedSide(Protocol):
    """What is needed of a snapshot; `record.dns_view.DnsView` has it."""

    def signed(self) -> Mapping[Question, Mapping[str, Observation]]:
        """What was asked with signatures, per server."""


def dnssec_facts(view: SignedSide) -> Iterator[tuple[Place, State]]:
    """Per zone and server the state and the keys; per server of the parent the DS."""
    asked = view.signed()
    zones = sorted(name for name, rdtype in asked if rdtype == "DNSKEY")
    for zone in zones:
        parent = _all(zone, "DS", asked.get((zone, "DS"), {}))
        for server, said in parent.items():
            yield _place(zone, DELEGATION, server), _listed(said, _texts)
        others = [q for q in asked if q[1] not in ("DNSKEY", "DS") and _zone(q[0], zones) == zone]
        for server, keys in _all(zone, "DNSKEY", asked[zone, "DNSKEY"]).items():
            answers = _answers(server, others, asked)
            yield _place(zone, STATE, server), _state(zone, keys, parent, answers)
            yield _place(zone, KEYS, server), _listed(keys, key_labels)


def _place(zone: Name, what: str, server: str) -> Place:
    return Place(subject=f"{text_of(zone)} {what}", server=server)


def _zone(name: Name, zones: list[Name]) -> Name | None:
    return max((zone for zone in zones if name.is_subdomain(zone)), key=len, default=None)


def _all(name: Name, rdtype: str, said: Mapping[str, Observation]) -> dict[str, Signed | Silent]:
    return {server: _read(name, rdtype, found) for server, found in sorted(said.items())}


def _read(name: Name, rdtype: str, observation: Observation) -> Signed | Silent:
    outcome = observation.outcome
    if isinstance(outcome, Unreachable):
        return Silent(outcome.reason)
    try:
        return read_signed(outcome.value, name, rdtype, observation.at)
    except ValueError as error:
        return Silent(str(error))


def _answers(
    server: str,
    questions: list[Question],
    asked: Mapping[Question, Mapping[str, Observation]],
) -> list[Signed]:
    """The signed sets of one server that can be read."""
    said = (
        _read(*question, asked[question][server])
        for question in sorted(questions)[:MAX_ANSWERS]
        if server in asked[question]
    )
    return [found for found in said if isinstance(found, Signed)]


def _state(
    zone: Name,
    keys: Signed | Silent,
    parent: Mapping[str, Signed | Silent],
    answers: list[Signed],
) -> State:
    """The state at one server; the parent counts as one, since all its servers may be asked."""
    if isinstance(keys, Silent):
        return keys
    told = [said for said in parent.values() if isinstance(said, Signed)]
    if parent and not told:
        return Silent("no server of the parent said whether there is a DS")
    delegation = tuple(dict.fromkeys(ds for said in told for ds in said.records))
    return Known(judge_zone(zone, keys, delegation if parent else None, answers))


def _texts(signed: Signed) -> tuple[str, ...]:
    return tuple(sorted(rdata.to_text().lower() for rdata in signed.records))


def _listed(said: Signed | Silent, spell: Callable[[Signed], tuple[str, ...]]) -> State:
    return said if isinstance(said, Silent) else Known(spell(said) or (NO_RECORD,))
