# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a clean wave that must be GO, a broken one that must name its three faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wavegate import clock
from wavegate.lab.commands import Say
from wavegate.lab.play import Play, Played, play

BROKEN = {
    "build-newer": "build_version",
    "ptr-missing-one": "reverse_dns",
    "spf-lost-one-slash32": "spf",
}
"""The planted faults, and the promise under which each must be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the demonstration showed. complaints: what did not come out as planned."""

    clean: Played
    broken: Played
    complaints: tuple[str, ...]

    @property
    def bundles(self) -> tuple[Path, ...]:
        """The sealed folders, clean first."""
        return tuple(p.bundle for p in (self.clean, self.broken) if p.bundle)

    def text(self) -> str:
        """Both decisions with their findings and reports, and what went otherwise than planned."""
        ruler = "-" * 72
        lines = [ruler, "the clean wave:", self.clean.text()]
        lines += [ruler, "the broken wave:", self.broken.text(), ruler]
        lines += [f"NOT AS PLANNED: {complaint}" for complaint in self.complaints]
        lines += [] if self.complaints else ["both waves came out as planned"]
        return "\n".join(lines)


def demo(out: Path, work: Path, say: Say) -> Shown:
    """Play both waves. out: where the two bundles go. work: a folder for the rest."""
    out = out / f"demo-{clock.now():%Y%m%dT%H%M%S}"
    say("a clean wave:")
    clean = play(Play(scenario="clean", folder=work / "clean", out=out / "clean"), say)
    say("a broken wave, with " + ", ".join(BROKEN) + ":")
    wanted = Play(
        scenario="clean", folder=work / "broken", faults=tuple(BROKEN), out=out / "broken"
    )
    broken = play(wanted, say)
    return Shown(clean=clean, broken=broken, complaints=tuple(_complaints(clean, broken)))


def _complaints(clean: Played, broken: Played) -> Iterator[str]:
    if clean.decision != "GO":
        yield f"the clean wave is {clean.decision}, not GO: {_why(clean)}"
    if broken.decision != "NO-GO":
        yield f"the broken wave is {broken.decision}, not NO-GO: {_why(broken)}"
    failed = {str(cell["promise"]) for cell in broken.cells("FAILED")}
    if failed != set(BROKEN.values()):
        yield f"FAILED are {', '.join(sorted(failed))}; planted were {', '.join(BROKEN.values())}"
    for played in (clean, broken):
        if not played.bundle or played.step("verify").code:
            yield f"the bundle of the {played.decision} wave does not verify"


def _why(played: Played) -> object:
    return played.verdicts.get("why", played.steps[-1].data)
