# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A signed plan as text for a person: the grid, the policy, what will be asked, what to cure."""

from collections import Counter
from textwrap import wrap

from wavegate.clock import format_instant
from wavegate.decision import withdrawn_by
from wavegate.run.plan import Planned

NAMED = 4
"""Instances named where many share a line."""
WIDTH = 96


def render(planned: Planned) -> str:
    """The plan in lines: counts first, then what will not be PASSED, then what needs a person."""
    instances = {cell.instance for cell in planned.cells if not cell.outside}
    judged = [cell for cell in planned.cells if cell.not_applicable is None]
    lines = [
        f"plan {planned.wave} version {planned.version}, signed {format_instant(planned.at)}",
        f"  digest {planned.digest}",
        f"  {len(instances)} instances, {len(planned.cells)} cells, {len(judged)} to be judged",
        *_withdrawn(planned),
        "",
        *_dues(planned),
        "",
        "what a capture asks (at least; answers lead on):",
        *(f"  {name:24} {count:5} questions" for name, count in planned.questions.items()),
        "",
        "policy:",
        *(f"  {name}: {_plain(value)}" for name, value in planned.policy.items()),
    ]
    lines += _section("decided by the estate already:", _foreseen(planned))
    lines += _section("what the evidence will not be able to show:", _cannot_show(planned))
    lines += _section("needs a person before the window:", list(planned.warnings))
    return "\n".join(lines)


def _withdrawn(planned: Planned) -> list[str]:
    gone = withdrawn_by(planned.cells)
    return [f"  {name} is withdrawn by {found.by}: {found.why}" for name, found in gone.items()]


def _dues(planned: Planned) -> list[str]:
    dues = Counter((cell.promise, cell.due) for cell in planned.cells if not cell.not_applicable)
    lines = ["due:"]
    for (promise, due), count in dues.items():
        lines.append(f"  {promise:24} {count:3} cells  {format_instant(due) if due else '-'}")
    not_judged = Counter(cell.not_applicable for cell in planned.cells if cell.not_applicable)
    lines += [f"  not applicable: {count} cells, {why}" for why, count in not_judged.items()]
    return lines


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value) or "-"
    return str(value)


def _foreseen(planned: Planned) -> list[str]:
    return [f"{f.promise}[{f.instance}] {f.verdict}: {f.reason}" for f in planned.foreseen]


def _cannot_show(planned: Planned) -> list[str]:
    """Per promise, what instances share told once, with what would cure it."""
    held: dict[tuple[str, str, str], list[str]] = {}
    for spot in planned.cannot_show:
        cure = spot.cure.replace(f"[{spot.instance}]", "[NAME]")
        held.setdefault((spot.promise, spot.cannot_show, cure), []).append(spot.instance)
    lines = []
    for (promise, what, cure), names in held.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        lines += [f"{promise}[{', '.join(names[:NAMED])}{more}]"]
        lines += wrap(what, WIDTH, initial_indent="  ", subsequent_indent="  ")
        lines += wrap(f"cure: {cure}", WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines


def _section(title: str, rows: list[str]) -> list[str]:
    return ["", title, *(f"  {row}" for row in rows)] if rows else []
