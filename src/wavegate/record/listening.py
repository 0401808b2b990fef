# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""When a sink demonstrably listened: spans put together from the signs of life in its journals."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MAX_MISSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who writes a journal.

    listen: the addresses it listens on. vantage: from where it is looked at. heartbeat: how often
    it gives a sign of life.
    """

    listen: tuple[str, ...]
    vantage: str
    heartbeat: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A span in which a sink demonstrably listened.

    began, ended: its first and last sign of life. segment: the journal in which it began.
    clean: it ended by a stop, not by silence.
    """

    began: datetime
    ended: datetime
    listener: Listener
    segment: str
    clean: bool = False


@dataclass(slots=True)
class ListeningLog:
    """Puts signs of life together, segment by segment, each in the order of its lines.

    A span ends where more than three heartbeats in a row are missing, and where the clock went
    back. A segment that follows another continues its span.
    """

    _spans: list[Listening] = field(default_factory=list)
    _open: dict[str, int] = field(default_factory=dict)

    def begin(
        self, segment: str, at: datetime, listener: Listener, *, follows: str | None = None
    ) -> None:
        """A segment begins."""
        if follows in self._open:
            self._open[segment] = self._open[follows]
            self.sign(segment, at)
        else:
            self._append(segment, at, listener)

    def sign(self, segment: str, at: datetime, *, stop: bool = False) -> None:
        """A sign of life; stop: it is the last one. In a segment that never began it is none."""
        here = self._open.get(segment)
        if here is None:
            return
        span = self._spans[here]
        silent = at - span.ended
        if timedelta() <= silent <= MAX_MISSED * span.listener.heartbeat:
            self._spans[here] = replace(span, ended=at, clean=stop)
        else:
            self._append(segment, at, span.listener, clean=stop)

    def spans(self) -> tuple[Listening, ...]:
        """All spans, by their beginning."""
        return tuple(sorted(self._spans, key=lambda span: (span.began, span.segment)))

    def _append(
        self, segment: str, at: datetime, listener: Listener, *, clean: bool = False
    ) -> None:
        self._open[segment] = len(self._spans)
        self._spans.append(
            Listening(began=at, ended=at, listener=listener, segment=segment, clean=clean)
        )
