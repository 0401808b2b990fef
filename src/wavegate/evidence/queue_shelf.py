# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The signed looks at the queue: where they stand, and reading them.

`queues/<wave>/<instance>/<moment>-<number>.dsse.json`, each counted from 1 per moment. The columnar
reader is imported only where there is a look to read.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wavegate.clock import format_instant
from wavegate.errors import DamagedError, InvalidError, MissingError, WavegateError
from wavegate.evidence.dossier import Flaw, FlawKind
from wavegate.evidence.envelope import UnknownKeyError, open_envelope
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.record.queue import Moment, QueueLook
from wavegate.record.queue_header import header_of
from wavegate.record.store import Store

_OTHERWISE = "it is not what its signed statement describes"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookReading:
    """The looks of an instance that could be read, in order of time, and what was wrong."""

    looks: tuple[QueueLook, ...]
    flaws: tuple[Flaw, ...]


def folder(wave: str, instance: str) -> str:
    """Where the looks at an instance's queue stand."""
    return f"queues/{wave}/{instance}/"


def file_name(moment: Moment, number: int) -> str:
    """The name of a look in its folder."""
    return f"{moment}-{number:06d}.dsse.json"


def read_looks(store: Store, wave: str, instance: str, trust: Trust) -> LookReading:
    """All looks at an instance's queue in a wave whose signature, place and digest hold."""
    looks: list[QueueLook] = []
    flaws: list[Flaw] = []
    signed: list[tuple[str, RecordPredicate, str]] = []
    for name in store.names(folder(wave, instance)):
        found = _read(store, name, wave, instance, trust)
        if isinstance(found, Flaw):
            flaws.append(found)
        else:
            look, predicate = found
            looks.append(look)
            signed.append((name, predicate, look.digest))
    flaws += () if flaws else _gaps(signed)
    looks.sort(key=lambda look: (look.ended, look.digest))
    return LookReading(looks=tuple(looks), flaws=tuple(flaws))


def _read(
    store: Store, name: str, wave: str, instance: str, trust: Trust
) -> tuple[QueueLook, RecordPredicate] | Flaw:
    from wavegate.record.queue_file import from_bytes  # noqa: PLC0415 - polars, see above

    try:
        opened = open_envelope(store.read(name), trust, Role.RECORD)
        statement = read(opened.payload, RecordPredicate)
        record = statement.only_digest()
        look = from_bytes(store.get(record), digest=record)
        _same(look, statement.predicate)
    except WavegateError as error:
        return Flaw(kind=_kind(error), subject=name, detail=error.message)
    place = (
        f"{folder(look.wave, look.instance)}{file_name(look.moment, statement.predicate.sequence)}"
    )
    if place != name or (look.wave, look.instance) != (wave, instance):
        detail = f"filed as {name}, is a look at {look.instance} in {look.wave}, {look.moment}"
        return Flaw(kind="wrong-instance", subject=name, detail=detail, record=record)
    return look, statement.predicate


def _kind(error: WavegateError) -> FlawKind:
    match error:
        case UnknownKeyError():
            return "unknown-key"
        case InvalidError():
            return "bad-signature"
        case MissingError():
            return "missing-object"
        case DamagedError() if error.cure and "version" in error.cure:
            return "schema"
    return "digest"


def _gaps(signed: list[tuple[str, RecordPredicate, str]]) -> Iterator[Flaw]:
    """Gaps in the chain of looks of one moment: a look that was taken away would hide here."""
    last: dict[str | None, tuple[int, str | None]] = {}
    for name, predicate, digest in sorted(signed, key=lambda found: found[1].sequence):
        number, previous = last.get(predicate.phase, (0, None))
        if (predicate.sequence, predicate.previous) != (number + 1, previous):
            detail = "the look before it is missing or another one"
            yield Flaw(kind="sequence", subject=name, detail=detail, record=digest)
        last[predicate.phase] = (predicate.sequence, digest)


def compare_queue(data: bytes, signed: RecordPredicate, *, digest: str) -> None:
    """Compare a stored look with its signed description. Raises DamagedError, InvalidError."""
    from wavegate.record.queue_file import from_bytes  # noqa: PLC0415 - polars, see above

    _same(from_bytes(data, digest=digest), signed)


def compare_header(data: bytes, signed: RecordPredicate, *, digest: str) -> None:
    """The same, without reading its rows."""
    told = {
        "instance": signed.instance,
        "customer": signed.customer,
        "wave": signed.wave,
        "moment": signed.phase,
        "began": format_instant(signed.began),
        "ended": format_instant(signed.ended),
        "vantage": signed.vantage,
    }
    header = header_of(data, digest=digest)
    if signed.kind != "queue" or told != {name: header.get(name) for name in told}:
        raise InvalidError(_OTHERWISE)


def _same(look: QueueLook, signed: RecordPredicate) -> None:
    told = (signed.kind, signed.instance, signed.customer, signed.wave, signed.phase)
    when = (signed.began, signed.ended, signed.vantage)
    if told != ("queue", look.instance, look.customer, look.wave, look.moment) or when != (
        look.began,
        look.ended,
        look.vantage,
    ):
        raise InvalidError(_OTHERWISE)
