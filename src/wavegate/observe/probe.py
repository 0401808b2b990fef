# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The probe interface: what a capture asks of an instance, and who asks it.

A probe asks its questions and returns observations; it never judges and never raises for what
the other side does. See CONTRIBUTING for how to add one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from wavegate.estate.model import Estate, Instance
from wavegate.record.observation import Observation
from wavegate.record.snapshot import LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Names in received mail. bounces: Return-Path domains. greetings: HELO names."""

    bounces: tuple[str, ...] = ()
    greetings: tuple[str, ...] = ()


NOTHING_HEARD = Heard()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One instance to look at, from where, and the folder that `file:` references start from.

    heard: names that its received mail told, to be looked up too.
    """

    estate: Estate
    instance: Instance
    vantage: str
    base: Path
    heard: Heard = NOTHING_HEARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a probe brought back: observations, and what it left out with the reason."""

    observations: tuple[Observation, ...]
    left_out: tuple[LeftOut, ...] = field(default=())


class Probe(Protocol):
    """One way of looking at an instance."""

    @property
    def name(self) -> str:
        """`dns`, `campaign`: for progress and messages."""

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked, in words, without asking, for `plan`."""

    def look(self, task: Task) -> Looked:
        """Ask everything. Raises InternalError only for faults of this machine."""
