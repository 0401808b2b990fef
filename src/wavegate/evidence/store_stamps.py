# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The timestamps of a store: each beside the capture that it is over, and readable."""

from collections.abc import Iterator

from wavegate.errors import WavegateError
from wavegate.evidence.diagnosis import Diagnosis, Grade
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.stamp_shelf import STAMPS, envelope_of
from wavegate.evidence.timestamp import read_token
from wavegate.record.store import Store

_RESTORE = "restore the file from a copy; a timestamp of that instant cannot be had again"


def stamp_troubles(store: Store) -> Iterator[Diagnosis]:
    """What is wrong with tokens by themselves; by whom they are is what `verify` looks at."""
    captures = frozenset(store.names("signed/"))
    for name in store.names(f"{STAMPS}/"):
        envelope = envelope_of(name)
        if envelope is None or envelope not in captures:
            yield Diagnosis(
                grade=Grade.ODD,
                name=name,
                text="a timestamp beside no capture",
                cure="move it out of the store, if you know whose it is",
            )
            continue
        trouble = _trouble(store, name, envelope)
        if trouble:
            yield Diagnosis(grade=Grade.DAMAGED, name=name, text=trouble, cure=_RESTORE)


def _trouble(store: Store, name: str, envelope: str) -> str | None:
    """What is wrong with a token; None too where its capture is damaged, which is told there."""
    try:
        payload = read_unverified(store.read(envelope))
    except WavegateError:
        return None
    try:
        read_token(store.read(name), payload)
    except WavegateError as error:
        return error.message
    return None
