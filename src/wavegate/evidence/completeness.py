# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether extracts leave nothing out: those within a bundle, and one that a customer was handed.

A customer who was handed an extract knows three things from outside it: the key, their name, and
the secret that was agreed before the wave.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wavegate.decision import Word
from wavegate.errors import InputError, InvalidError
from wavegate.estate.model import Estate
from wavegate.evidence.approvals import place_of
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.customer_file import CUSTOMER, FOLDER, CustomerFile
from wavegate.evidence.cut import customers_inside, customers_with_extract, owners_of
from wavegate.evidence.decisions import FOLDER as DECISIONS
from wavegate.evidence.manifest import MANIFEST, parse
from wavegate.evidence.run_list import RUN, tag
from wavegate.evidence.sealed import Sealed
from wavegate.evidence.verdicts import Verdicts
from wavegate.evidence.verdicts import parse as parse_verdicts
from wavegate.verdict import Verdict

_NOBODY, _EVERYBODY = "", "*"
"""No customer has such a name."""
_OF_ALL = frozenset({"objects", "gates", "plans", "baselines", "approvals"})
"""Folders of records whose files are about many customers, or named by digest."""
_DECISIONS = f"records/{DECISIONS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """What a customer brings; None for what they do not say.

    secret: the agreed one. receipt: the bytes of what they were given before the window.
    """

    customer: str | None = None
    secret: str | None = None
    receipt: bytes | None = None

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return any(told is not None for told in (self.customer, self.secret, self.receipt))


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Whether nothing of a customer was left out. complete: None where it is not proven.

    problems: why it cannot be told although it was asked.
    """

    complete: bool | None = None
    proven: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def check_completeness(
    sealed: Sealed, verdicts: Verdicts, estate: Estate, claimant: Claimant
) -> Completeness:
    """Of an extract, whether it is the claimant's and whole; of a bundle, whether its extracts are.

    Raises InvalidError; InputError where a claimant was given a whole bundle.
    """
    if sealed.customer is not None:
        return _of_extract(sealed, sealed.customer, verdicts, claimant)
    if claimant.given:
        raise InputError(
            "a whole bundle, with the records of all its customers: not one customer's extract",
            where=FOLDER,
            cure="make an extract: wavegate report BUNDLE --customer NAME --out FOLDER",
        )
    if sealed.run_list is None:
        text = "That any customer's part is whole: this bundle is older than RUN and extracts."
        return Completeness(unproven=(text,))
    proven = tuple(_of_bundle(sealed, verdicts, estate))
    left = sorted(set(customers_with_extract(verdicts)) - _handed(sealed))
    text = "That {} can be handed what is said of their instances outside the wave: no extract."
    return Completeness(proven=proven, unproven=tuple(text.format(name) for name in left))


def _of_extract(
    sealed: Sealed, told: CustomerFile, verdicts: Verdicts, claimant: Claimant
) -> Completeness:
    name = told.customer
    if claimant.customer not in (None, name):
        raise InvalidError(
            f"it is the extract of {name}, not of {claimant.customer}",
            where=CUSTOMER,
            cure="ask for your own; this one is for somebody else",
        )
    strangers = {cell.customer for cell in verdicts.cells} - {name}
    if strangers:
        raise InvalidError(f"it has cells of {min(strangers)}", where=VERDICTS)
    known = f"Whether these are all instances of {name} they know best: {_instances(verdicts)}."
    if claimant.secret is None:
        return Completeness(unproven=(_without_secret(told), known))
    if not told.agreed:
        text = f"completeness is not provable: the run was sealed without a secret of {name}"
        return Completeness(problems=(text,), unproven=(known,))
    mine = tag(sealed.statement.predicate.run, claimant.secret, name)
    if (sealed.run_list or {}).get(mine) != sealed.manifest:
        raise InvalidError(
            f"RUN does not list this extract under the tag of {name} and their secret",
            where=RUN,
            cure="give the secret that was agreed for this wave; if it is the one, something was "
            "kept from you",
        )
    shown = f"Nothing of {name} in this run was left out: RUN lists one extract under their tag."
    return Completeness(complete=True, proven=(shown,), unproven=(known,))


def _without_secret(told: CustomerFile) -> str:
    if not told.agreed:
        why = "no secret was agreed with them"
    else:
        why = "give the agreed secret (--secret)"
    return f"That nothing of {told.customer} was left out: completeness is not provable, {why}."


def _instances(verdicts: Verdicts) -> str:
    return ", ".join(sorted({cell.instance for cell in verdicts.cells}))


