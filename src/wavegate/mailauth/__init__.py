# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Pure mail algebra: SPF, DKIM, DMARC, names; no sockets, no clock."""
