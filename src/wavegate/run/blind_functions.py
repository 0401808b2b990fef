# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which outages of which functions a watch will not see: by probe distance, and where none is made.

Nothing is asked and no secret is read: the functions are laid out as a watch would.
"""

from collections.abc import Iterator
from datetime import timedelta

from wavegate.compare.spans import spelled
from wavegate.estate.model import Instance
from wavegate.observe.campaign_login import no_way
from wavegate.observe.functions.campaign import Router, Session
from wavegate.observe.functions.catalogue import OFF, functions_of
from wavegate.observe.functions.facing import Facing
from wavegate.record.timeline import Watched
from wavegate.run.opening import Opened

NAMED = 6


def functions_unseen(opened: Opened, instance: Instance) -> Iterator[tuple[str, str]]:
    """What cannot be shown of the functions of an instance, each with its cure."""
    found = _functions(opened, instance)
    confirm = opened.estate.policy.confirm
    held: dict[timedelta, list[str]] = {}
    for one in found:
        if one.not_probed is None:
            held.setdefault(one.every, []).append(one.name)
    parts = [f"{spelled(every * confirm)} of {_names(held[every])}" for every in sorted(held)]
    if parts:
        yield (
            f"an outage shorter than {'; '.join(parts)}: {confirm} bad probes in a row convict",
            "`functions: {NAME: {every: DURATION}}`, as far as the instance bears it",
        )
    off = [one.name for one in found if one.not_probed == OFF]
    if off:
        yield f"anything of {_names(off)}: switched off", "`functions: {NAME: {...}}`"
    yield from _not_probed(found)


def _not_probed(found: tuple[Watched, ...]) -> Iterator[tuple[str, str]]:
    """Functions without what a probe of them needs, by the reason."""
    held: dict[str, list[str]] = {}
    for one in found:
        if one.not_probed not in (None, OFF):
            held.setdefault(one.not_probed or "", []).append(one.name)
    if held:
        told = "; ".join(f"{_names(names)} ({why})" for why, names in held.items())
        yield f"anything of {told}", "name them in the estate: `functions: {NAME: {...}}`"


def _functions(opened: Opened, instance: Instance) -> tuple[Watched, ...]:
    facing = Facing(
        estate=opened.estate,
        instance=instance,
        window=opened.window.end - opened.window.start,
        base=opened.loaded.path.resolve().parent,
    )
    session = no_way(instance) or Session(Router(facing), None)
    return tuple(function.watched for function in functions_of(facing, session))


def _names(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
