# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Two customers in one wave and one store: acme, whose migration is whole, and zebra.

Everything of zebra's bears their name, in every kind of record, so that a byte of it would show.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.builders.estates import END, START, instance, notice, wave
from tests.builders.migrations import Migration, agreed, quiet_night
from tests.builders.queues import delivery, look, row
from tests.builders.snapshots import AFTER, BEFORE, answered, dns_seen, snapshot
from tests.builders.stores import HOUR, Desk
from tests.builders.worlds import UNIT

from wavegate.canonical import digest
from wavegate.estate.model import Customer, Estate, MailSource, SenderDomain, Waiver, Wave, Window
from wavegate.estate.policy import Policy
from wavegate.record.message import Received
from wavegate.record.snapshot import Phase, Snapshot
from wavegate.run.suites import find_suites

OTHER = "zebra-prod1"
SECRETS = {"acme": "a1" * 32, "zebra": "b2" * 32}
DEV = "2023-12-dev"
"""An earlier wave with a development instance of each customer."""


def both(**other: object) -> Estate:
    """The estate of the two. other: fields in place of these."""
    mine = agreed().instances[0]
    domain = SenderDomain(name="news.zebra.example", selectors=("zebra1",), primary=True)
    dev = SenderDomain(name="dev.acme.example", primary=True)
    theirs = {
        "sending_ips": ("192.0.2.77",),
        "domains": (domain,),
        "mail": (MailSource(sink=True, recipients=("*@seed.zebra.example",)),),
    }
    fields: dict[str, object] = {
        "version": 1,
        "policy": Policy(throughput_unit=UNIT, timestamps="optional"),
        "customers": tuple(
            Customer(name=name, secret=f"env:{name.upper()}_SECRET") for name in SECRETS
        ),
        "instances": (
            mine,
            instance(OTHER, **theirs),
            instance("acme-dev1", sending_ips=("192.0.2.50",), domains=(dev,)),
            instance("zebra-dev1", **theirs),
        ),
        "waves": (
            wave("2024-01-w1", "acme-prod1", OTHER, notices=(notice(), notice("zebra"))),
            earlier(),
        ),
        "waivers": (
            Waiver(
                promise="spf",
                instance=OTHER,
                reason="zebra asked for it",
                approved_by="zebra-boss",
                until=END.replace(year=2030),
            ),
        ),
        "authoritative": {"zebra.example.": ("127.0.0.9:53",), "acme.example.": ("127.0.0.8:53",)},
    }
    return Estate.model_validate(fields | other)


def earlier() -> Wave:
    """The wave of the development instances, a month before."""
    window = Window(start=START.replace(year=2023, month=12), end=END.replace(year=2023, month=12))
    notices = tuple(notice(name, window.start - 11 * 24 * HOUR) for name in SECRETS)
    names = ("acme-dev1", "zebra-dev1")
    return Wave(name=DEV, window=window, instances=names, notices=notices)


def capture(name: str, phase: Phase) -> Snapshot:
    """A capture of one question, to a name server that serves both customers."""
    customer = name.partition("-")[0]
    text = f'"v=spf1 ip4:192.0.2.77 include:spf.{customer}.example -all"'
    told = answered(f"news.{customer}.example", "TXT", text)
    at = BEFORE if phase == "before" else AFTER
    seen = dns_seen(f"news.{customer}.example.", "TXT", told, at=at)
    seen = replace(seen, asked={**seen.asked, "zone": f"{customer}.example."})
    return replace(snapshot(phase, [seen]), instance=name, customer=customer)


def mail(phase: Phase) -> Received:
    """A mail that zebra sent."""
    raw = b"From: sales@news.zebra.example\r\nSubject: Stripes of zebra\r\n\r\nzebra\r\n"
    at = START - HOUR if phase == "before" else END + HOUR
    return Received(
        source="sink",
        peer="192.0.2.77",
        peer_by="socket",
        helo="mta.news.zebra.example",
        mail_from="bounce@news.zebra.example",
        recipients=("one@seed.zebra.example",),
        connected=at,
        ended=at,
        tls=False,
        raw=raw,
        digest=digest(raw),
        journal="1",
    )


@dataclass
class Pair:
    """A store of both, planned, captured, watched, listed, received."""

    folder: Path
    estate: Estate = field(default_factory=both)

    def file(self) -> Desk:
        """Write all of it."""
        self._file_earlier()
        desk = Desk(self.folder, self.estate)
        desk.plan(*(suite.promise.id for suite in find_suites()))
        theirs = (mail("before"), mail("after"))
        Migration(estate=self.estate, more_mails=theirs).file(desk)
        desk.capture(*(capture(OTHER, phase) for phase in ("before", "after")))
        desk.watch(replace(quiet_night(), instance=OTHER, customer="zebra"))
        rows = [row(n, recipient=f"reader{n}@zebra.example") for n in range(3)]
        deliveries = (delivery(1, label="Zebra sale", to_deliver=3),)
        for moment in ("before", "after"):
            found = look(rows, deliveries, moment=moment)
            desk.list_queue(replace(found, instance=OTHER, customer="zebra"))
        return desk

    def _file_earlier(self) -> None:
        """What the earlier wave needs to be GO: a grid of one promise, and both captures."""
        desk, month = (
            Desk(self.folder, self.estate, wave=DEV),
            START - START.replace(year=2023, month=12),
        )
        desk.plan("scope", at=START - month - 48 * HOUR)
        for name in earlier().instances:
            taken = (capture(name, phase) for phase in ("before", "after"))
            desk.capture(*(replace(s, began=s.began - month, ended=s.ended - month) for s in taken))


def gating(desk: Desk, out: Path, wave: str | None = None) -> list[str]:
    """The command line that gates a desk."""
    home = desk.folder / "home"
    return [
        *("gate", "--estate", str(desk.folder / "estate.json"), "--wave", wave or desk.wave),
        *("--store", str(desk.folder / "store"), "--out", str(out)),
        *("--key", str(home / "keys/default.pem"), "--trust", str(home / "trust.json")),
    ]
