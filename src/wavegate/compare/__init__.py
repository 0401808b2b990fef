# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Pure judgement: one module per promise, named after it; no sockets, no clock."""
