# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verbs as library calls: plan, capture, gate; what the CLI is a thin wrapper of."""
