# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A look into a mailbox or a folder of reports: what was read, what could not be, how far it got.

Looks stand in the mail journals beside what they brought, and in a bundle's reading record: a
source that was silent is shown, and what was left out is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from wavegate.clock import format_instant
from wavegate.record.fields import flag, instant, number, text, text_or_none, texts

LookedInto = Literal["imap", "maildir", "mbox", "eml", "dmarc_reports"]
MAX_TOLD = 20
MAX_PLACE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLook:
    """One look. kind, place: as the estate names the source. receiver: whose line was believed.

    met: messages or reports that were there and new to this look. kept: those that were recorded.
    left_out: those that were not, for the reasons in `problems` (the first twenty). whole: whether
    everything that is there was looked at. mark: how far it got, for the next look, or None.
    """

    kind: LookedInto
    place: str
    receiver: str | None
    began: datetime
    ended: datetime
    met: int
    kept: int
    left_out: int
    whole: bool
    problems: tuple[str, ...] = ()
    mark: str | None = None

    @property
    def name(self) -> str:
        """The source in a few words."""
        return f"{self.kind} {self.place}"

    def to_fields(self) -> dict[str, object]:
        """The fields of canonical JSON."""
        return {
            "source": self.kind,
            "place": self.place,
            "receiver": self.receiver,
            "began": format_instant(self.began),
            "at": format_instant(self.ended),
            "met": self.met,
            "kept": self.kept,
            "left_out": self.left_out,
            "whole": self.whole,
            "problems": list(self.problems),
            "mark": self.mark,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> "MailLook":
        """Read back what `to_fields` wrote. Raises ValueError, TypeError or KeyError."""
        return cls(
            kind=_kind(fields["source"]),
            place=text(fields["place"]),
            receiver=text_or_none(fields["receiver"]),
            began=instant(fields["began"]),
            ended=instant(fields["at"]),
            met=number(fields["met"]),
            kept=number(fields["kept"]),
            left_out=number(fields["left_out"]),
            whole=flag(fields["whole"]),
            problems=texts(fields["problems"]),
            mark=text_or_none(fields["mark"]),
        )


def _kind(value: object) -> LookedInto:
    for kind in get_args(LookedInto):
        if kind == value:
            found: LookedInto = kind
            return found
    raise ValueError(f"source {str(value)[:80]!r}")
