# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The per-server rule: what each server said before is held against what it says after.

Each server that answered before must answer after; one silent before and after is listed; at
least one must have answered (design, rule 6). A server that is new after is held against what
most servers said before; one that is not asked any more is listed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from dns.name import Name

from wavegate.answer import Answer, Lookup
from wavegate.verdict import Missing, NotCompared, On

RECAPTURE = "wavegate capture --phase after"
S = TypeVar("S")


class View(Protocol):
    """What a comparison needs of the DNS answers of a snapshot; `record.dns_view` has it."""

    @property
    def servers(self) -> tuple[str, ...]:
        """All servers that were asked anything, as host:port, sorted."""

    def servers_of(self, name: Name) -> tuple[str, ...]:
        """The servers that were asked about a name."""

    def answers(self, name: Name, rdtype: str) -> Mapping[str, Answer]:
        """What each of them said to one question."""

    def lookup(self, server: str | None = None) -> Lookup:
        """The DNS as one server shows it, or as most of them do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[S]):
    """One difference, and the servers at which it shows.

    before, after: the two states. alone: the servers, sorted; everywhere: whether all servers
    that can be compared show it. among: how many those are.
    """

    before: S
    after: S
    alone: tuple[str, ...]
    everywhere: bool
    among: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides(Generic[S]):
    """The states of one fact before and after, server by server.

    changes: the differences, grouped. same: servers that say after what was said before.
    odd: servers that agree with themselves, but not with what most say after. silent_after:
    answered before, silent after. silent_both: silent on both sides. only_before: not asked after.
    before, after: what most servers said; None where nobody answered.
    """

    changes: tuple[Change[S], ...]
    same: tuple[str, ...]
    odd: tuple[str, ...]
    silent_after: tuple[str, ...]
    silent_both: tuple[str, ...]
    only_before: tuple[str, ...]
    before: S | None
    after: S | None
