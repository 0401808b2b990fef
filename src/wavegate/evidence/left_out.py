# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which instances are missing in an extract that is not the sealed one: a hint where to look.

Nothing rests on it: what it reads is not what was sealed, or nobody would ask.
"""

from collections.abc import Iterator

from wavegate.canonical import loads
from wavegate.errors import WavegateError
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.tree import Tree

PLAN = "plan.dsse.json"
MOST_NAMED = 10


def left_out(tree: Tree) -> tuple[str, ...]:
    """Instances whose cells the plan has and verdicts.json has not; none where either is unread."""
    if not {PLAN, VERDICTS} <= set(tree.names):
        return ()
    try:
        planned = loads(read_unverified(tree.read(PLAN)), where=PLAN)
        judged = loads(tree.read(VERDICTS), where=VERDICTS)
    except (WavegateError, ValueError):
        return ()
    told = planned.get("predicate") if isinstance(planned, dict) else None
    gone = set(_instances(told)) - set(_instances(judged))
    return tuple(sorted(gone))[:MOST_NAMED]


def _instances(tree: object) -> Iterator[str]:
    """The instances of the cells of a plan or of verdicts."""
    cells = tree.get("cells") if isinstance(tree, dict) else None
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, dict) and isinstance(cell.get("instance"), str):
            yield cell["instance"]
