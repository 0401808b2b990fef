# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The records of a sealed bundle: each signed when taken, unchanged, in its place, none hidden.

What is wrong with a record is a Doubt: the run itself may have found it and said so under
`sound_evidence`; a run that did not say so is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wavegate.errors import InvalidError, WavegateError
from wavegate.estate.nightly import NIGHTLY
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.predicates import RecordKind, RecordPredicate
from wavegate.evidence.sealed import Opener, Sealed, read_object
from wavegate.evidence.sealed_claims import Claim, compare_outline, compare_whole
from wavegate.evidence.statement import read
from wavegate.evidence.tree import Tree
from wavegate.evidence.trust import Role

FOLDERS: Mapping[str, RecordKind] = {
    "signed": "snapshot",
    "accepted": "snapshot",
    "mails": "mails",
    "mail-sources": "mail-sources",
    "readings": "reading",
    "queues": "queue",
    "timelines": "timeline",
}
ACCEPTED = "records/accepted/"
_PLACE = re.compile(
    r"records/(?P<folder>signed|accepted|mails|mail-sources|readings|queues|timelines)/"
    r"(?P<wave>[^/]+)/(?P<instance>[^/]+?)(/(?P<file>[^/]+))?\.dsse\.json"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something a sealed run may hold only if it says itself that the evidence is unsound."""

    instance: str
    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records of a bundle. known: every digest that a verdict may rest on."""

    claims: tuple[Claim, ...]
    doubts: tuple[Doubt, ...]
    known: frozenset[str]
    keyids: frozenset[str] = field(default_factory=frozenset)


def read_records(tree: Tree, sealed: Sealed, opener: Opener, *, whole: bool = False) -> Records:
    """Check all records, one object in memory at a time.

    whole: read each to its end, as judging it does; otherwise only what says whose it is and when
    it was taken, and by which digests its mails and reports go. Raises InvalidError for what no run
    can honestly hold: an object that nothing signed names, a signed file out of place.
    """
    claims: dict[str, Claim] = {}
    doubts: list[Doubt] = []
    for name in (name for folder in FOLDERS for name in sealed.under(f"records/{folder}/")):
        claim = _claim(name, sealed.small[name], opener, doubts)
        if claim and claims.setdefault(claim.record, claim) is not claim:
            doubts.append(_doubt(name, f"the record stands under {claims[claim.record].where} too"))
    known = set(sealed.files.values())
    for name in sealed.objects():
        known |= _check_object(tree, sealed, name, claims, doubts, whole=whole)
    doubts += _absent(claims, known)
    doubts += _broken_chains(tuple(claims.values()))
    return Records(
        claims=tuple(claims.values()),
        doubts=tuple(doubts),
        known=frozenset(known),
        keyids=frozenset(keyid for claim in claims.values() for keyid in claim.keyids),
    )


def _doubt(where: str, text: str) -> Doubt:
    place = _PLACE.fullmatch(where)
    return Doubt(instance=place["instance"] if place else "", where=where, text=text)


def _claim(name: str, data: bytes, opener: Opener, doubts: list[Doubt]) -> Claim | None:
    """What an envelope says about its record; one that does not verify says it unproven."""
    keyids: tuple[str, ...] = ()
    try:
        opened = opener.open(data, Role.RECORD, where=name, timed=False)
        payload, keyids = opened.payload, opened.keyids
    except InvalidError as error:
        doubts.append(_doubt(name, error.message))
        payload = _claimed_payload(data)
    try:
        statement = read(payload, RecordPredicate, where=name)
        record = statement.only_digest()
    except InvalidError as error:
        doubts.append(_doubt(name, error.message))
        return None
    if set(statement.subjects) != {_object_name(record)}:
        doubts.append(_doubt(name, "the subject is not named as its object"))
    claim = Claim(where=name, record=record, signed=statement.predicate, keyids=keyids)
    doubts += _out_of_place(claim)
    return claim


def _claimed_payload(data: bytes) -> bytes:
    try:
        return read_unverified(data)
    except InvalidError:
        return b""


def _object_name(record: str) -> str:
    return f"objects/{record[:2]}/{record}"


def _out_of_place(claim: Claim) -> Iterator[Doubt]:
    place, signed = _PLACE.fullmatch(claim.where), claim.signed
    if place is None:
        raise InvalidError("no record is filed like this", where=claim.where)
    kind = FOLDERS[place["folder"]]
    file = {
        "snapshot": f"{signed.sequence:06d}",
        "mails": signed.phase,
        "queue": f"{signed.phase}-{signed.sequence:06d}",
        "timeline": f"{signed.sequence:06d}",
    }.get(kind)
    told = (signed.wave, signed.instance, signed.kind, file)
    if told != (place["wave"], place["instance"], kind, place["file"]):
        text = f"signed as {signed.kind} {file or ''} of {signed.instance} in {signed.wave}"
        yield _doubt(claim.where, text)


def _check_object(
    tree: Tree,
    sealed: Sealed,
    name: str,
    claims: Mapping[str, Claim],
    doubts: list[Doubt],
    *,
    whole: bool,
) -> set[str]:
    """The digests that an object brings: its own, and those of the mails or reports in it."""
    record = sealed.files[name]
    if name.removeprefix("records/") != _object_name(record):
        raise InvalidError("an object that is not filed under its digest", where=name)
    data = read_object(tree, sealed, name)
    claim = claims.get(record)
    if claim is None:
        raise InvalidError("a record that no signed statement names", where=name)
    try:
        brought = compare_whole(claim, data) if whole else compare_outline(claim, data)
    except WavegateError as error:
        doubts.append(_doubt(claim.where, f"record {record[:12]}: {error.message}"))
        brought = frozenset()
    return {record, *brought}


def _absent(claims: Mapping[str, Claim], known: set[str]) -> Iterator[Doubt]:
    for record, claim in claims.items():
        if record not in known:
            yield _doubt(claim.where, f"its record {record[:12]} is not in the bundle")


def _broken_chains(claims: tuple[Claim, ...]) -> Iterator[Doubt]:
    """A capture that was taken away leaves a gap in sequence and previous."""
    chains: dict[tuple[str | None, str | None], list[Claim]] = {}
    for claim in claims:
        if claim.where.startswith(ACCEPTED):
            continue  # its place is that of the baseline's version
        if claim.signed.kind in ("snapshot", "queue"):
            moment = claim.signed.phase if claim.signed.kind == "queue" else None
            chains.setdefault((claim.signed.instance, moment), []).append(claim)
    for chain in chains.values():
        links = sorted(chain, key=lambda claim: claim.signed.sequence)
        number, previous = _first_link(links[0])
        for claim in links:
            if (claim.signed.sequence, claim.signed.previous) != (number, previous):
                yield _doubt(claim.where, "the capture before it is missing or another one")
            number, previous = number + 1, claim.record


def _first_link(claim: Claim) -> tuple[int, str | None]:
    """Where a chain begins: at 1, but a night's begins where the night before ended."""
    if claim.signed.wave == NIGHTLY and claim.signed.kind == "snapshot":
        return claim.signed.sequence, claim.signed.previous
    return 1, None
