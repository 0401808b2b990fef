# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A run as an in-toto test-result (v0.1) in a Statement v1, for those who collect such.

The predicate knows passed, warned and failed only. What could not be told and what does not apply
stands in no list; the result is PASSED only if the decision is GO and every cell passed or does
not apply, else FAILED, and never WARNED, which consumers may take for good.
"""

from wavegate.canonical import dumps
from wavegate.decision import Word
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.contents import Contents
from wavegate.evidence.manifest import MANIFEST
from wavegate.evidence.statement import TYPE
from wavegate.evidence.verdicts import CellEntry, Verdicts
from wavegate.verdict import Verdict

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
_MADE_WITH = frozenset({"estate.json", "plan.dsse.json", "baseline.dsse.json"})
_BAD = frozenset({Verdict.FAILED, Verdict.INCONCLUSIVE})


def statement(contents: Contents) -> bytes:
    """The canonical bytes of the statement; its subjects are MANIFEST and verdicts.json."""
    verdicts = contents.verdicts
    subjects = {MANIFEST: contents.manifest, VERDICTS: contents.verdicts_digest}
    return dumps(
        {
            "_type": TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": value}} for name, value in subjects.items()
            ],
            "predicateType": PREDICATE,
            "predicate": {
                "result": "PASSED" if _passed(verdicts) else "FAILED",
                "configuration": _configuration(contents),
                "passedTests": _tests(verdicts, Verdict.PASSED),
                "warnedTests": [],
                "failedTests": _tests(verdicts, Verdict.FAILED),
            },
        }
    )


def _passed(verdicts: Verdicts) -> bool:
    bad = any(cell.verdict in _BAD or not cell.judged for cell in verdicts.cells)
    return verdicts.decision is Word.GO and bool(verdicts.cells) and not bad


def _tests(verdicts: Verdicts, verdict: Verdict) -> list[str]:
    return [_name(cell) for cell in verdicts.cells if cell.judged and cell.verdict is verdict]


def _name(cell: CellEntry) -> str:
    return f"{cell.promise}[{cell.instance}]"


def _configuration(contents: Contents) -> list[dict[str, object]]:
    """What the run was made with: estate, plan, suites, tool and policy, each by its digest."""
    digests, tool = contents.verdicts.digests, contents.verdicts.tool
    files = {e.name: e.digest for e in contents.exhibits.values() if "/" not in e.name}
    found = {name: value for name, value in sorted(files.items()) if name in _MADE_WITH}
    found |= {"policy": digests.policy, "suites": digests.suites}
    found[f"wavegate {tool.version}"] = tool.source
    return [{"name": name, "digest": {"sha256": value}} for name, value in found.items()]
