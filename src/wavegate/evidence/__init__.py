# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What makes records evidence: statements, signatures, manifests, bundles, verification."""
