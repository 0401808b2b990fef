# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Runs a command of the harness by a clock that is wrong, as on a host whose time is off.

    python -m wavegate.lab.skewed -- -4.8s capture --estate estate.yaml ...

For the lab's plays only: this is the one caller of `clock.go_wrong`.
"""

import runpy
import sys
from datetime import timedelta

from wavegate import clock
from wavegate.errors import InputError


def offset(text: str) -> timedelta:
    """How far the clock is ahead: a duration, with a sign. Raises InputError."""
    try:
        length = clock.parse_duration(text.lstrip("+-"))
    except ValueError as error:
        raise InputError(str(error), where="skewed", cure="such as -90s or +2m") from error
    return -length if text.startswith("-") else length


def main(arguments: list[str]) -> None:
    """Take the offset, set the clock wrong, run the rest as `wavegate`."""
    text, *rest = [word for word in arguments if word != "--"]
    clock.go_wrong(offset(text))
    sys.stderr.write(f"the clock of this process is {text} ahead\n")
    sys.argv = ["wavegate", *rest]
    runpy.run_module("wavegate", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
