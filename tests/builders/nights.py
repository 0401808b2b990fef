# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Nights played in memory: each files recorded looks and mails at its own instant, then is judged.

Nobody waits: the instant of a night is given, and what a capture would see is a `World`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.builders.estates import WAVE, instance, wave
from tests.builders.estates import estate as whole_estate
from tests.builders.worlds import World, healthy_zone, signed_mail

from wavegate.estate.agreed import agreed_digest
from wavegate.estate.load import Loaded, dump
from wavegate.estate.model import Estate, Instance
from wavegate.estate.nightly import NIGHTLY, with_nightly
from wavegate.evidence.keys import default_signer
from wavegate.evidence.tool import tool
from wavegate.evidence.trust import Trust
from wavegate.evidence.trust import load as load_trust
from wavegate.record.listening import Listener
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_writer import MailJournalWriter
from wavegate.record.message import Received
from wavegate.record.snapshot import Snapshot
from wavegate.run.accept import AcceptedNow, accept
from wavegate.run.accept import Request as Acceptance
from wavegate.run.capture import Taken, file_snapshot
from wavegate.run.nightly import Nightly, Request, nightly
from wavegate.run.opening import Round

FIRST = datetime(2026, 1, 5, 2, tzinfo=UTC)
"""The first night, at two in the morning."""
DAY = timedelta(days=1)
IP = "192.0.2.10"
MAILS = 12
"""So many a night: one sending IP is met for sure."""


def dev(name: str = "acme-dev1", **other: object) -> Instance:
    """An instance of the nightly, with one sending IP."""
    fields: dict[str, object] = {"sending_ips": (IP,)} | other
    return instance(name, **fields)


def agreed(*instances: Instance, **other: object) -> Estate:
    """An estate of these instances, acme-dev1 by default, which all move in one wave."""
    found = instances or (dev(),)
    moving = wave(WAVE, *(one.name for one in found), notices=())
    return whole_estate(*found, waves=(moving,), **other)


def night(n: int, **later: float) -> datetime:
    """The instant of the n-th night, counted from 1."""
    return FIRST + (n - 1) * DAY + timedelta(**later)


@dataclass
class Nights:
    """A store, and what there is to see of each instance. worlds: by instance, healthy by default.

    peer: the address that mail comes from. silent: no mail arrives. wanted: what becomes of each
    look before it is filed.
    """

    folder: Path
    estate: Estate = field(default_factory=agreed)
    worlds: dict[str, World] = field(default_factory=dict)
    peer: str = IP
    silent: bool = False
    wanted: Callable[[Snapshot], Snapshot] = lambda taken: taken

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = self.folder / "home"
        self.signer = default_signer(self.home)
        self.store = LocalStore.open(self.folder / "store", create=True)

    @property
    def trust(self) -> Trust:
        """The keys that are trusted."""
        return load_trust(self.home / "trust.json")

    @property
    def path(self) -> Path:
        """The estate file."""
        place = self.folder / "estate.json"
        place.write_bytes(dump(self.estate))
        return place

    @property
    def opened(self) -> Round:
        """The round, as the verb opens it."""
        whole = with_nightly(self.estate)
        loaded = Loaded(whole, self.path)
        return Round(loaded=loaded, wave=whole.wave(NIGHTLY), store=self.store)

    def options(self) -> list[str]:
        """What the command line needs to work on this store."""
        return [
            *("--estate", str(self.path), "--store", str(self.folder / "store")),
            *("--key", str(self.home / "keys" / "default.pem")),
            *("--trust", str(self.home / "trust.json")),
        ]

    def world(self, name: str) -> World:
        """What there is to see of an instance."""
        return self.worlds.setdefault(name, World(phase="after"))

    def look(self, at: datetime) -> tuple[Taken, ...]:
        """What a capture would do: file a signed look at each instance, and the night's mail."""
        self._deliver(at)
        return tuple(
            file_snapshot(self.store, self._snapshot(found.name, at), self.signer)
            for found in self.opened.instances
        )

    def _snapshot(self, name: str, at: datetime) -> Snapshot:
        found = self.estate.instance(name)
        world = replace(self.world(name), taken=at)
        taken = world.snapshot(
            found,
            instance=name,
            customer=found.customer,
            wave=NIGHTLY,
            estate=agreed_digest(with_nightly(self.estate), NIGHTLY, found.customer),
            tool=tool(),
            began=at,
            ended=at + timedelta(seconds=10),
        )
        return self.wanted(taken)

    def _deliver(self, at: datetime) -> None:
        folder = self.folder / "store" / "mail"
        folder.mkdir(exist_ok=True)
        listener = Listener(listen=("127.0.0.1:2525",), vantage="here", heartbeat=10 * DAY)
        writer = MailJournalWriter(folder, listener)
        writer.append(list(self.mails(at)))
        writer.close()

    def mails(self, at: datetime) -> Sequence[Received]:
        """The mails of the hour before an instant."""
        if self.silent:
            return []
        start = at - timedelta(hours=1)
        return [
            signed_mail(n, self.peer, start + n * timedelta(minutes=4), "acc1", "mta1")
            for n in range(MAILS)
        ]

    def play(self, at: datetime, *, out: Path | None = None) -> Nightly:
        """One run of the nightly at an instant."""
        bundle = out or self.folder / "runs" / f"{at:%Y%m%dT%H%M%S}"
        instants = iter((at, at + timedelta(seconds=20)))
        request = Request(out=bundle, now=lambda: next(instants))
        return nightly(
            self.opened, request, lambda: self.look(at), self.signer, self.trust, lambda _: None
        )

    def accept(self, at: datetime, why: str = "reviewed", **other: object) -> AcceptedNow:
        """One act of accepting at an instant."""
        request = Acceptance(by="ann", why=why, **other)  # type: ignore[arg-type] # keywords of it
        return accept(self.opened, request, self.signer, self.trust, at=at)


def zone(owner: str, kind: str, *records: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """The healthy zone in which one name has other records of a type."""
    return {**healthy_zone(), (owner, kind): records}


def verdict(found: Nightly, promise: str, name: str = "acme-dev1") -> str:
    """The verdict of a cell of a night that was judged."""
    cells = found.gated.verdicts.cells if found.gated else ()
    return next(str(c.verdict) for c in cells if (c.instance, c.promise) == (name, promise))


def news(found: Nightly) -> list[tuple[str, str, str]]:
    """What is notified of a night: kind, promise, customer."""
    return [(told.kind, told.promise, told.customer) for told in found.transitions]
