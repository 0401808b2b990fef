# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One target of tests/fuzz driven by atheris: `python -m benchmarks.fuzz --engine atheris` runs it.

atheris must see modules before they are imported, and ends its process when it is done: hence a
module, and a process, of its own.
"""

import importlib
import sys

ATHERIS = importlib.import_module("atheris")  # no types, and not everywhere
with ATHERIS.instrument_imports(include=["wavegate"]):
    TARGETS = importlib.import_module("tests.fuzz.targets").TARGETS


def main(name: str, options: list[str]) -> None:
    """Drive one target; it does not return."""
    (target,) = (found for found in TARGETS if found.name == name)
    target.seeds()

    def once(data: bytes) -> None:
        target.check(bytes(data))

    ATHERIS.Setup([sys.argv[0], *options], once)
    ATHERIS.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
