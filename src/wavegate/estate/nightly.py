# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the nightly looks at: dev and stage, eight promises, no window (design, "Nightly").

Its records stand in the store as those of a wave do, under a name that is kept for it; in
verdicts and seals its wave is null.
"""

from datetime import UTC, date, datetime, timedelta

from wavegate.decision import GridCell
from wavegate.errors import InputError
from wavegate.estate.grid import grid
from wavegate.estate.model import Estate, Hours, Instance, Wave

NIGHTLY = "nightly"
PROMISES = (
    "sending_ips",
    "reverse_dns",
    "spf",
    "dkim",
    "dmarc",
    "build_version",
    "nothing_else_changed",
    "sound_evidence",
)
_NOON = timedelta(hours=12)


def nightly_instances(estate: Estate) -> tuple[Instance, ...]:
    """The instances that the nightly looks at, in the order of the estate file."""
    return tuple(i for i in estate.instances if i.environment in ("dev", "stage"))


def with_nightly(estate: Estate) -> Estate:
    """The estate with one more wave, without a window: its dev and stage instances.

    Raises InputError where the estate has a wave of that name, or no instance for the nightly.
    """
    if any(wave.name == NIGHTLY for wave in estate.waves):
        raise InputError(
            f"a wave is named {NIGHTLY!r}, which is kept for the nightly",
            cure="give the wave another name",
        )
    names = tuple(instance.name for instance in nightly_instances(estate))
    if not names:
        raise InputError(
            "the estate has no dev or stage instance",
            cure="add one: the nightly looks at dev and stage",
        )
    nightly = Wave.model_construct(name=NIGHTLY, instances=names)
    return estate.model_copy(update={"waves": (*estate.waves, nightly)})


def without_nightly(estate: Estate) -> Estate:
    """The estate as its file says it."""
    waves = tuple(wave for wave in estate.waves if wave.name != NIGHTLY or wave.window)
    return estate.model_copy(update={"waves": waves})


def nightly_grid(estate: Estate) -> tuple[GridCell, ...]:
    """The cells that the nightly must have; none has a due. estate: of `with_nightly`."""
    return grid(estate, NIGHTLY, PROMISES)


def night_of(at: datetime) -> date:
    """The night that an instant belongs to, from noon to noon UTC, named by its morning."""
    return (at.astimezone(UTC) + _NOON).date()


def asleep(instance: Instance, at: datetime) -> Hours | None:
    """The hours in which the instance is stopped at an instant, or None."""
    clock = at.astimezone(UTC).strftime("%H:%M")
    return next((hours for hours in instance.asleep if _within(hours, clock)), None)


def _within(hours: Hours, clock: str) -> bool:
    if hours.start < hours.end:
        return hours.start <= clock < hours.end
    return clock >= hours.start or clock < hours.end
