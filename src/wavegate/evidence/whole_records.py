# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reading every record of a bundle to its end, before it is judged again.

`python -m wavegate.evidence.whole_records BUNDLE TRUST` does it in a process of its own: a table of
a queue that somebody made for the purpose, and signed, can end the process that reads its rows.
"""

import json
import sys
from pathlib import Path

from wavegate.errors import WavegateError
from wavegate.evidence.sealed import Opener, open_sealed
from wavegate.evidence.sealed_records import read_records
from wavegate.evidence.sealed_verdicts import check_doubts, read_verdicts
from wavegate.evidence.tree import open_tree
from wavegate.evidence.trust import Trust, load


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


def main(folder: Path, trust: Path) -> int:
    """Check, and print what is refused as JSON; 0 whole, 1 refused."""
    try:
        check_whole(folder, load(trust))
    except WavegateError as error:
        sys.stdout.write(json.dumps(error.as_json()))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
