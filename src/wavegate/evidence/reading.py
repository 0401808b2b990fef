# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The reading record: what was wrong with an instance's records when the gate read the store.

A bundle holds good records only; what the gate met and could not use (a changed byte, an unknown
key) stands in this signed record, so that re-judging the bundle meets the same flaws.
"""

from dataclasses import dataclass
from typing import get_args

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant
from wavegate.errors import DamagedError
from wavegate.evidence.dossier import Flaw, FlawKind, Heard
from wavegate.evidence.fields import Fields
from wavegate.record.snapshot import check_schema

SCHEMA = "wavegate/reading/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading an instance's records found. mail_heard: a mail source was listening."""

    wave: str
    instance: str
    mail_heard: bool
    flaws: tuple[Flaw, ...]
    listening: tuple[Heard, ...] = ()

    def to_bytes(self) -> bytes:
        """The canonical bytes."""
        return dumps(
            {
                "schema": SCHEMA,
                "wave": self.wave,
                "instance": self.instance,
                "mail_heard": self.mail_heard,
                "flaws": [
                    {"kind": f.kind, "subject": f.subject, "detail": f.detail, "record": f.record}
                    for f in self.flaws
                ],
                "listening": [
                    {"since": format_instant(h.since), "until": format_instant(h.until)}
                    for h in self.listening
                ],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, digest: str) -> "Reading":
        """Read back what `to_bytes` wrote. Raises DamagedError for anything else."""
        value = loads(data, where=digest)
        if isinstance(value, dict):
            check_schema(value, SCHEMA, where=digest)
        try:
            names = ("schema", "wave", "instance", "mail_heard", "flaws", "listening")
            fields = Fields(value, *names)
            return cls(
                wave=fields.name("wave"),
                instance=fields.name("instance"),
                mail_heard=fields.flag("mail_heard"),
                flaws=tuple(_flaw(item) for item in fields.items("flaws")),
                listening=tuple(_heard(item) for item in fields.items("listening")),
            )
        except ValueError as error:
            raise DamagedError(f"not a reading record: {error}", where=digest) from error


def name(wave: str, instance: str) -> str:
    """Where a bundle keeps the signed reading of an instance."""
    return f"readings/{wave}/{instance}.dsse.json"


def _flaw(value: object) -> Flaw:
    fields = Fields(value, "kind", "subject", "detail", "record")
    return Flaw(
        kind=_kind(fields.text("kind")),
        subject=fields.text("subject"),
        detail=fields.text("detail"),
        record=fields.text("record"),
    )


def _heard(value: object) -> Heard:
    fields = Fields(value, "since", "until")
    return Heard(since=fields.instant("since"), until=fields.instant("until"))


def _kind(text: str) -> FlawKind:
    for kind in get_args(FlawKind):
        if kind == text:
            found: FlawKind = kind
            return found
    raise ValueError(f"kind {text[:80]!r}")
