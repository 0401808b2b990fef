# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb receipt: what a customer is given before the window opens."""

from dataclasses import dataclass
from datetime import datetime

from wavegate import clock
from wavegate.errors import InputError, MissingError
from wavegate.estate.lookup import named_customer
from wavegate.evidence.envelope import sign
from wavegate.evidence.receipt import ReceiptPredicate, Taken
from wavegate.evidence.shelf import Shelf, read_snapshots
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import write


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A signed receipt. envelope: the bytes to hand over. keyid: of the key that signed it."""

    told: ReceiptPredicate
    envelope: bytes
    keyid: str

    def to_json(self) -> dict[str, object]:
        """The object of `receipt --json`."""
        return {**self.told.to_json(), "keyid": self.keyid}

    def text(self) -> str:
        """The same for a person: it can be sent as it is."""
        told, instant = self.told, clock.format_instant
        promises: dict[str, list[str]] = {}
        for cell in told.cells:
            due = f"due {instant(cell.due)}" if cell.due else "no due"
            what = f"not judged: {cell.not_applicable}" if cell.not_applicable else due
            promises.setdefault(cell.instance, []).append(f"    {cell.promise:<22} {what}")
        lines = [
            f"receipt for {told.customer}, wave {told.wave}, made {instant(told.at)}",
            f"  window {instant(told.start)} to {instant(told.end)}, plan version {told.version}",
            f"  signing key {self.keyid}",
            f"  agreed estate {told.agreed}",
        ]
        for name, cells in promises.items():
            lines += [f"  {name}", *cells]
            lines += [
                f"    before: capture {taken.sequence}, ended {instant(taken.ended)}\n"
                f"      {taken.record}"
                for taken in told.before
                if taken.instance == name
            ]
        return "\n".join(lines)


def receipt(shelf: Shelf, customer: str, signer: Signer, at: datetime) -> Receipt:
    """Sign what a customer's part of the plan and their captures are at an instant.

    Raises InputError (unknown customer, none of their instances in the wave, the window has
    opened), MissingError (no plan, an instance without a capture before).
    """
    _check(shelf, customer, at)
    if shelf.plan is None:
        cure = f"wavegate plan --wave {shelf.wave.name}"
        raise MissingError("there is no signed plan of the wave yet", cure=cure)
    told = ReceiptPredicate(
        wave=shelf.wave.name,
        customer=customer,
        at=at,
        start=shelf.window.start,
        end=shelf.window.end,
        agreed=shelf.plan.agreed[customer],
        version=shelf.plan.version,
        cells=tuple(cell for cell in shelf.plan.cells if cell.customer == customer),
        before=_before(shelf, customer),
    )
    envelope = sign(write(told.subjects, told), signer)
    return Receipt(told=told, envelope=envelope, keyid=signer.keyid)


def _check(shelf: Shelf, customer: str, at: datetime) -> None:
    named_customer(shelf.estate, customer)
    if not _instances(shelf, customer):
        raise InputError(f"{customer} has no instance in wave {shelf.wave.name}")
    if at >= shelf.window.start:
        raise InputError(
            f"the window opened at {clock.format_instant(shelf.window.start)}: a receipt of "
            "`before` would prove nothing any more",
            cure="give receipts before the window; the extract comes after the gate",
        )


def _instances(shelf: Shelf, customer: str) -> list[str]:
    names = set(shelf.wave.instances)
    return [i.name for i in shelf.estate.instances if i.name in names and i.customer == customer]


def _before(shelf: Shelf, customer: str) -> tuple[Taken, ...]:
    found: list[Taken] = []
    for name in (name for name in _instances(shelf, customer) if name in shelf.members):
        snapshots = read_snapshots(shelf.store, shelf.wave.name, name, shelf.trust).snapshots
        mine = [taken for taken in snapshots if taken.phase == "before"]
        if not mine:
            raise MissingError(
                f"nothing of {name} was captured yet", cure="wavegate capture --phase before"
            )
        found += [
            Taken(instance=name, sequence=s.sequence, record=s.digest, ended=s.ended) for s in mine
        ]
    return tuple(found)
