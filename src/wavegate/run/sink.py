# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb sink: receive mail into a store's journals, and sign where they stand."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wavegate import clock
from wavegate.errors import WavegateError
from wavegate.estate.load import load
from wavegate.evidence.checkpoints import checkpoint_name
from wavegate.evidence.envelope import sign
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import write
from wavegate.evidence.tool import tool
from wavegate.observe.sink import run_sink
from wavegate.observe.sink_desk import SinkCounts
from wavegate.observe.sink_settings import settings_for
from wavegate.record.journal import Head
from wavegate.record.store import Store
from wavegate.record.store_place import APPENDS, open_here
from wavegate.run.keeping import mail_keeper
from wavegate.run.opening import vantage

TELL_EVERY = 10.0
"""Seconds between two lines for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sunk:
    """What a sink received until it was told to end."""

    counts: SinkCounts

    def to_json(self) -> dict[str, object]:
        """The object of `sink --json`."""
        return {
            "messages": self.counts.messages,
            "bytes": self.counts.bytes,
            "refused": self.counts.refused,
            "put_off": self.counts.put_off,
            "problem": self.counts.problem,
        }

    def text(self) -> str:
        """One line for a person."""
        found = self.counts
        return f"received {found.messages} mails, {found.bytes} bytes; refused {found.refused}"


def receive(
    estate: Path,
    store: Path,
    listen: Sequence[str],
    proxy_from: Sequence[str],
    signer: Signer,
    say: Callable[[str], None],
) -> Sunk:
    """Receive mail for the estate's sinks until SIGTERM or SIGINT.

    Raises InputError (estate, port in use) and InternalError (the journal cannot be written).
    """
    loaded = load(estate)
    opened = open_here(store, APPENDS, create=True)
    settings = settings_for(loaded.estate, listen, proxy_from, vantage=vantage(None))
    journals = store / "mail"
    journals.mkdir(exist_ok=True)
    teller = _Teller(say)
    counts = asyncio.run(
        run_sink(
            settings,
            journals,
            ready=lambda places: say(f"listening on {', '.join(places)}"),
            progress=teller.tell,
            checkpoint=lambda segment, head: sign_checkpoint(opened, signer, segment, head, say),
            keep=mail_keeper(loaded.estate),
        )
    )
    return Sunk(counts=counts)


class _Teller:
    """Says how it goes, but not at every mail."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last = 0.0
        self._told = SinkCounts()

    def tell(self, counts: SinkCounts) -> None:
        """A new count."""
        now = clock.monotonic()
        if counts == self._told or now - self._last < TELL_EVERY:
            return
        self._last, self._told = now, counts
        trouble = f"; {counts.problem}" if counts.problem else ""
        self._say(f"{counts.messages} mails, {counts.refused} refused{trouble}")


def sign_checkpoint(
    store: Store, signer: Signer, segment: str, head: Head, say: Callable[[str], None]
) -> None:
    """File a signed statement of where a mail journal stands; it must not stop the receiving."""
    at = clock.now()
    predicate = RecordPredicate(
        instance=None,
        customer=None,
        wave=None,
        kind="mail-journal",
        phase=None,
        began=at,
        ended=at,
        vantage=vantage(None),
        tool=tool(),
        sequence=head.n + 1,
        previous=None,
        estate=None,
    )
    name = checkpoint_name(segment, head.n)
    try:
        store.create(name, sign(write({f"mail/{segment}": head.line}, predicate), signer))
    except FileExistsError:
        return
    except (WavegateError, OSError) as error:
        say(f"no checkpoint of {segment}: {error}")
