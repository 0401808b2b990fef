# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.evidence.small_bundle import KEY, NO_GO, make
from tests.report.contents import contents_of

from wavegate.canonical import digest
from wavegate.evidence.contents import read_contents
from wavegate.evidence.trust import Trust, everything
from wavegate.evidence.verdicts import Verdicts
from wavegate.report import oscal
from wavegate.report.oscal_text import control
from wavegate.report.safe_text import visible
from wavegate.verdict import Verdict

jsonschema = pytest.importorskip("jsonschema", reason="no JSON Schema validator here")
SCHEMA = Path(__file__).parent / "oscal" / "assessment-results-1.2.3.schema.json"
PUBLISHED = "37f41f6813c78e6d2c272b27030e17e93d7f92fee519c72e7531574fa0ecbb05"


@cache
def validator() -> Any:
    r"""NIST's schema; Python's `re` has no `\p{L}` and `\p{N}`, so these are written otherwise."""
    text = SCHEMA.read_text("utf-8")
    text = text.replace(r"\\p{L}", r"[^\\W\\d_]").replace(r"\\p{N}", r"\\d")
    kind = jsonschema.Draft7Validator
    return kind(json.loads(text), format_checker=kind.FORMAT_CHECKER)


def results(verdicts: Verdicts) -> Any:
    """The document of some verdicts, valid by NIST's schema."""
    found = json.loads(oscal.document(contents_of(verdicts)))
    errors = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator().iter_errors(found)]
    assert [] == errors
    return found["assessment-results"]


def by_cell(found: Any, kind: str) -> dict[str, list[Any]]:
    """The findings or observations of all results, by the title of their result."""
    return {result["title"]: result.get(kind, []) for result in found["results"]}


def told(item: Any, name: str) -> list[str]:
    """The values of a property."""
    return [prop["value"] for prop in item.get("props", []) if prop["name"] == name]


def test_schema_is_the_published_one() -> None:
    """What we are measured by is NIST's schema, byte for byte."""
    assert PUBLISHED == digest(SCHEMA.read_bytes())


def test_schema_can_refuse(varied: Verdicts) -> None:
    """The schema, as we load it, refuses a wrong state, a bad UUID and a token with a blank."""
    for break_it in (_bad_state, _bad_uuid, _bad_token):
        found = json.loads(oscal.document(contents_of(varied)))
        break_it(found["assessment-results"])
        assert any(validator().iter_errors(found)), break_it.__name__


def _bad_state(found: Any) -> None:
    found["results"][0]["findings"][0]["target"]["status"]["state"] = "inconclusive"


def _bad_uuid(found: Any) -> None:
    found["uuid"] = "00000000-0000-1000-8000-000000000000"


def _bad_token(found: Any) -> None:
    found["results"][0]["findings"][0]["target"]["target-id"] = "not a token"


def test_runs_of_every_kind_are_valid(
    varied: Verdicts, good: Verdicts, held: Verdicts, make_hostile: Callable[[], Verdicts]
) -> None:
    """Every verdict, waivers, limits, hostile text and names: valid by NIST's schema."""
    for verdicts in (varied, good, held, make_hostile()):
        assert {visible(cell.instance).strip() for cell in verdicts.cells} == {
            value for result in results(verdicts)["results"] for value in told(result, "instance")
        }


def test_sealed_bundle(tmp_path: Path) -> None:
    """A sealed bundle's records are observations with their instants, kinds and digests."""
    bundle = make(tmp_path / "bundle", NO_GO)
    contents = read_contents(bundle, Trust(keys=(everything(KEY.public),)))
    found = json.loads(oscal.document(contents))
    assert [] == list(validator().iter_errors(found))
    results = found["assessment-results"]
    assert [KEY.keyid] == told(results["metadata"], "sealed-by")
    observed = [o for o in results["results"][0]["observations"] if told(o, "sha256")]
    after = "the record snapshot (after) of acme-prod1, signed when taken"
    assert (after, "2024-01-17T00:00:00Z") in [(o["description"], o["collected"]) for o in observed]
    files = {
        link["href"]: link for r in results["back-matter"]["resources"] for link in r["rlinks"]
    }
    for name, link in files.items():
        assert digest((bundle / name).read_bytes()) == link["hashes"][0]["value"]


def test_same_bytes_again(varied: Verdicts) -> None:
    """A second export gives the same bytes: its UUIDs are of version 5, its order is fixed."""
    first, again = (oscal.document(contents_of(varied)) for _ in range(2))
    assert first == again
    found = list(_uuids(json.loads(first)))
    assert {5} == {UUID(one).version for one in found}


