# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Where the public part of the own keys lies, for a run without `--trust`."""

import os
from pathlib import Path


def default_trust() -> Path:
    """`trust.json` in $WAVEGATE_HOME, or in the user's configuration folder."""
    given = os.environ.get("WAVEGATE_HOME")
    if given:
        return Path(given) / "trust.json"
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "wavegate" / "trust.json"
