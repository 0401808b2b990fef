# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reports as pure functions of the verdicts: HTML, Markdown, JUnit."""
