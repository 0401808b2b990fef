# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What we add to Allure's results: labels of the cell, its findings, the digests of its records.

allure is imported only where results are written (`--alluredir`).
"""

from wavegate.canonical import dumps
from wavegate.decision import GridCell
from wavegate.plugin.wire import judgement_to_json
from wavegate.promise import PROMISES
from wavegate.verdict import Judgement


def label(wave: str, cell: GridCell) -> None:
    """The labels of a cell: wave, customer, instance, promise."""
    import allure

    for name, value in (
        ("wave", wave),
        ("customer", cell.customer),
        ("instance", cell.instance),
        ("promise", cell.promise),
    ):
        allure.dynamic.label(name, value)  # type: ignore[no-untyped-call] # allure has no types here
    promise = PROMISES.get(cell.promise)
    title = f"{cell.promise} [{wave}/{cell.instance}]"
    allure.dynamic.title(title)  # type: ignore[no-untyped-call] # as above
    if promise is not None:
        allure.dynamic.description(promise.sentence)  # type: ignore[no-untyped-call] # as above


def describe(wave: str, cell: GridCell, judgement: Judgement) -> None:
    """Labels, the judgement as JSON, and the records it rests on."""
    import allure

    label(wave, cell)
    kind = allure.attachment_type
    allure.attach(dumps(judgement_to_json(judgement)).decode("utf-8"), "judgement", kind.JSON)
    if judgement.findings:
        text = "\n\n".join(f.explanation for f in judgement.findings)
        allure.attach(text, "findings", kind.TEXT)
    if judgement.records:
        allure.attach("\n".join(judgement.records), "records", kind.TEXT)
