# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb approve: signs waivers and limits, word for word, with an approver's key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wavegate import clock
from wavegate.errors import InputError
from wavegate.evidence.approvals import (
    Approvable,
    Approval,
    ApprovalPredicate,
    approvables,
    place_of,
    read_approvals,
    subjects,
)
from wavegate.evidence.envelope import sign
from wavegate.evidence.shelf import Shelf
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import write
from wavegate.evidence.tool import tool
from wavegate.run.decide import role_of
from wavegate.run.spoken import check_names, check_spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which waivers and limits: all that fit what is given, or everything."""

    promise: str | None = None
    instance: str | None = None
    cause: str | None = None
    everything: bool = False

    @property
    def given(self) -> bool:
        """Whether anything was selected; otherwise they are only listed."""
        return self.everything or any((self.promise, self.instance, self.cause))

    def fits(self, item: Approvable) -> bool:
        """Whether one is selected."""
        return (
            self.promise in (None, item.promise)
            and self.instance in (None, item.instance)
            and (self.cause is None or (item.cause or "").startswith(self.cause))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A waiver or limit, and who approved it. fresh: signed just now."""

    item: Approvable
    approvals: tuple[Approval, ...]
    fresh: bool = False

    def to_json(self) -> Mapping[str, object]:
        """The row of `approve --json`."""
        return {
            **self.item.to_json(),
            "content": self.item.digest,
            "signed_now": self.fresh,
            "approvals": [{"by": a.told.by, "keyid": a.keyid} for a in self.approvals],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What can be approved, what was. changed: approvals of what the estate words otherwise now."""

    rows: tuple[Row, ...]
    changed: tuple[Approval, ...]
    problems: tuple[str, ...]

    def to_json(self) -> Mapping[str, object]:
        """The object of `approve --json`."""
        return {
            "rows": [row.to_json() for row in self.rows],
            "changed": [f"{a.told.approved.what}, by {a.told.by}" for a in self.changed],
            "problems": list(self.problems),
        }

    def text(self) -> str:
        """The same for a person."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if not self.rows:
            yield "the estate has no waiver and no limit for this wave"
        for row in self.rows:
            yield f"{row.item.what}: {row.item.reason} (the file says: {row.item.approved_by})"
            for one in row.approvals:
                now = " now" if row.fresh else f" at {clock.format_instant(one.told.at)}"
                yield f"  approved, signed by {one.keyid} ({one.told.by}){now}"
            if not row.approvals:
                yield "  a claim of the estate file: nobody signed it"
        for one in self.changed:
            yield f"{one.told.by} signed another wording of the {one.told.approved.what}"
        yield from self.problems
        if self.rows and not any(row.fresh for row in self.rows):
            yield "nothing was signed: select by --promise, --instance, --cause, or --all"


def approve(shelf: Shelf, selection: Selection, by: str | None, signer: Signer) -> Approved:
    """Sign what is selected, by a person; without a selection only tell what there is.

    What the same key approved already is not signed again. Raises InputError (nothing fits, nobody
    is named, another customer's name, a key that may not approve).
    """
    items = approvables(shelf.estate, shelf.wave.name)
    chosen = [item for item in items if selection.given and selection.fits(item)]
    if selection.given:
        _check(shelf, chosen, by or "", signer)
    fresh = {item.digest for item in chosen if _sign(shelf, item, by or "", signer)}
    return _told(shelf, items, fresh)


def _check(shelf: Shelf, chosen: list[Approvable], by: str, signer: Signer) -> None:
    check_spoken(by=by)
    if not chosen:
        raise InputError(
            "no waiver or limit of this wave fits",
            cure="list them: wavegate approve without --promise, --instance, --cause, --all",
        )
    if role_of(shelf.trust, signer.keyid) != "approve":
        raise InputError(
            f"key {signer.keyid} is not trusted to approve",
            cure="sign with a key of the role approve (--key, --trust)",
        )
    for item in chosen:
        check_names(shelf.estate, item.instance, by)


def _sign(shelf: Shelf, item: Approvable, by: str, signer: Signer) -> bool:
    told = ApprovalPredicate(wave=shelf.wave.name, approved=item, by=by, at=shelf.at, tool=tool())
    try:
        name = place_of(told.wave, item.digest, signer.keyid)
        shelf.store.create(name, sign(write(subjects(item), told), signer))
    except FileExistsError:
        return False
    return True


def _told(shelf: Shelf, items: tuple[Approvable, ...], fresh: set[str]) -> Approved:
    read = read_approvals(shelf.store, shelf.wave.name, shelf.trust)
    given: dict[str, list[Approval]] = {}
    for one in read.found:
        given.setdefault(one.told.approved.digest, []).append(one)
    known = {item.digest for item in items}
    return Approved(
        rows=tuple(
            Row(
                item=item,
                approvals=tuple(given.get(item.digest, ())),
                fresh=item.digest in fresh,
            )
            for item in items
        ),
        changed=tuple(a for a in read.found if a.told.approved.digest not in known),
        problems=read.problems,
    )
