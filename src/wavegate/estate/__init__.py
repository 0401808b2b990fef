# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What was agreed: the estate file, its policy, its digest and its grid."""
