# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The miniature of a migration; shares no code with observe, record, compare or mailauth."""
