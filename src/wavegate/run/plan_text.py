# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A signed plan as text for a person: the grid, the policy, what will be asked, what to cure."""

from collections import Counter

from wavegate.clock import format_instant
from wavegate.run.plan import Planned


def render(planned: Planned) -> str:
    """The plan in lines: counts first, then what will not be PASSED, then what needs a person."""
    instances = {cell.instance for cell in planned.cells if not cell.outside}
    judged = [cell for cell in planned.cells if cell.not_applicable is None]
    lines = [
        f"plan {planned.wave} version {planned.version}, signed {format_instant(planned.at)}",
        f"  digest {planned.digest}",
        f"  {len(instances)} instances, {len(planned.cells)} cells, {len(judged)} to be judged",
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
    lines += _section("needs a person before the window:", list(planned.warnings))
    return "\n".join(lines)


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


def _section(title: str, rows: list[str]) -> list[str]:
    return ["", title, *(f"  {row}" for row in rows)] if rows else []
