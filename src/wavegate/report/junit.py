# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""junit.xml: a suite per promise, a case per instance, with all four verdicts told apart.

FAILED is a failure, INCONCLUSIVE a failure of type "inconclusive" (never skipped), NOT_APPLICABLE
is skipped, a cell that the run did not judge is an error. A waived cell stays a failure, since a
waiver never changes a verdict; only the gate's exit code knows of it, and the suite's property
`waived` counts them. Only elements of the xunit2 schema are used.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from wavegate.clock import format_instant
from wavegate.evidence.verdicts import CellEntry, FindingEntry, MissingEntry, Verdicts
from wavegate.promise import order
from wavegate.report.model import BAD
from wavegate.report.safe_text import shorten, visible
from wavegate.verdict import Verdict

LIMIT = 2000
"""Characters of one value."""


def render(verdicts: Verdicts) -> bytes:
    """The XML, in UTF-8 with its declaration."""
    root = ET.Element("testsuites", name=f"wavegate {visible(verdicts.wave or 'nightly')}")
    promises = sorted({cell.promise for cell in verdicts.cells}, key=order)
    for promise in promises:
        cells = [cell for cell in verdicts.cells if cell.promise == promise]
        root.append(_suite(verdicts, promise, cells))
    if not promises:
        root.append(_suite(verdicts, "no promise was judged", []))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _suite(verdicts: Verdicts, promise: str, cells: list[CellEntry]) -> ET.Element:
    failures = sum(cell.judged and cell.verdict in BAD for cell in cells)
    skipped = sum(cell.judged and cell.verdict is Verdict.NOT_APPLICABLE for cell in cells)
    suite = ET.Element(
        "testsuite",
        name=visible(promise),
        tests=str(len(cells)),
        failures=str(failures),
        errors=str(sum(not cell.judged for cell in cells)),
        skipped=str(skipped),
        timestamp=format_instant(verdicts.at.replace(microsecond=0)).removesuffix("Z"),
        time="0",
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(verdicts, cells):
        ET.SubElement(properties, "property", name=name, value=shorten(value, LIMIT))
    suite.extend(_case(verdicts, cell) for cell in cells)
    return suite


def _properties(verdicts: Verdicts, cells: list[CellEntry]) -> Iterator[tuple[str, str]]:
    yield "run", verdicts.run
    yield "wave", verdicts.wave or "nightly"
    yield "decision", str(verdicts.decision)
    yield "decision_line", verdicts.decision_line
    yield "closed", "true" if verdicts.closed else "false"
    yield "open", str(sum(cell.open for cell in cells))
    yield "waived", str(sum(_waived(cell) for cell in cells))
    yield "tool", verdicts.tool.version


def _waived(cell: CellEntry) -> bool:
    return cell.verdict in BAD and cell.waiver is not None and cell.waiver.in_force


def _case(verdicts: Verdicts, cell: CellEntry) -> ET.Element:
    name = visible(f"{verdicts.wave or 'nightly'}/{cell.instance}")
    case = ET.Element("testcase", classname=visible(cell.promise), name=name, time="0")
    outcome = _outcome(cell)
    if outcome:
        tag, kind = outcome
        child = ET.SubElement(case, tag, type=kind, message=shorten(cell.reason, LIMIT))
        child.text = "\n".join(_lines(cell))
    elif cell.shown:
        out = ET.SubElement(case, "system-out")
        out.text = f"shown: {shorten(cell.shown, LIMIT)}\n"
        out.text += f"could hide: {shorten(cell.could_hide or '-', LIMIT)}"
    return case


def _outcome(cell: CellEntry) -> tuple[str, str] | None:
    if not cell.judged:
        return "error", "not judged"
    match cell.verdict:
        case Verdict.FAILED:
            return "failure", "failed"
        case Verdict.INCONCLUSIVE:
            return "failure", "inconclusive"
        case Verdict.NOT_APPLICABLE:
            return "skipped", "not applicable"
        case Verdict.PASSED:
            return None


def _lines(cell: CellEntry) -> Iterator[str]:
    yield f"{cell.verdict}{', open' if cell.open else ''}{', waived' if _waived(cell) else ''}"
    if cell.due:
        yield f"due: {format_instant(cell.due)}"
    if cell.waiver:
        yield f"waiver: {shorten(cell.waiver.reason, LIMIT)}"
    for finding in cell.findings:
        yield from _finding(finding)
    for gap in cell.missing:
        yield from _gap(gap)


def _finding(item: FindingEntry) -> Iterator[str]:
    yield f"expected: {shorten(item.expected, LIMIT)}"
    yield f"observed: {shorten(item.observed, LIMIT)}"
    yield f"before: {_state(item.before)}"
    yield f"after: {_state(item.after)}"
    yield f"where to look: {shorten(item.subject, LIMIT)}"
    yield f"witness: {shorten(', '.join(item.witness), LIMIT)}"
    yield f"cause: {item.cause}"


def _gap(item: MissingEntry) -> Iterator[str]:
    yield f"missing: {shorten(item.what, LIMIT)}"
    yield f"on: {item.on}"
    if item.settles_by:
        yield f"settles by: {format_instant(item.settles_by)}"
    if item.command:
        yield f"command: {shorten(item.command, LIMIT)}"
    yield f"cause: {item.cause}"


def _state(text: str | None) -> str:
    return "nothing" if text is None else shorten(text, LIMIT)
