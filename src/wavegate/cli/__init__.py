# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The commands: one verb parses, makes one library call, prints, returns a code."""

from wavegate.cli.entry import main

__all__ = ["main"]
