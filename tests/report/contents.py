# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The contents of a bundle around some verdicts, without the bundle."""

from wavegate.canonical import digest
from wavegate.evidence.contents import Contents, Exhibit
from wavegate.evidence.verdicts import Verdicts, dump


def contents_of(verdicts: Verdicts, keyids: tuple[str, ...] = ()) -> Contents:
    """Contents whose exhibits are every second record that the cells name."""
    named = sorted({record for cell in verdicts.cells for record in cell.records})
    exhibits = {
        record: Exhibit(name=f"records/objects/{record[:2]}/{record}", digest=record)
        for record in named[::2]
    }
    estate = digest(b"estate")
    exhibits |= {
        value: Exhibit(name="estate.json", digest=estate)
        for value in verdicts.digests.estate.values()
    }
    return Contents(
        verdicts=verdicts,
        keyids=keyids,
        manifest=digest(b"MANIFEST"),
        verdicts_digest=digest(dump(verdicts)),
        exhibits=exhibits,
    )
