# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The customers' extracts, written into a bundle that is being built, from what lies in it.

An extract has the form of a bundle, with the customer's part of everything: it is verified and
judged again as a bundle is. The seal's own steps come after (`evidence.bundle`).
"""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wavegate.estate.load import dump as dump_estate
from wavegate.estate.model import Estate
from wavegate.estate.nightly import without_nightly
from wavegate.estate.part import part_of
from wavegate.evidence.approvals import place_of
from wavegate.evidence.baseline import BaselinePredicate, baseline_name
from wavegate.evidence.bundle import NIGHT, VERDICTS
from wavegate.evidence.customer_file import FOLDER
from wavegate.evidence.cut import (
    Grid,
    causes_of,
    customers_with_extract,
    cut_grid,
    cut_night,
    cut_verdicts,
    grid_payload,
    owners_of,
)
from wavegate.evidence.decisions import FOLDER as DECISIONS
from wavegate.evidence.envelope import read_unverified, sign
from wavegate.evidence.gate_part import PARTS
from wavegate.evidence.manifest import MANIFEST, SEAL
from wavegate.evidence.night_file import Night, dump_night, read_night
from wavegate.evidence.predicates import PlanPredicate, RecordPredicate
from wavegate.evidence.run_list import RUN
from wavegate.evidence.sealed_verdicts import BASELINE, ESTATE, PLAN
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import read
from wavegate.evidence.verdicts import Verdicts
from wavegate.evidence.verdicts import dump as dump_verdicts
from wavegate.plugin.night import key_of
from wavegate.report.resend import FOLDER as RESEND

_SIGNED = ".dsse.json"
_OF_ALL = frozenset({"objects", "gates", "plans", "baselines", "decisions", "approvals"})
Render = Callable[[Path, Verdicts], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor:
    """Writes extracts. folder: the bundle, whole but for its seal. render: writes the reports."""

    folder: Path
    estate: Estate
    verdicts: Verdicts
    signer: Signer
    render: Render

    def write(self) -> tuple[str, ...]:
        """Write `customers/<name>/` for each customer of whom the run tells something."""
        names = customers_with_extract(self.verdicts)
        owners = owners_of(self.verdicts, self.estate)
        grid = self._grid()
        for name in names:
            self._write(name, owners, cut_grid(grid, name) if grid else None)
        return names

    def _grid(self) -> Grid | None:
        kept: tuple[tuple[str, type[Grid]], ...] = (
            (PLAN, PlanPredicate),
            (BASELINE, BaselinePredicate),
        )
        for name, kind in kept:
            if (self.folder / name).exists():
                payload = read_unverified((self.folder / name).read_bytes())
                return read(payload, kind).predicate
        return None

    def _write(self, customer: str, owners: Mapping[str, str], grid: Grid | None) -> None:
        out = self.folder / FOLDER / customer
        out.mkdir(parents=True)
        own = [name for name, owner in owners.items() if owner == customer]
        verdicts = cut_verdicts(self.verdicts, customer, owners, grid)
        (out / VERDICTS).write_bytes(dump_verdicts(verdicts))
        causes = causes_of(verdicts.cells)
        estate = part_of(without_nightly(self.estate), customer, causes, verdicts.wave)
        (out / ESTATE).write_bytes(dump_estate(estate))
        self._copy_records(out, own)
        self._copy_gates(out, customer)
        self._copy_decisions(out, own)
        self._copy_approvals(out, verdicts)
        self._copy_resends(out, own)
        if grid is not None:
            self._sign_grid(out, grid)
        if (self.folder / NIGHT).exists():
            night = cut_night(read_night(self.folder), customer, owners)
            (out / NIGHT).write_bytes(dump_night(_with_keys(night, self.estate, estate)))
        self.render(out, verdicts)

    def _sign_grid(self, out: Path, grid: Grid) -> None:
        envelope = sign(grid_payload(grid), self.signer)
        if isinstance(grid, PlanPredicate):
            name, kept = PLAN, f"plans/{grid.wave}/{grid.version:06d}.dsse.json"
        else:
            name, kept = BASELINE, baseline_name(grid.version)
        (out / name).write_bytes(envelope)
        place = out / "records" / kept
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(envelope)

    def _copy_records(self, out: Path, own: Iterable[str]) -> None:
        records = self.folder / "records"
        _copy(records / "FORMAT", out / "records/FORMAT")
        for name in own:
            for place in _places(records, name):
                _copy(place, out / "records" / place.relative_to(records))
                if place.name.endswith(_SIGNED):
                    _copy_object(records, out / "records", place.read_bytes())

    def _copy_gates(self, out: Path, customer: str) -> None:
        """Of the earlier waves, the customer's part: seal, RUN, their MANIFEST and verdicts."""
        gates = self.folder / "records/gates"
        for seal in sorted(gates.glob(f"*/*/{SEAL}")):
            part = seal.parent / FOLDER / customer
            if not (part / MANIFEST).exists():
                continue
            place = out / "records/gates" / seal.parent.relative_to(gates)
            for name, source in ((SEAL, seal), *((n, part / n) for n in PARTS if n != RUN)):
                _copy(source, place / name)
            _copy(seal.with_name(RUN), place / RUN)

    def _copy_decisions(self, out: Path, own: Iterable[str]) -> None:
        """What people decided about the whole wave, and about these instances."""
        decisions = self.folder / "records" / DECISIONS
        own = frozenset(own)
        for place in sorted(decisions.rglob(f"*{_SIGNED}")):
            _, *instance, _ = place.relative_to(decisions).parts
            if own.issuperset(instance):
                _copy(place, out / "records" / DECISIONS / place.relative_to(decisions))

    def _copy_approvals(self, out: Path, verdicts: Verdicts) -> None:
        """The signed approvals that the customer's verdicts tell of."""
        for told in verdicts.approvals:
            name = f"records/{place_of(verdicts.wave or '', told.content, told.keyid)}"
            _copy(self.folder / name, out / name)

    def _copy_resends(self, out: Path, own: Iterable[str]) -> None:
        for name in own:
            for place in (self.folder / RESEND / f"{name}.{kind}" for kind in ("csv", "json")):
                if place.exists():
                    _copy(place, out / RESEND / place.name)


def _with_keys(night: Night, whole: Estate, part: Estate) -> Night:
    """The night whose expected changes have the identities that they have in the customer's part.

    A change that is expected of several customers' instances is another one in each part.
    """
    left = iter(part.expected_changes)
    names = {instance.name for instance in part.instances}
    own = (change for change in whole.expected_changes if names & set(change.instances))
    keys = {key_of(change): key_of(next(left)) for change in own}
    entries = (
        entry.model_copy(update={"key": keys.get(entry.key, entry.key)})
        for entry in night.expected_changes
    )
    return night.model_copy(update={"expected_changes": tuple(entries)})


def _copy_object(records: Path, out: Path, envelope: bytes) -> None:
    record = read(read_unverified(envelope), RecordPredicate).only_digest()
    name = f"objects/{record[:2]}/{record}"
    if (records / name).exists() and not (out / name).exists():
        _copy(records / name, out / name)


def _places(records: Path, instance: str) -> list[Path]:
    """What a bundle's records have about an instance, whatever its kind and wave."""
    found: list[Path] = []
    for folder in records.iterdir():
        if folder.is_dir() and folder.name not in _OF_ALL:
            found += folder.glob(f"*/{instance}.dsse.json")
            found += folder.glob(f"*/{instance}/*")
    return sorted(found)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
