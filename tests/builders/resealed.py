# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A bundle that whoever holds the key of its seal changed and sealed anew."""

import json
from pathlib import Path

from wavegate.evidence.bundle import seal_bundle
from wavegate.evidence.signer import FileSigner
from wavegate.record.snapshot import Tool


def seal_anew(bundle: Path, key: Path) -> None:
    """Seal it again, as the run that its verdicts name."""
    told = json.loads((bundle / "verdicts.json").read_text("utf-8"))
    for name in ("MANIFEST", "RUN", "seal.dsse.json"):
        (bundle / name).unlink()
    seal_bundle(
        bundle,
        signer=FileSigner.load(key),
        run=told["run"],
        wave=told["wave"],
        timestamps_required=False,
        tool=Tool(**told["tool"]),
        suites=told["digests"]["suites"],
    )
