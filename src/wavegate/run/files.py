# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Writing a file for a person: whole or not at all, and never over another."""

import os
from pathlib import Path

from wavegate.errors import InputError


def check_new(path: Path) -> None:
    """Refuse a path where something is, before work is done that would end there. InputError."""
    if path.exists() or path.is_symlink():
        raise _taken(path)


def _taken(path: Path) -> InputError:
    return InputError(
        "is there already", where=str(path), cure="give another path, or move it away"
    )


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet, durably.

    Raises InputError if something is there already, OSError for what the machine refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError as error:
        raise _taken(path) from error
    finally:
        temporary.unlink(missing_ok=True)
