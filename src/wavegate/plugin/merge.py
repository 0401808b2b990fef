# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One judgement out of several: the worst of them, with everything that any of them said."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from wavegate.verdict import Judgement, Verdict, worst

T = TypeVar("T")


def merge(judgements: Sequence[Judgement]) -> Judgement:
    """The judgement of a cell that several tests or calls spoke of. ValueError for none."""
    if len(judgements) == 1:
        return judgements[0]
    if not judgements:
        raise ValueError("no judgement")
    verdict = worst(found.verdict for found in judgements)
    ranked = [found for found in judgements if found.verdict is verdict]
    passed = verdict is Verdict.PASSED
    return Judgement(
        verdict=verdict,
        reason=ranked[0].reason,
        findings=_all(judgements, lambda found: found.findings),
        missing=_all(judgements, lambda found: found.missing),
        cleared=_all(judgements, lambda found: found.cleared),
        not_compared=_all(judgements, lambda found: found.not_compared),
        shown=_sentences(found.shown for found in ranked) if passed else None,
        could_hide=_sentences(found.could_hide for found in ranked) if passed else None,
        off_track=next((found.off_track for found in judgements if found.off_track), None),
        records=_all(judgements, lambda found: found.records),
        remarks=_all(judgements, lambda found: found.remarks),
    )


def merge_looks(judgements: Sequence[Judgement]) -> Judgement:
    """The judgement of several looks of one night: the worst, and each cause once."""
    if len(judgements) == 1:
        return judgements[0]
    merged = merge(judgements)
    remark = f"{len(judgements)} looks in this night were judged; the worst counts"
    return replace(
        merged,
        findings=tuple({item.cause(""): item for item in reversed(merged.findings)}.values())[::-1],
        missing=tuple({item.cause(""): item for item in reversed(merged.missing)}.values())[::-1],
        remarks=(*merged.remarks, remark),
    )


def _all(
    judgements: Iterable[Judgement], of: Callable[[Judgement], tuple[T, ...]]
) -> tuple[T, ...]:
    return tuple(dict.fromkeys(item for found in judgements for item in of(found)))


def _sentences(texts: Iterable[str | None]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
