# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb report: hands out one customer's extract of a bundle, and nothing of anyone else.

It needs of the bundle only the extract, RUN and the seal: what was deleted of other customers does
not matter to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wavegate.canonical import digest
from wavegate.errors import InputError, InternalError, InvalidError, MissingError, WavegateError
from wavegate.estate.load import loads as load_estate
from wavegate.evidence.bundle import VERDICTS, building
from wavegate.evidence.customer_file import CUSTOMER, FOLDER
from wavegate.evidence.cut import owners_of
from wavegate.evidence.foreign import Foreign
from wavegate.evidence.manifest import SEAL
from wavegate.evidence.run_list import RUN
from wavegate.evidence.sealed import OBJECTS, Opener, Sealed, open_sealed
from wavegate.evidence.sealed_verdicts import ESTATE
from wavegate.evidence.tree import Tree, open_tree
from wavegate.evidence.verdicts import Verdicts, parse
from wavegate.record.queue_file import from_bytes as read_queue

_PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """An extract that can be given to its customer.

    run_list: SHA-256 of RUN, to be sent beside the extract. files: how many it has. notes: what the
    operator should know before they give it away.
    """

    customer: str
    place: Path
    run: str
    decision_line: str
    instances: tuple[str, ...]
    run_list: str
    manifest: str
    files: int
    provable: bool
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The object of `report --json`."""
        return {
            "customer": self.customer,
            "extract": str(self.place),
            "run": self.run,
            "decision_line": self.decision_line,
            "instances": list(self.instances),
            "run_digest": self.run_list,
            "manifest": self.manifest,
            "files": self.files,
            "completeness_provable": self.provable,
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """The same for a person."""
        lines = [
            f"extract of {self.customer} from run {self.run}: {self.decision_line}",
            f"  {self.place}, {self.files} files, instances {', '.join(self.instances)}",
            f"  SHA-256 of RUN: {self.run_list}",
            "  send this number beside the extract, not in it: all customers have the same RUN",
        ]
        if not self.provable:
            lines.append("  completeness not provable: no secret was in hand when it was sealed")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def hand_out(bundle: Path, customer: str, out: Path) -> HandedOut:
    """Copy a customer's extract, with RUN and the seal, into a folder of its own.

    Raises InputError (no bundle, an extract, an unknown customer, `out` is taken), MissingError (a
    bundle from before there were extracts), InvalidError (the extract is not the sealed one, or
    names another customer), InternalError (disk full).
    """
    with open_tree(bundle) as tree:
        _check_bundle(tree, bundle, customer)
        prefix = f"{FOLDER}{customer}/"
        names = [name for name in tree.names if name.startswith(prefix)]
        with building(out) as folder:
            try:
                for name in names:
                    _write(folder / name.removeprefix(prefix), tree.read(name))
                for name in (n for n in tree.names if n == RUN or n.startswith("seal.")):
                    _write(folder / name, tree.read(name))
            except OSError as error:
                text = f"cannot be written: {error.strerror}"
                raise InternalError(text, where=error.filename or str(out)) from error
            return _check(folder, out, customer, _foreign(tree, customer))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _check_bundle(tree: Tree, bundle: Path, customer: str) -> None:
    if CUSTOMER in tree.names:
        raise InputError(
            "an extract already, not a whole bundle",
            where=str(bundle),
            cure="give the bundle that it was taken from; or hand it out as it is",
        )
    if SEAL not in tree.names:
        cure = "give a folder that `wavegate gate` made"
        raise InputError("no bundle: it has no seal", where=str(bundle), cure=cure)
    if RUN not in tree.names:
        raise MissingError(
            "this bundle was sealed before there were extracts",
            where=str(bundle),
            cure="gate the wave again with this version, from its store",
        )
    known = sorted({name.split("/")[1] for name in tree.names if name.startswith(FOLDER)})
    if customer not in known:
        listed = ", ".join(known) or "none"
        raise InputError(
            f"no extract of {customer!r} in it", where=str(bundle), cure=f"there are: {listed}"
        )


def _foreign(tree: Tree, customer: str) -> Foreign:
    """The names that the extract must not have, as far as the bundle still tells them."""
    try:
        verdicts = parse(tree.read(VERDICTS))
        estate = load_estate(tree.read(ESTATE), ESTATE)
    except WavegateError as error:
        raise InvalidError(
            f"the bundle does not tell whose instances are whose: {error.message}",
            where=error.where,
            cure="restore verdicts.json and estate.json of the bundle",
        ) from error
    found = Foreign.to(customer, owners_of(verdicts, estate))
    others = {known.name for known in estate.customers} - {customer}
    return Foreign.of(found.customers | others, found.instances)


def _check(folder: Path, out: Path, customer: str, foreign: Foreign) -> HandedOut:
    """Check the finished extract against its seal, and look for others' names in every byte."""
    with open_tree(folder) as tree:
        sealed = open_sealed(tree, Opener(trust=None), expect_run=None, expect_wave=None)
        _check_run(sealed.statement.predicate.run, foreign)
        notes = tuple(_mentions(tree, sealed, foreign))
    verdicts = parse(sealed[VERDICTS])
    told = sealed.customer
    if told is None or told.customer != customer:
        raise InvalidError("it is not that customer's", where=f"{FOLDER}{customer}/{CUSTOMER}")
    return HandedOut(
        customer=customer,
        place=out,
        run=verdicts.run,
        decision_line=verdicts.decision_line,
        instances=_instances(verdicts),
        run_list=sealed.statement.subjects[RUN],
        manifest=sealed.manifest,
        files=len(tree.names),
        provable=told.agreed,
        notes=notes,
    )


def _check_run(run: str, foreign: Foreign) -> None:
    named = foreign.part_of(run)
    if named:
        raise InvalidError(
            f"the name of the run, which the seal holds, names {', '.join(sorted(named))}",
            where=SEAL,
            cure="name the wave otherwise, without a customer's name, and gate it again",
        )


def _instances(verdicts: Verdicts) -> tuple[str, ...]:
    return tuple(sorted({cell.instance for cell in verdicts.cells}))


def _mentions(tree: Tree, sealed: Sealed, foreign: Foreign) -> Iterator[str]:
    """Notes on names that the network itself told. Raises InvalidError for what we wrote."""
    for name in tree.names:
        data = sealed.small.get(name)
        if name.startswith(OBJECTS):
            met = foreign.met(_uncompressed(tree.read(name)))
            if met:
                listed = ", ".join(sorted(met))
                yield f"{name} names {listed}: somebody answered so about this customer's own names"
            continue
        met = foreign.met(tree.read(name) if data is None else data)
        if met:
            raise InvalidError(
                f"it names another customer: {', '.join(sorted(met))}",
                where=name,
                cure="take the name out of the estate's texts (reasons, references, wave names) "
                "and gate again; this extract is not handed out",
            )


def _uncompressed(data: bytes) -> bytes:
    """The bytes, and of a table what its columns hold."""
    if not data.startswith(_PARQUET):
        return data
    return data + repr(read_queue(data, digest=digest(data))).encode()