def _handed(sealed: Sealed) -> set[str]:
    """The customers whose extracts lie in a bundle."""
    return {name.split("/")[1] for name in sealed.files if name.startswith(FOLDER)}


def _of_bundle(sealed: Sealed, verdicts: Verdicts, estate: Estate) -> Iterator[str]:
    inside, told = customers_inside(verdicts), set(customers_with_extract(verdicts))
    found = _handed(sealed)
    for what, odd in (("has no extract", inside - found), ("is no customer here", found - told)):
        if odd:
            raise InvalidError(f"{min(odd)} {what}", where=FOLDER)
    whole = _by_customer(sealed, verdicts, owners_of(verdicts, estate))
    for name in sorted(found):
        _check_extract(sealed, whole, name)
    if found:
        yield f"Each of {len(found)} customers has an extract that leaves nothing of theirs out."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A bundle by customer, so that nothing of it is gone through once for each of them.

    inside: the files of extracts, with digests. about: the signed records about a customer, and
    under _EVERYBODY those that each of them gets. cells, words: what was judged and decided.
    """

    verdicts: Verdicts
    listed: frozenset[str]
    inside: Mapping[str, Mapping[str, str]]
    about: Mapping[str, list[str]]
    cells: Mapping[str, dict[tuple[str, str], Verdict]]
    words: Mapping[str, dict[str, Word]]


def _by_customer(sealed: Sealed, verdicts: Verdicts, owners: Mapping[str, str]) -> _Whole:
    inside: dict[str, dict[str, str]] = {}
    about: dict[str, list[str]] = {}
    cells: dict[str, dict[tuple[str, str], Verdict]] = {}
    words: dict[str, dict[str, Word]] = {}
    for name, digest in sealed.files.items():
        if name.startswith(FOLDER):
            customer, _, inner = name.removeprefix(FOLDER).partition("/")
            inside.setdefault(customer, {})[inner] = digest
        else:
            about.setdefault(_whose(name, owners), []).append(name)
    for told in verdicts.approvals:
        place = place_of(verdicts.wave or "", told.content, told.keyid)
        about.setdefault(owners.get(told.instance or "", _NOBODY), []).append(f"records/{place}")
    for cell in verdicts.cells:
        owner = owners.get(cell.instance, _NOBODY)
        cells.setdefault(owner, {})[cell.instance, cell.promise] = cell.verdict
    for name, word in verdicts.instances.items():
        words.setdefault(owners.get(name, _NOBODY), {})[name] = word
    return _Whole(
        verdicts=verdicts,
        listed=frozenset((sealed.run_list or {}).values()),
        inside=inside,
        about=about,
        cells=cells,
        words=words,
    )


def _whose(name: str, owners: Mapping[str, str]) -> str:
    """Whom a file of the bundle is about; what was decided about the whole wave is everybody's."""
    parts = name.split("/")
    if name.startswith(_DECISIONS) and len(parts) == 4:
        return _EVERYBODY
    if len(parts) < 4 or parts[0] != "records" or parts[1] in _OF_ALL:
        return _NOBODY
    return owners.get(parts[3].removesuffix(".dsse.json"), _NOBODY)


def _check_extract(sealed: Sealed, whole: _Whole, customer: str) -> None:
    """An extract within a bundle is listed in RUN and has all that the bundle has of its own."""
    place = f"{FOLDER}{customer}/"
    files = dict(whole.inside[customer])
    manifest = files.pop(MANIFEST, None)
    if manifest is None or manifest not in whole.listed:
        raise InvalidError("it stands in no line of RUN", where=place + MANIFEST)
    if parse(sealed[place + MANIFEST]) != files:
        raise InvalidError("it does not list the files of the extract", where=place + MANIFEST)
    told = CustomerFile.from_bytes(sealed[place + CUSTOMER], where=place + CUSTOMER)
    if (told.customer, told.run) != (customer, whole.verdicts.run):
        raise InvalidError("it is of another customer or run", where=place + CUSTOMER)
    for name in (*whole.about.get(_EVERYBODY, ()), *whole.about.get(customer, ())):
        if files.get(name) != sealed.files[name]:
            raise InvalidError(f"it lacks {name}, or has another", where=place)
    part = parse_verdicts(sealed[place + VERDICTS])
    cells = {(cell.instance, cell.promise): cell.verdict for cell in part.cells}
    same = (cells, dict(part.instances)) == (
        whole.cells.get(customer, {}),
        whole.words.get(customer, {}),
    )
    if not same:
        raise InvalidError("it says otherwise than the whole run", where=place + VERDICTS)
