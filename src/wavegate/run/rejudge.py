# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Judging a bundle again: the installed suites, whose digest the seal must name, on its records."""

import shutil
import tempfile
from pathlib import Path

from wavegate.errors import InvalidError
from wavegate.estate.load import load
from wavegate.estate.model import Estate, Wave
from wavegate.estate.nightly import NIGHTLY, with_nightly
from wavegate.evidence.night_file import read_night
from wavegate.evidence.trust import Trust
from wavegate.evidence.verdicts import Verdicts
from wavegate.run.gate import Request, judge_bundle
from wavegate.run.opening import find_wave
from wavegate.run.suites import find_suites, nightly_suites, suites_digest


def rejudge(bundle: Path, sealed: Verdicts, trust: Trust, own: tuple[Path, ...] = ()) -> Verdicts:
    """The verdicts that the installed suites give on a bundle's records, at the run's instant.

    Never runs code from the bundle. The records are copied first, so that a bundle on a read-only
    medium can be judged. Raises InvalidError where the installed suites are not the sealed ones.
    """
    nightly = sealed.wave is None
    suites = nightly_suites() if nightly else find_suites(own)
    if suites_digest(suites) != sealed.digests.suites:
        raise InvalidError(
            "the installed suites are not those that judged this bundle",
            where=str(bundle),
            cure=f"install Wavegate {sealed.tool.version}, and give its own suites by --suites",
        )
    with tempfile.TemporaryDirectory(prefix="wavegate-rejudge-") as work:
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
        return judge_bundle(copy, sealed.run, wave, sealed.at, trust, request)


def _wave(estate: Estate, sealed: Verdicts, bundle: Path) -> Wave:
    if sealed.wave is None:
        return with_nightly(estate).wave(NIGHTLY)
    return find_wave(estate, sealed.wave, where=str(bundle))


def _only(sealed: Verdicts) -> tuple[str, ...]:
    """The instances that a partial run was about; () for a whole one."""
    judged = {cell.instance for cell in sealed.cells if cell.judged and not cell.outside}
    everyone = {cell.instance for cell in sealed.cells if not cell.outside}
    return tuple(sorted(judged)) if judged != everyone else ()