def _uuids(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from [inner] if key == "uuid" else _uuids(inner)
        case list():
            for inner in value:
                yield from _uuids(inner)


def test_every_reference_leads_somewhere(varied: Verdicts) -> None:
    """Whatever a UUID or a link refers to is in the document, and nothing bears a UUID twice."""
    found = results(varied)
    own = list(_uuids(found["results"]))
    own = [one for one in own if one not in _assets(found)]
    assert len(set(own)) == len(own)
    known = {*_uuids(found)}
    assert set() == {*_references(found)} - known


def _assets(found: Any) -> set[str]:
    """The tool and its platform, which stand in each result and are the same."""
    return {*_uuids([r["local-definitions"]["assessment-assets"] for r in found["results"]])}


def _references(value: Any) -> Iterator[str]:
    names = {"observation-uuid", "risk-uuid", "subject-uuid", "actor-uuid", "component-uuid"}
    match value:
        case dict():
            for key, inner in value.items():
                if key in names:
                    yield inner
                elif key == "href" and inner.startswith("#"):
                    yield inner[1:]
                else:
                    yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)


def test_every_cell_survives(varied: Verdicts) -> None:
    """Each cell is a finding with its verdict, or an excluded control with its reason."""
    found = results(varied)
    findings = by_cell(found, "findings")
    reviewed = {
        r["title"]: r["reviewed-controls"]["control-selections"][0] for r in found["results"]
    }
    states = {
        Verdict.PASSED: ("satisfied", "pass"),
        Verdict.FAILED: ("not-satisfied", "fail"),
        Verdict.INCONCLUSIVE: ("not-satisfied", "other"),
    }
    for cell in varied.cells:
        title = f"Instance {cell.instance}"
        target = f"{control(cell.promise)}.kept"
        mine = [f for f in findings[title] if f["target"]["target-id"] == target]
        excluded = {c["control-id"] for c in reviewed[title].get("exclude-controls", [])}
        if cell.verdict is Verdict.NOT_APPLICABLE:
            assert ([], True) == (mine, control(cell.promise) in excluded)
            continue
        (one,) = mine
        status = one["target"]["status"]
        assert states[cell.verdict] == (status["state"], status["reason"])
        assert [str(cell.verdict)] == told(one, "verdict")


def test_inconclusive_is_never_satisfied(held: Verdicts, varied: Verdicts) -> None:
    """What could not be told is told so, with what is missing and from whom."""
    found = results(varied)
    mine = [o for result in found["results"] for o in result.get("observations", [])]
    missing = [o for o in mine if o["types"] == ["missing"]]
    assert sum(len(cell.missing) for cell in varied.cells) == len(missing)
    assert {"customer", "operator", "us", "time"} <= {
        v for o in missing for v in told(o, "missing-from")
    }
    assert ["37"] in [told(o, "count") for o in missing]
    assert ["HOLD"] == [told(results(held)["metadata"], "decision")[0].partition(",")[0]]


def test_waivers_are_risks_and_change_nothing(varied: Verdicts) -> None:
    """A waiver in force is an approved deviation with a deadline, one that expired is open."""
    found = results(varied)
    risks = [risk for result in found["results"] for risk in result.get("risks", [])]
    status = {risk["title"]: (risk["status"], told(risk, "approved-by")) for risk in risks}
    assert {
        "sending_ips of acme-mkt is waived": ("deviation-approved", ["J. Doe"]),
        "sound_evidence of borealis-stage is waived": ("open", ["R. Roe"]),
    } == status
    waived = next(
        f
        for result in found["results"]
        for f in result.get("findings", [])
        if f["title"].startswith("sending_ips of acme-mkt")
    )
    assert ("not-satisfied", ["waived"]) == (
        waived["target"]["status"]["state"],
        told(waived, "standing"),
    )


def test_hostile_text_does_not_act(varied: Verdicts) -> None:
    """No control character, bidi mark or live markup reaches the reader of the document."""
    text = oscal.document(contents_of(varied)).decode()
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    found = json.loads(text)
    prose = [
        o["description"]
        for result in found["assessment-results"]["results"]
        for o in result.get("observations", [])
    ]
    assert not [one for one in prose if "<script" in one.replace("\\<", "")]


def test_nobody_vouches_without_a_key(varied: Verdicts) -> None:
    """Without a key from outside the document says that the seal was not verified."""
    assert told(results(varied)["metadata"], "sealed-by")[0].startswith("not verified")


@pytest.mark.parametrize(
    ("promise", "expected"), [("spf", "spf"), ("2fa", "_2fa"), ("a b/c", "a_b_c"), ("-x", "_-x")]
)
def test_control_ids_are_tokens(promise: str, expected: str) -> None:
    """The name of a promise of one's own becomes a token that OSCAL allows."""
    assert expected == control(promise)
