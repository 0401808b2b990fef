# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One raw fact: what was asked, how, when, from where, and which of three things came of it.

The outcome is `Seen(value)`, `Absent(reason)` or `Unreachable(reason)`; an error to look is never
an absence (design, rule 1 and "Observation"). Values are the raw bytes of the answer.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from wavegate.clock import format_instant
from wavegate.errors import DamagedError
from wavegate.record.fields import instant, number, text, text_members

Kind = Literal["dns", "http", "soap", "tls", "ssh", "mta-sts", "smtp"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer. value: its raw bytes (the DNS response, the HTTP body)."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Absent:
    """A definite absence. reason: `NXDOMAIN`, `NODATA`, ...; value: the bytes that said so."""

    reason: str
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nobody could tell. reason: `timeout`, `SERVFAIL`, ...; value: the bytes that came, if any."""

    reason: str
    value: bytes = b""


Outcome = Seen | Absent | Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One question and its outcome.

    kind: dns, http, soap, tls, ssh, mta-sts. subject: what it is about: `news.acme.example. TXT`,
    `https://acme.example /r/test`. asked: how it was asked; string keys and values only, among
    them always those by which the same question is known again (`identity`). heard: further facts
    of the answer that are no part of the question (status, content type, transport, TLS).
    at: the instant of asking. took_us: microseconds until the outcome. vantage: from where.
    """

    kind: Kind
    subject: str
    asked: Mapping[str, str]
    outcome: Outcome
    at: datetime
    took_us: int
    vantage: str
    heard: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What makes two observations answers to the same question."""
        return (self.kind, self.subject, tuple(sorted(self.asked.items())))

    def to_json(self) -> dict[str, object]:
        """The canonical JSON form; bytes are base64."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "asked": dict(self.asked),
            "heard": dict(self.heard),
            "outcome": _outcome_to_json(self.outcome),
            "at": format_instant(self.at),
            "took_us": self.took_us,
            "vantage": self.vantage,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> "Observation":
        """Read back what `to_json` wrote. Raises DamagedError for anything else."""
        try:
            return cls(
                kind=_kind(data["kind"]),
                subject=text(data["subject"]),
                asked=text_members(data["asked"]),
                heard=text_members(data["heard"]),
                outcome=_outcome_from_json(data["outcome"]),
                at=instant(data["at"]),
                took_us=number(data["took_us"]),
                vantage=text(data["vantage"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"not an observation: {error}") from error


def _kind(value: object) -> Kind:
    for kind in KINDS:
        if value == kind:
            return kind
    raise ValueError(f"kind {value!r}")


def _outcome_to_json(outcome: Outcome) -> dict[str, str]:
    value = base64.b64encode(outcome.value).decode("ascii")
    match outcome:
        case Seen():
            return {"outcome": "seen", "value": value}
        case Absent(reason):
            return {"outcome": "absent", "reason": reason, "value": value}
        case Unreachable(reason):
            return {"outcome": "unreachable", "reason": reason, "value": value}


def _outcome_from_json(data: object) -> Outcome:
    fields = text_members(data)
    value = base64.b64decode(fields["value"], validate=True)
    if fields["outcome"] == "seen":
        return Seen(value)
    if fields["outcome"] == "absent":
        return Absent(fields["reason"], value)
    if fields["outcome"] == "unreachable":
        return Unreachable(fields["reason"], value)
    raise ValueError(f"outcome {fields['outcome']!r}")
