# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Small worlds built in memory: estates, mails, observations, snapshots, stores."""
