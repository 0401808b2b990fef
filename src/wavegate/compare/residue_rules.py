# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The rules that may clear a difference of `nothing_else_changed`: small, named, listed.

Whatever none of them explains is a finding (design, rule 2). Records in another order, a TXT
split elsewhere and names in other letter case are equal before any rule is asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wavegate.compare.residue import NO_NAME, NO_RECORD, Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two definite, unequal states of one subject."""

    subject: str
    before: Known
    after: Known

    @property
    def lost(self) -> tuple[str, ...]:
        """What was there before and is not after; absence itself is nothing."""
        return _real(item for item in self.before.items if item not in self.after.items)

    @property
    def gained(self) -> tuple[str, ...]:
        """What is there after and was not before."""
        return _real(item for item in self.after.items if item not in self.before.items)


def _real(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(item for item in items if item not in (NO_NAME, NO_RECORD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A clearing rule: its name and sentence for the report, and what it clears."""

    name: str
    explanation: str
    clears: Callable[[Difference], bool]


def _serial(found: Difference) -> bool:
    return found.subject.endswith(" SOA serial")


def _primary(found: Difference) -> bool:
    return found.subject.endswith(" SOA primary")


def _absent_either_way(found: Difference) -> bool:
    return not found.lost and not found.gained


def _behind_cname(found: Difference) -> bool:
    return found.subject.endswith((" A", " AAAA")) and bool(found.after.behind)


RULES = (
    Rule(
        name="soa-serial-counts-edits",
        explanation="the serial rises with any edit of the zone (RFC 1035 3.3.13)",
        clears=_serial,
    ),
    Rule(
        name="soa-primary-is-for-updates",
        explanation="the primary name is where updates go, nobody who reads the zone goes there",
        clears=_primary,
    ),
    Rule(
        name="absent-either-way",
        explanation="no such name and no such record both mean that there is nothing",
        clears=_absent_either_way,
    ),
    Rule(
        name="address-behind-cname",
        explanation="addresses behind a CNAME rotate; its target is what is compared",
        clears=_behind_cname,
    ),
)


def clearing_rule(found: Difference) -> Rule | None:
    """The first rule that explains a difference, or None: then it is a finding."""
    return next((rule for rule in RULES if rule.clears(found)), None)
