# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The judge's bench: one dossier open at a time, and what a test says of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from wavegate.compare.notice import spell
from wavegate.decision import GridCell
from wavegate.evidence.dossier import Dossier
from wavegate.plugin.merge import merge
from wavegate.testing import CannotTell, Case, File, Judge, Mail, Side
from wavegate.verdict import Judgement, Missing, On, inconclusive

MAX_TEXT = 500


@dataclass(slots=True)
class Bench:
    """Opens dossiers, one after the other, and hands their views to the fixtures."""

    load: Callable[[str], Dossier]
    _name: str | None = None
    _file: File | None = None
    _said: list[Judgement] = field(default_factory=list)

    def file(self, cell: GridCell) -> File:
        """The open dossier of an instance; the one before it is let go of."""
        if self._file is None or self._name != cell.instance:
            self._file = None
            self._file = File(self.load(cell.instance))
            self._name = cell.instance
        return self._file

    def clear(self) -> None:
        """Let go of the open dossier."""
        self._name = self._file = None

    def side(self, phase: Literal["before", "after"], cell: GridCell) -> Side:
        """The fixture `before` or `after`."""
        return Side(self.file(cell), phase)

    def mail(self, cell: GridCell) -> Mail:
        """The fixture `mail`."""
        return Mail(self.file(cell))

    def case(self, cell: GridCell) -> Case:
        """The fixture `case`."""
        return Case(self.file(cell))

    def judge_of(self, cell: GridCell) -> Judge:
        """The fixture `judge`."""
        del cell

        def judge(judgement: Judgement, /) -> None:
            if not isinstance(judgement, Judgement):
                raise TypeError(f"judge takes a Judgement, not {type(judgement).__name__}")
            self._said.append(judgement)

        return judge

    def hear(self) -> None:
        """A test begins: nothing was said yet."""
        self._said = []

    def conclude(self, test: str, error: BaseException | None, loud: list[str]) -> Judgement:
        """What a test said, all in all. loud: what it tried to open."""
        said = list(self._said)
        if loud:
            said.append(inconclusive(_opened(test, loud)))
        elif isinstance(error, CannotTell):
            said.append(error.judgement)
        elif error is not None:
            said.append(raised(test, error))
        if not said:
            said.append(inconclusive(_said_nothing(test)))
        return merge(said)

    @contextmanager
    def superseded(self, cell: GridCell) -> Iterator[str | None]:
        """Turn to what counted before the last declared fix; yields how long it stood, or None."""
        file = self.file(cell)
        after = file.dossier.after
        if after is None or after.superseded is None:
            yield None
            return
        current, old = file.dossier, after.superseded
        file.turn_to(replace(current, after=old))
        try:
            yield _span(after.snapshot.ended - old.snapshot.ended)
        finally:
            file.turn_to(current)

    def further(self, cell: GridCell) -> Iterator[None]:
        """Turn to each further look of a night in turn, and back at the end."""
        file = self.file(cell)
        current = file.dossier
        try:
            for look in current.further:
                file.turn_to(replace(current, after=look))
                yield
        finally:
            if current.further:
                file.turn_to(current)


def _span(length: timedelta) -> str:
    if abs(length) < timedelta(minutes=1):
        return f"{round(length.total_seconds())} s"
    return spell(length)


def raised(test: str, error: BaseException) -> Judgement:
    """The judgement of a suite that raised instead of judging."""
    text = " ".join(str(error).split())[:MAX_TEXT]
    return inconclusive(
        Missing(
            what=f"a suite that judges: {test} raised {type(error).__name__}: {text}",
            on=On.US,
            rule="suite-raised",
            subject=f"suite:{test}",
        )
    )


def _opened(test: str, loud: list[str]) -> Missing:
    return Missing(
        what=f"a suite that only reads records: {test} tried {loud[0]}",
        on=On.US,
        rule="suite-not-quiet",
        subject=f"suite:{test}",
    )


def _said_nothing(test: str) -> Missing:
    return Missing(
        what=f"a judgement: {test} ended without calling judge",
        on=On.US,
        rule="no-judgement",
        subject=f"suite:{test}",
    )
