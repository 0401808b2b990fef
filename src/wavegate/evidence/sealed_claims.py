# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A record of a bundle against what its signed statement describes: by its outer fields, or whole.

`verify` alone reads the outer fields, which takes less than hashing the record; `--rejudge` reads
each record to its end, as the suites do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wavegate.clock import format_instant
from wavegate.errors import InvalidError
from wavegate.evidence.predicates import RecordKind, RecordPredicate
from wavegate.evidence.queue_shelf import compare_header, compare_queue
from wavegate.evidence.reading import Reading
from wavegate.record.mail_sources import SCHEMA as MAIL_SOURCES
from wavegate.record.mail_sources import MailSourcesRecord
from wavegate.record.mails import SCHEMA as MAILS
from wavegate.record.mails import MailsRecord
from wavegate.record.outline import outline
from wavegate.record.snapshot import SCHEMA as SNAPSHOT
from wavegate.record.snapshot import Snapshot
from wavegate.record.timeline import SCHEMA as TIMELINE
from wavegate.record.timeline import Timeline

HARMLESS = frozenset({"torn-journal", "unsigned-journal"})
"""Flaws that a run with sound evidence may have met: an end that nobody acknowledged or signed."""
SCHEMAS: Mapping[RecordKind, str] = {
    "snapshot": SNAPSHOT,
    "mails": MAILS,
    "mail-sources": MAIL_SOURCES,
    "timeline": TIMELINE,
}
_DIGEST = b'"digest":"'
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A record as its signed statement describes it. keyids: who signed, empty if unverified."""

    where: str
    record: str
    signed: RecordPredicate
    keyids: tuple[str, ...]


def compare_outline(claim: Claim, data: bytes) -> frozenset[str]:
    """Compare a record's outer fields with its signed description.

    The digests that the mails or reports in it go by. Raises InvalidError, DamagedError.
    """
    kind = claim.signed.kind
    if kind == "reading":
        return _compare_reading(claim, data)
    if kind == "queue":
        compare_header(data, claim.signed, digest=claim.record)
        return _NOTHING
    fields = outline(data, SCHEMAS[kind], where=claim.record)
    told = _told(claim.signed)
    _same({name: fields.get(name) for name in told}, told)
    return frozenset(_digests(data)) if kind in {"mails", "mail-sources"} else _NOTHING


def _told(signed: RecordPredicate) -> dict[str, object]:
    """What the outer fields of a record must be, by its kind."""
    told: dict[str, object] = {
        "instance": signed.instance,
        "customer": signed.customer,
        "wave": signed.wave,
    }
    if signed.kind in {"snapshot", "mails"}:
        told["phase"] = signed.phase
    if signed.kind == "snapshot":
        told |= {
            "began": format_instant(signed.began),
            "ended": format_instant(signed.ended),
            "vantage": signed.vantage,
            "sequence": signed.sequence,
            "previous": signed.previous,
            "estate": signed.estate,
            "tool": {"version": signed.tool.version, "source": signed.tool.source},
        }
    return told


def _digests(data: bytes) -> Iterator[str]:
    """What the mails or reports in a record say that their digests are."""
    begin = data.find(_DIGEST)
    while begin >= 0:
        begin += len(_DIGEST)
        yield data[begin : begin + 64].decode("ascii", "replace")
        begin = data.find(_DIGEST, begin)


def compare_whole(claim: Claim, data: bytes) -> frozenset[str]:
    """Read a record to its end and compare it with its signed description.

    The digests of the mails or reports in it. Raises InvalidError, DamagedError.
    """
    signed, record = claim.signed, claim.record
    named = (signed.instance, signed.customer, signed.wave)
    match signed.kind:
        case "snapshot":
            _same(_described(Snapshot.from_bytes(data, digest=record)), signed)
        case "reading":
            return _compare_reading(claim, data)
        case "queue":
            compare_queue(data, signed, digest=record)
        case "timeline":
            watched = Timeline.from_bytes(data, digest=record)
            _same((watched.instance, watched.customer, watched.wave), named)
        case "mail-sources":
            sources = MailSourcesRecord.from_bytes(data, digest=record)
            _same((sources.instance, sources.customer, sources.wave), named)
            return frozenset(report.digest for report in sources.reports)
        case "mails":
            mails = MailsRecord.from_bytes(data, digest=record)
            _same((mails.instance, mails.customer, mails.wave, mails.phase), (*named, signed.phase))
            return frozenset(message.digest for message in mails.messages)
    return _NOTHING


def _compare_reading(claim: Claim, data: bytes) -> frozenset[str]:
    reading = Reading.from_bytes(data, digest=claim.record)
    _same((reading.instance, reading.wave), (claim.signed.instance, claim.signed.wave))
    flaws = [flaw for flaw in reading.flaws if flaw.kind not in HARMLESS]
    if flaws:
        raise InvalidError(f"the gate met a flaw: {flaws[0].detail}")
    return _NOTHING


def _same(found: object, signed: object) -> None:
    if found != signed:
        raise InvalidError("it is not what its signed statement describes")


def _described(found: Snapshot) -> RecordPredicate:
    return RecordPredicate(
        instance=found.instance,
        customer=found.customer,
        wave=found.wave,
        kind="snapshot",
        phase=found.phase,
        began=found.began,
        ended=found.ended,
        vantage=found.vantage,
        tool=found.tool,
        sequence=found.sequence,
        previous=found.previous,
        estate=found.estate,
    )
