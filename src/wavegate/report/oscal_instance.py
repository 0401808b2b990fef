# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One instance in OSCAL: its reviewed controls, findings, observations and waivers as risks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from wavegate.clock import format_instant
from wavegate.evidence.contents import Contents, Exhibit
from wavegate.evidence.verdicts import CellEntry, FindingEntry, MissingEntry
from wavegate.report.model import standing
from wavegate.report.oscal_text import Json, control, markup, objective, properties, string, uuid
from wavegate.verdict import Verdict

_STATES = {
    Verdict.PASSED: ("satisfied", "pass"),
    Verdict.FAILED: ("not-satisfied", "fail"),
    Verdict.INCONCLUSIVE: ("not-satisfied", "other"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An instance with its cells. began: of its first capture."""

    name: str
    customer: str
    cells: tuple[CellEntry, ...]
    began: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """Makes the parts of one instance's result; `uuid` names them within the run."""

    contents: Contents
    subject: Subject

    def uuid(self, *parts: str) -> str:
        """The UUID of a part of this instance."""
        return uuid(self.contents.verdicts_digest, self.subject.name, *parts)


def result(contents: Contents, subject: Subject) -> Json:
    """The result of one instance; a list that would be empty is left out, as OSCAL wants it."""
    maker = _Maker(contents=contents, subject=subject)
    told = [cell for cell in subject.cells if cell.verdict is not Verdict.NOT_APPLICABLE]
    lists: dict[str, list[Json]] = {
        "observations": [*_records(maker, told), *_remarks(maker, told)],
        "risks": [_risk(maker, cell) for cell in told if cell.waiver],
        "findings": [_finding(maker, cell) for cell in told],
    }
    verdicts = contents.verdicts
    word = verdicts.instances.get(subject.name)
    return {
        "uuid": maker.uuid("result"),
        "title": markup(f"Instance {subject.name}"),
        "description": markup(f"{subject.name} of customer {subject.customer}"),
        "start": format_instant(min(subject.began, verdicts.at)),
        "end": format_instant(verdicts.at),
        "props": properties(
            {"instance": subject.name, "customer": subject.customer, "decision": word}
        ),
        "local-definitions": {
            "inventory-items": [_item(maker)],
            "assessment-assets": _assets(contents),
        },
        "reviewed-controls": _reviewed(subject),
        **{name: found for name, found in lists.items() if found},
    }


def _item(maker: _Maker) -> Json:
    name = maker.subject.name
    return {"uuid": maker.uuid("item"), "description": markup(f"Campaign instance {name}")}


def _assets(contents: Contents) -> Json:
    """The tool, which is the same in every result."""
    tool = contents.verdicts.tool
    return {
        "components": [
            {
                "uuid": uuid(tool.source, "tool"),
                "type": "software",
                "title": markup(f"Wavegate {tool.version}"),
                "description": "Records the state before and after, and judges the records.",
                "props": properties({"version": tool.version, "source-sha256": tool.source}),
                "status": {"state": "operational"},
            }
        ],
        "assessment-platforms": [
            {
                "uuid": uuid(contents.verdicts_digest, "platform"),
                "uses-components": [{"component-uuid": uuid(tool.source, "tool")}],
            }
        ],
    }


def _reviewed(subject: Subject) -> Json:
    """All promises of the instance; those that do not apply are excluded, each with its reason."""
    excluded = [cell for cell in subject.cells if cell.verdict is Verdict.NOT_APPLICABLE]
    selection: Json = {"include-controls": [_select(cell) for cell in subject.cells]}
    if not excluded:
        return {"control-selections": [selection]}
    selection["exclude-controls"] = [_select(cell) for cell in excluded]
    selection["props"] = [
        {**found, "remarks": markup(cell.reason)}
        for cell in excluded
        for found in properties({"not-applicable": cell.promise})
    ]
    return {"control-selections": [selection]}


def _select(cell: CellEntry) -> Json:
    return {"control-id": control(cell.promise)}


def _records(maker: _Maker, cells: list[CellEntry]) -> Iterator[Json]:
    """One observation for each record that a cell rests on."""
    for digest in dict.fromkeys(digest for cell in cells for digest in _rests_on(cell)):
        exhibit = maker.contents.exhibits.get(digest)
        signed = exhibit.signed if exhibit else None
        yield {
            **_observation(maker, "record", digest),
            "description": markup(_described(digest, exhibit)),
            "types": ["control-objective"],
            "relevant-evidence": [_evidence(digest, exhibit)],
            "collected": format_instant(signed.ended if signed else maker.contents.verdicts.at),
            "props": properties({"sha256": digest, "vantage": signed.vantage if signed else None}),
        }


def _rests_on(cell: CellEntry) -> tuple[str, ...]:
    """The digests that a cell rests on, each once."""
    found = (*cell.records, *(record for item in cell.findings for record in item.records))
    return tuple(dict.fromkeys(found))


def _described(digest: str, exhibit: Exhibit | None) -> str:
    if exhibit is None:
        return "A part of a record of this instance"
    if exhibit.signed is None:
        return f"The file {exhibit.name} of the bundle"
    signed = exhibit.signed
    within = "" if exhibit.digest == digest else "A message or report in "
    record = f"the record {signed.kind} ({signed.phase}) of {signed.instance}, signed when taken"
    return within + record


def _evidence(digest: str, exhibit: Exhibit | None) -> Json:
    if exhibit is None:
        return {"description": markup(f"SHA-256 {digest}")}
    place = uuid(exhibit.digest, "file", exhibit.name)
    return {"href": f"#{place}", "description": markup(f"{exhibit.name}, SHA-256 {digest}")}


def _remarks(maker: _Maker, cells: list[CellEntry]) -> Iterator[Json]:
    """One observation for each finding, and for each thing that is missing."""
    for cell in cells:
        for number, finding in enumerate(cell.findings):
            yield _found(maker, cell, finding, number)
        for number, gap in enumerate(cell.missing):
            yield _missing(maker, cell, gap, number)


def _found(maker: _Maker, cell: CellEntry, finding: FindingEntry, number: int) -> Json:
    told = {
        "cause": finding.cause,
        "rule": finding.rule,
        "subject": finding.subject,
        "expected": finding.expected,
        "observed": finding.observed,
        "before": finding.before,
        "after": finding.after,
    }
    witness = [{"witness": text} for text in finding.witness]
    return {
        **_observation(maker, cell.promise, "finding", str(number)),
        "description": markup(finding.explanation),
        "types": ["finding"],
        "props": [*properties(told), *(found for one in witness for found in properties(one))],
        "collected": format_instant(maker.contents.verdicts.at),
    }


def _missing(maker: _Maker, cell: CellEntry, gap: MissingEntry, number: int) -> Json:
    told = {
        "cause": gap.cause,
        "rule": gap.rule,
        "subject": gap.subject,
        "count": None if gap.count is None else str(gap.count),
        "missing-from": str(gap.on),
        "settles-by": format_instant(gap.settles_by) if gap.settles_by else None,
        "command": gap.command,
    }
    return {
        **_observation(maker, cell.promise, "missing", str(number)),
        "description": markup(f"Missing: {gap.what}"),
        "types": ["missing"],
        "props": properties(told),
        "collected": format_instant(maker.contents.verdicts.at),
    }


def _observation(maker: _Maker, *parts: str) -> Json:
    tool = uuid(maker.contents.verdicts.tool.source, "tool")
    return {
        "uuid": maker.uuid(*parts),
        "methods": ["TEST"],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": tool}]}],
        "subjects": [{"subject-uuid": maker.uuid("item"), "type": "inventory-item"}],
    }


def _finding(maker: _Maker, cell: CellEntry) -> Json:
    state, reason = _STATES[cell.verdict]
    related: list[tuple[str, ...]] = [("record", digest) for digest in _rests_on(cell)]
    related += [(cell.promise, "finding", str(n)) for n in range(len(cell.findings))]
    related += [(cell.promise, "missing", str(n)) for n in range(len(cell.missing))]
    found: Json = {
        "uuid": maker.uuid(cell.promise),
        "title": markup(f"{cell.promise} of {cell.instance}: {cell.verdict}"),
        "description": markup(cell.shown or cell.reason),
        "props": properties(_told(cell)),
        "target": {
            "type": "objective-id",
            "target-id": objective(cell.promise),
            "status": {"state": state, "reason": reason, "remarks": markup(cell.reason)},
        },
    }
    if related:
        ids = [maker.uuid(*parts) for parts in related]
        found["related-observations"] = [{"observation-uuid": one} for one in ids]
    if cell.waiver:
        found["related-risks"] = [{"risk-uuid": maker.uuid(cell.promise, "waiver")}]
    return found


def _told(cell: CellEntry) -> dict[str, str | datetime | None]:
    bad = cell.verdict is not Verdict.PASSED
    return {
        "verdict": str(cell.verdict),
        "judged": "yes" if cell.judged else "no",
        "standing": str(standing(cell)) if bad else None,
        "due": cell.due,
        "could-hide": cell.could_hide,
        "remedied": cell.remedied,
        "off-track": cell.off_track,
    }


def _risk(maker: _Maker, cell: CellEntry) -> Json:
    """A waiver: somebody took a risk, until a date. It never changes the verdict."""
    waiver = cell.waiver
    if waiver is None:
        raise ValueError("a cell without a waiver is no risk")
    told = {"approved-by": waiver.approved_by, "in-force": "yes" if waiver.in_force else "no"}
    return {
        "uuid": maker.uuid(cell.promise, "waiver"),
        "title": markup(f"{cell.promise} of {cell.instance} is waived"),
        "description": markup(cell.reason),
        "statement": markup(
            f"{waiver.reason}; approved, so the estate file says, by {string(waiver.approved_by)}"
        ),
        "props": properties(told),
        "status": "deviation-approved" if waiver.in_force else "open",
        "deadline": format_instant(waiver.until),
    }
