# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A run as OSCAL assessment results (NIST), for a GRC tool; the bundle stays the proof.

One result an instance, one finding a cell. OSCAL knows `satisfied` and `not-satisfied` only, so
that INCONCLUSIVE is not-satisfied with the reason `other`, and each verdict stands as a property
beside it; NOT_APPLICABLE is an excluded control with its reason. Every UUID is a version 5 of what
it names: the same bundle gives the same bytes.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from wavegate.clock import format_instant
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.contents import Contents
from wavegate.evidence.verdicts import CellEntry, PromiseEntry, Verdicts
from wavegate.report.oscal_instance import Subject, result
from wavegate.report.oscal_text import Json, control, markup, objective, properties, string, uuid

OSCAL_VERSION: Final = "1.2.1"


def document(contents: Contents) -> bytes:
    """The document in JSON, indented, with a final line end; the same bytes each time."""
    found = {"assessment-results": _assessment_results(contents)}
    text = json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _assessment_results(contents: Contents) -> Json:
    verdicts = contents.verdicts
    plan = uuid(contents.verdicts_digest, "agreed")
    return {
        "uuid": uuid(contents.verdicts_digest, "results"),
        "metadata": _metadata(contents),
        "import-ap": {
            "href": f"#{plan}",
            "remarks": "There is no OSCAL assessment plan: the signed plan of the run, its agreed "
            "estate and its suites stand in that resource.",
        },
        "local-definitions": {
            "objectives-and-methods": [_objective(promise) for promise in verdicts.promises]
        },
        "results": [result(contents, subject) for subject in _subjects(verdicts)],
        "back-matter": {"resources": [_agreed(contents, plan), *_files(contents)]},
    }


def _metadata(contents: Contents) -> Json:
    verdicts = contents.verdicts
    title = f"wave {verdicts.wave}" if verdicts.wave else "a night"
    told = {
        "run": verdicts.run,
        "wave": verdicts.wave,
        "decision": verdicts.decision_line,
        "closed": "yes" if verdicts.closed else "no",
        "verdicts-sha256": contents.verdicts_digest,
        "sealed-by": ", ".join(contents.keyids) or "not verified: no key from outside was given",
        "tool": f"wavegate {verdicts.tool.version}",
        "tool-sha256": verdicts.tool.source,
        "drill": verdicts.drill,
    }
    return {
        "title": markup(f"Wavegate, run {verdicts.run} of {title}"),
        "last-modified": format_instant(verdicts.at),
        "version": string(verdicts.run),
        "oscal-version": OSCAL_VERSION,
        "props": properties(told),
        "remarks": "Made from a sealed evidence bundle, which alone is the proof. OSCAL has no "
        "word for what could not be told: such a finding is not-satisfied with the reason other, "
        "and its property verdict says INCONCLUSIVE. What was cleared, and what was not compared, "
        "stands in verdicts.json only.",
    }


def _objective(promise: PromiseEntry) -> Json:
    source = promise.source
    told = {
        "document": source.document,
        "section": source.section,
        "edition": source.edition,
        "language": source.language,
        "commit": source.commit,
        "withdrawn": source.withdrawn,
    }
    part = {
        "id": objective(promise.id),
        "name": "assessment-objective",
        "props": properties(told),
        "prose": markup(promise.sentence),
    }
    return {"control-id": control(promise.id), "parts": [part]}


def _subjects(verdicts: Verdicts) -> Iterator[Subject]:
    cells: dict[str, list[CellEntry]] = {}
    for cell in verdicts.cells:
        cells.setdefault(cell.instance, []).append(cell)
    for name, theirs in cells.items():
        yield Subject(
            name=name,
            customer=theirs[0].customer,
            cells=tuple(theirs),
            began=_began(verdicts, name),
        )


def _began(verdicts: Verdicts, name: str) -> datetime:
    return min((attempt.began for attempt in verdicts.attempts.get(name, ())), default=verdicts.at)


def _agreed(contents: Contents, plan: str) -> Json:
    digests = contents.verdicts.digests
    told = {"suites-sha256": digests.suites, "policy-sha256": digests.policy}
    names = {"estate.json", "plan.dsse.json", "baseline.dsse.json"}
    found = {e.name: e.digest for e in contents.exhibits.values() if e.name in names}
    return {
        "uuid": plan,
        "title": "What was agreed and planned",
        "description": "The agreed estate, the signed grid, and the digests of policy and suites.",
        "props": properties(told),
        "rlinks": [_link(name, found[name]) for name in sorted(found)],
    }


def _files(contents: Contents) -> Iterable[Json]:
    """verdicts.json, and every file that some cell rests on."""
    cited = {digest for cell in contents.verdicts.cells for digest in cell.records}
    cited |= {d for c in contents.verdicts.cells for item in c.findings for d in item.records}
    files = {e.name: e.digest for d, e in contents.exhibits.items() if d in cited}
    for name, digest in sorted({**files, VERDICTS: contents.verdicts_digest}.items()):
        yield {
            "uuid": uuid(digest, "file", name),
            "title": markup(name),
            "rlinks": [_link(name, digest)],
        }


def _link(name: str, digest: str) -> Json:
    hashes = [{"algorithm": "SHA-256", "value": digest}]
    return {"href": name, "media-type": "application/json", "hashes": hashes}
