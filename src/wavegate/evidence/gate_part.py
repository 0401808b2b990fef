# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verdicts of an earlier gate, whole or one customer's part, as its seal vouches for them.

Whole, `verdicts.json` is a subject of the seal. A part is vouched for by its MANIFEST, which stands
in a line of RUN, which is a subject of the seal.
"""

from collections.abc import Callable, Mapping

from wavegate.canonical import digest
from wavegate.errors import InvalidError
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.manifest import MANIFEST, parse
from wavegate.evidence.run_list import RUN, parse_run

PARTS = (RUN, MANIFEST, VERDICTS)
"""What lies beside the seal of an earlier gate in an extract."""


def check_vouched(
    subjects: Mapping[str, str], verdicts: bytes, read: Callable[[str], bytes | None], *, where: str
) -> None:
    """Check the verdicts against a seal's subjects. read: a file beside the seal, None if absent.

    Raises InvalidError.
    """
    if subjects.get(VERDICTS) == digest(verdicts):
        return
    run_list, manifest = read(RUN), read(MANIFEST)
    if run_list is None or manifest is None:
        raise InvalidError("the verdicts are not the sealed ones", where=where)
    if subjects.get(RUN) != digest(run_list):
        raise InvalidError("its RUN is not the sealed one", where=where)
    if digest(manifest) not in parse_run(run_list, where=where).values():
        raise InvalidError("its MANIFEST stands in no line of RUN", where=where)
    if parse(manifest).get(VERDICTS) != digest(verdicts):
        raise InvalidError("the verdicts are not those of its MANIFEST", where=where)
