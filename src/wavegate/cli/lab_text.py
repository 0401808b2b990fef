# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the lab's verbs print: what to try, what a phase came to, the faults."""

from collections.abc import Sequence
from pathlib import Path

from wavegate.clock import format_instant
from wavegate.lab.catalogue import Fault
from wavegate.lab.faults import explain
from wavegate.lab.running import PhaseResult


def to_try(folder: Path) -> str:
    """The commands of a wave by hand, against this lab."""
    at = f"--estate {folder}/estate.yaml --store {folder}/store"
    wave = f"{at} --wave $(jq -r .wave {folder}/lab.json)"
    return "\n".join(
        (
            f"  wavegate sink {at} --listen $(jq -r .smtp {folder}/lab.json)",
            f"  wavegate plan {wave}",
            f"  wavegate capture {wave} --phase before",
            f"  wavegate lab phase window --dir {folder}",
            f"  wavegate lab phase after --dir {folder}",
            f"  wavegate capture {wave} --phase after",
            f"  wavegate gate {wave}",
        )
    )


def not_played(faults: Sequence[str]) -> str:
    """What of some faults only a drill plays: steps of the harness that differ."""
    told = (explain(fault) for fault in faults)
    return "\n".join(
        f"{fault.id} is more than a world: {'; '.join(step.told() for step in fault.play)}. "
        f"`wavegate lab drill --fault {fault.id}` plays that too"
        for fault in told
        if fault.play
    )


def moved_json(moved: PhaseResult) -> dict[str, object]:
    """The object of `lab phase --json`."""
    return {
        "phase": moved.phase,
        "at": format_instant(moved.at),
        "delivered": dict(moved.delivered),
        "undelivered": list(moved.undelivered),
        "silent": list(moved.silent),
        "writes": list(moved.writes),
    }


def moved(moved: PhaseResult) -> str:
    """A phase in lines: what was delivered, what could not be."""
    total = sum(count for _, count in moved.delivered)
    pairs = len(moved.delivered)
    lines = [f"{moved.phase} since {format_instant(moved.at)}: {total} mails over {pairs} paths"]
    late = () if moved.phase == "window" else moved.undelivered
    lines += [f"  could not deliver: {text}" for text in late]
    lines += [f"  sends nothing in this world: {text}" for text in moved.silent]
    lines += [f"  WRITING CALL: {text}" for text in moved.writes]
    return "\n".join(lines)


def listed(faults: Sequence[Fault]) -> str:
    """One line per fault; under it, why it cannot be played."""
    lines = []
    for row in faults:
        promised = ", ".join(row.promises)
        lines.append(f"{row.id:38} {row.verdict:12} {promised}: {row.title}")
        if row.unplayable:
            lines.append(f"{'':38} cannot be played: {row.unplayable}")
    return "\n".join(lines)


def told(fault: Fault) -> str:
    """One fault in full."""
    rows = {
        "what changes": fault.changes,
        "in the play": "; ".join(step.told() for step in fault.play) or "-",
        "when": fault.phase,
        "on": fault.instance,
        "must be": f"{fault.verdict} under {', '.join(fault.promises)}, by {fault.by}",
        "naming": ", ".join(fault.names) or "-",
        "may turn too": ", ".join(fault.also_allowed) or "-",
        "why": fault.why,
        "difficulty": str(fault.difficulty),
    }
    if fault.unplayable:
        rows["unplayable"] = fault.unplayable
    lines = [f"{fault.id} ({fault.family}): {fault.title}"]
    return "\n".join([*lines, *(f"  {name:13} {text}" for name, text in rows.items())])
