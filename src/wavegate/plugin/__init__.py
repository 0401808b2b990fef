# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: options, fixtures for suites, verdict collection."""
