# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Who did the work of a wave, so that an approval by the same person or key is shown as that."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from wavegate.canonical import loads
from wavegate.errors import DamagedError, WavegateError
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.predicates import PlanPredicate
from wavegate.evidence.statement import read
from wavegate.record.store import Store

Way = Literal["key", "name"]
"""How an approver is known to have done the work too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementers:
    """keyids: what signed plan and records of the wave. names: who planned it, where they said."""

    keyids: frozenset[str]
    names: frozenset[str]

    def ways(self, keyids: tuple[str, ...], by: str) -> tuple[Way, ...]:
        """In which ways whoever signed as `by` is one of them; empty where in none."""
        by_key: tuple[Way, ...] = ("key",) if self.keyids.intersection(keyids) else ()
        by_name: tuple[Way, ...] = ("name",) if plain_name(by) in self.names else ()
        return (*by_key, *by_name)


def plain_name(name: str) -> str:
    """A name without what does not tell people apart: case, width of letters, spaces, a dot."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(folded.replace(".", " ").split())


def implementers_of(store: Store, wave: str) -> Implementers:
    """Those that the plans, captures and readings of a wave name, in a store or a bundle."""
    folders = ("plans", "signed", "readings")
    keyids = {
        keyid
        for folder in folders
        for name in store.names(f"{folder}/{wave}/")
        for keyid in claimed_keyids(store.read(name))
    }
    names = {
        plain_name(by)
        for name in store.names(f"plans/{wave}/")
        for by in _planner(store.read(name))
    }
    return Implementers(keyids=frozenset(keyids), names=frozenset(names))


def claimed_keyids(envelope: bytes) -> tuple[str, ...]:
    """The key ids that an envelope names; none of what is no envelope."""
    try:
        found = loads(envelope)
    except DamagedError:
        return ()
    signatures = found.get("signatures") if isinstance(found, dict) else None
    entries = signatures if isinstance(signatures, list) else []
    keyids = (entry.get("keyid") for entry in entries if isinstance(entry, dict))
    return tuple(keyid for keyid in keyids if isinstance(keyid, str))


def _planner(envelope: bytes) -> Iterator[str]:
    try:
        by = read(read_unverified(envelope), PlanPredicate).predicate.by
    except WavegateError:
        return
    if by:
        yield by
