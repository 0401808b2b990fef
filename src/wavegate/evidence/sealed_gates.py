# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The decisions of earlier waves that a bundle brings along, because `schedule` rests on them."""

from dataclasses import dataclass
from datetime import datetime

from wavegate.errors import InvalidError
from wavegate.evidence.envelope import UnknownKeyError
from wavegate.evidence.gate_part import check_vouched
from wavegate.evidence.predicates import SealPredicate
from wavegate.evidence.sealed import Opener, Sealed
from wavegate.evidence.sealed_keys import why_not
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role
from wavegate.evidence.verdicts import Verdicts, parse

GATES = "records/gates/"
_SEAL = "/seal.dsse.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """Sentences about the earlier waves whose seals are trusted, and about those that are not."""

    proven: tuple[str, ...]
    unproven: tuple[str, ...]


def read_gates(sealed: Sealed, opener: Opener, seen: datetime | None) -> Gates:
    """Check each earlier seal and its verdicts.

    seen: when an authority saw the bundle's own seal. A seal by a key that the verifier does not
    trust, or did not any more, proves nothing, and is said to. Raises
    InvalidError for a seal or verdicts that were changed or stand in another's place.
    """
    proven: list[str] = []
    unproven: list[str] = []
    for name in sealed.under(GATES):
        if not name.endswith(_SEAL):
            continue
        wave, run = _place(name)
        try:
            opened = opener.open(sealed[name], Role.SEAL, where=name)
        except UnknownKeyError as error:
            unproven.append(f"That wave {wave} was decided in run {run}: {error.message}.")
            continue
        at = _check(sealed, name, opened.payload).at
        why = why_not(opened.keyids, opener.trust, at, seen)
        if why:
            unproven.append(f"That wave {wave} was decided in run {run}: {why}.")
        elif opened.keyids:
            proven.append(f"Wave {wave} was decided in run {run}, sealed by {opened.keyids[0]}.")
    return Gates(proven=tuple(proven), unproven=tuple(unproven))


def _place(name: str) -> tuple[str, str]:
    parts = name.removeprefix(GATES).removesuffix(_SEAL).split("/")
    if len(parts) != 2:
        raise InvalidError("no gate is filed like this", where=name)
    return parts[0], parts[1]


def _check(sealed: Sealed, name: str, payload: bytes) -> Verdicts:
    statement = read(payload, SealPredicate, where=name)
    told = (statement.predicate.wave, statement.predicate.run)
    if told != _place(name):
        raise InvalidError(f"it is the seal of run {told[1]} of wave {told[0]}", where=name)
    place = name.removesuffix(_SEAL) + "/"
    where = f"{place}verdicts.json"
    check_vouched(
        statement.subjects,
        sealed[where],
        lambda file: sealed.small.get(place + file),
        where=where,
    )
    return parse(sealed[where])
