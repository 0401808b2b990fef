# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Wavegate proves that the migration of an e-mail sending infrastructure kept its promises."""

__version__ = "0.1.0"
