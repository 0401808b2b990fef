# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Judging a bundle again: the installed suites, whose digest the seal must name, on its records.

The resend plans are worked out again as well: a person acts on them.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from wavegate.errors import InvalidError
from wavegate.estate.load import load
from wavegate.estate.model import Estate, Wave
from wavegate.estate.nightly import NIGHTLY, with_nightly
from wavegate.evidence import whole_records
from wavegate.evidence.night_file import read_night
from wavegate.evidence.trust import Trust, dump
from wavegate.evidence.verdicts import Verdicts
from wavegate.record.local_store import LocalStore
from wavegate.report.resend import FOLDER
from wavegate.run.gate import Request, judge_bundle
from wavegate.run.judging import environment
from wavegate.run.opening import find_wave, open_records
from wavegate.run.resends import write_resend
from wavegate.run.suites import Suite, find_suites, nightly_suites, suites_digest


def rejudge(bundle: Path, sealed: Verdicts, trust: Trust, own: tuple[Path, ...] = ()) -> Verdicts:
    """The verdicts that the installed suites give on a bundle's records, at the run's instant.

    own: folders of the verifier's own suites, used where the seal says that they judged too. Never
    runs code from the bundle. The records are copied first, so that a bundle on a read-only medium
    can be judged. Raises InvalidError where the installed suites are not the sealed ones, where a
    record is damaged inside, or where the records give another resend plan than the sealed one.
    """
    nightly = sealed.wave is None
    suites = _suites(bundle, sealed, own)
    with tempfile.TemporaryDirectory(prefix="wavegate-rejudge-") as work:
        _check_records(bundle, trust, Path(work))
        copy = Path(work) / "bundle"
        shutil.copytree(bundle / "records", copy / "records")
        shutil.copy(bundle / "estate.json", copy / "estate.json")
        wave = _wave(load(copy / "estate.json").estate, sealed, bundle)
        request = Request(
            suites=suites,
            final=sealed.final,
            only=() if nightly else _only(sealed),
            spent=read_night(bundle).spent if nightly else frozenset(),
        )
        again = judge_bundle(copy, sealed.run, wave, sealed.at, trust, request)
        if not nightly:
            _same_resends(bundle, copy, wave, again, trust)
        return again


def _check_records(bundle: Path, trust: Trust, work: Path) -> None:
    """Let a process without keys read each record to its end. Raises InvalidError."""
    keys = work / "trust.json"
    keys.write_bytes(dump(trust))
    done = subprocess.run(
        [sys.executable, "-m", whole_records.__name__, str(bundle.resolve()), str(keys)],
        cwd=work,
        env=environment(work),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    try:
        told = json.loads(done.stdout)
    except ValueError as error:
        raise InvalidError(
            f"a record ends the process that reads it (code {done.returncode})",
            where=str(bundle),
            cure="it was made to; refuse the bundle, and ask its signer what it is",
        ) from error
    raise InvalidError(told["message"], where=told["where"], cure=told["cure"])


def _suites(bundle: Path, sealed: Verdicts, own: tuple[Path, ...]) -> tuple[Suite, ...]:
    """The suites that the seal names: the installed ones, or those and one's own."""
    if sealed.wave is None:
        offered = [nightly_suites()]
    else:
        offered = [find_suites(own), find_suites(())] if own else [find_suites(())]
    for suites in offered:
        if suites_digest(suites) == sealed.digests.suites:
            return suites
    raise InvalidError(
        "the installed suites are not those that judged this bundle",
        where=str(bundle),
        cure=f"install Wavegate {sealed.tool.version}, and give its own suites by --suites",
    )


def _same_resends(bundle: Path, copy: Path, wave: Wave, again: Verdicts, trust: Trust) -> None:
    """Work the resend plans out again. Raises InvalidError naming the first that differs."""
    records = LocalStore.open(copy / "records", create=False)
    shelf = open_records(records, load(copy / "estate.json").estate, wave, trust, again.at)
    for name in _judged(again):
        write_resend(copy, shelf.dossier(name))
    sealed, found = (_plans(folder / FOLDER) for folder in (bundle, copy))
    odd = sorted(name for name in sealed | found if sealed.get(name) != found.get(name))
    if odd:
        raise InvalidError(
            "the records give another resend plan than the sealed one",
            where=str(bundle / FOLDER / odd[0]),
            cure="resend nothing by it; ask for the bundle again from its source",
        )


def _plans(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}


def _wave(estate: Estate, sealed: Verdicts, bundle: Path) -> Wave:
    if sealed.wave is None:
        return with_nightly(estate).wave(NIGHTLY)
    return find_wave(estate, sealed.wave, where=str(bundle))


def _only(sealed: Verdicts) -> tuple[str, ...]:
    """The instances that a partial run was about; () for a whole one."""
    judged = _judged(sealed)
    everyone = {cell.instance for cell in sealed.cells if not cell.outside}
    return judged if set(judged) != everyone else ()


def _judged(sealed: Verdicts) -> tuple[str, ...]:
    return tuple(sorted({c.instance for c in sealed.cells if c.judged and not c.outside}))
