# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What several promises ask of the waves of an estate."""

from wavegate.estate.model import Estate, Wave
from wavegate.verdict import Missing, On


def waves_of(estate: Estate, name: str) -> tuple[str, ...]:
    """The names of the waves that list an instance, in the order of the file."""
    return tuple(wave.name for wave in estate.waves if name in wave.instances)


def no_window(wave: Wave) -> Missing:
    """The gap of a wave that only claims to be closed: nothing can be judged against it."""
    return Missing(
        what=f"a window of wave {wave.name}",
        on=On.OPERATOR,
        rule="no-window",
        subject=f"wave:{wave.name}",
    )
