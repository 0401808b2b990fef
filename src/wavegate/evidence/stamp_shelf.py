# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The timestamps of captures in a store, or in a bundle's `records/`.

`stamps/<wave>/<instance>/000001.2.tsr` is the token of the second authority over the payload of
`signed/<wave>/<instance>/000001.dsse.json`. What a token says is read here; that a trusted
authority said it is shown where its root is at hand: by `gate`, when it freezes, and by `verify`.
"""

import re
from dataclasses import dataclass

from cryptography import x509

from wavegate.errors import WavegateError
from wavegate.evidence.dossier import Flaw
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.statement import read
from wavegate.evidence.timestamp import Token, read_token, verify_token
from wavegate.record.stamp import Stamp
from wavegate.record.store import Store

STAMPS = "stamps"
_SIGNED = re.compile(r"signed/(?P<place>[^/]+/[^/]+/[0-9]{6})\.dsse\.json")
_TOKEN = re.compile(r"stamps/(?P<place>[^/]+/[^/]+/[0-9]{6})\.[1-9][0-9]?\.tsr")


@dataclass(frozen=True, slots=True, kw_only=True)
class StampReading:
    """The tokens over an instance's captures, and what was wrong with others."""

    stamps: tuple[Stamp, ...]
    flaws: tuple[Flaw, ...]


def token_name(envelope: str, number: int) -> str:
    """Where the token of the n-th authority over a capture's envelope is kept."""
    found = _SIGNED.fullmatch(envelope)
    if found is None or not 1 <= number <= 99:
        raise ValueError(f"{envelope} has no place for a token {number}")
    return f"{STAMPS}/{found['place']}.{number}.tsr"


def envelope_of(token: str) -> str | None:
    """The envelope whose payload a token is over; None where no token is filed like this."""
    found = _TOKEN.fullmatch(token)
    return f"signed/{found['place']}.dsse.json" if found else None


def read_stamps(store: Store, wave: str, instance: str) -> StampReading:
    """All tokens over captures of an instance in a wave, whoever gave them."""
    stamps: list[Stamp] = []
    flaws: list[Flaw] = []
    for name in store.names(f"{STAMPS}/{wave}/{instance}/"):
        try:
            stamps.append(_stamp(store, name))
        except WavegateError as error:
            flaws.append(_flaw(name, error))
    return StampReading(stamps=tuple(stamps), flaws=tuple(flaws))


def check_stamps(
    store: Store, stamps: tuple[Stamp, ...], roots: tuple[x509.Certificate, ...]
) -> StampReading:
    """Those by an authority under one of the roots; of the others, what is wrong."""
    good: list[Stamp] = []
    flaws: list[Flaw] = []
    for stamp in stamps:
        try:
            payload, _ = _signed(store, stamp.name)
            verify_token(store.read(stamp.name), payload, roots, where=stamp.name)
        except WavegateError as error:
            flaws.append(_flaw(stamp.name, error, stamp.record))
        else:
            good.append(stamp)
    return StampReading(stamps=tuple(good), flaws=tuple(flaws))


def stamp_of(name: str, record: str, token: Token) -> Stamp:
    """What a token over the signed statement of a record says of it."""
    return Stamp(
        name=name,
        record=record,
        at=token.at,
        accuracy=token.accuracy,
        authority=token.authority,
    )


def _stamp(store: Store, name: str) -> Stamp:
    payload, record = _signed(store, name)
    return stamp_of(name, record, read_token(store.read(name), payload, where=name))


def _signed(store: Store, name: str) -> tuple[bytes, str]:
    """The payload that a token is over, and the record that this is about."""
    envelope = envelope_of(name)
    if envelope is None:
        raise WavegateError("no token is filed like this", where=name)
    payload = read_unverified(store.read(envelope))
    return payload, read(payload, RecordPredicate).only_digest()


def _flaw(name: str, error: WavegateError, record: str = "") -> Flaw:
    return Flaw(kind="timestamp", subject=name, detail=error.message, record=record)
