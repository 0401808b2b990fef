# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which waivers apply to a cell: lives in the estate, for the plugin applies them too."""

from wavegate.estate.waivers import applied

__all__ = ["applied"]
