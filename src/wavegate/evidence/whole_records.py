# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reading every record of a bundle to its end, before it is judged again."""

from pathlib import Path

from wavegate.evidence.sealed import Opener, open_sealed
from wavegate.evidence.sealed_records import read_records
from wavegate.evidence.sealed_verdicts import check_doubts, read_verdicts
from wavegate.evidence.tree import open_tree
from wavegate.evidence.trust import Trust


def check_whole(folder: Path, trust: Trust) -> None:
    """Refuse a bundle with a record that is not what it should be inside, and does not say so.

    Raises InvalidError as `verify_bundle` does, which reads only whose record it is.
    """
    opener = Opener(trust=trust)
    with open_tree(folder) as tree:
        sealed = open_sealed(tree, opener, expect_run=None, expect_wave=None)
        verdicts = read_verdicts(sealed)
        records = read_records(tree, sealed, opener, whole=True)
    check_doubts(verdicts, records.doubts)
