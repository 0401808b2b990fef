# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The comparison of the promise `dkim`."""

from dataclasses import dataclass

from wavegate.compare.per_server import View
from wavegate.estate.model import Instance
from wavegate.record.message import Received
from wavegate.verdict import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimEvidence:
    """One side of the comparison: the DNS as captured, and the mails of the phase."""

    instance: Instance
    view: View
    mails: tuple[Received, ...]
    records: tuple[str, ...]


def gather(
    instance: Instance,
    view: View,
    mails: tuple[Received, ...] = (),
    *,
    records: tuple[str, ...] = (),
) -> DkimEvidence:
    """The evidence of one side. records: digests of the records it was read from."""
    return DkimEvidence(instance=instance, view=view, mails=mails, records=records)


def compare_dkim(before: DkimEvidence, after: DkimEvidence) -> Judgement:
    """Judge the promise. Pure, and total: never raises, whatever was captured."""
    raise NotImplementedError
