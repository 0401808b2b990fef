# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""junit.xml keeps four verdicts apart, and a dashboard cannot mistake one for a success."""

from typing import Any

from lxml import etree

from wavegate.evidence.verdicts import Verdicts
from wavegate.report.junit import render

_CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "error", "skipped", "system-out"},
}


def _read(data: bytes) -> Any:
    return etree.fromstring(data)


def _case(data: bytes, promise: str, instance: str) -> Any:
    (found,) = _read(data).xpath(
        f"//testcase[@classname='{promise}'][@name='2024-01-w1/{instance}']"
    )
    return found


def _outcome(data: bytes, promise: str, instance: str) -> list[tuple[str, str | None]]:
    case = _case(data, promise, instance)
    return [(child.tag, child.get("type")) for child in case if child.tag != "system-out"]


def test_each_verdict_has_its_outcome(varied: Verdicts) -> None:
    """FAILED and INCONCLUSIVE fail, NOT_APPLICABLE is skipped, a missing cell is an error."""
    data = render(varied)
    assert _outcome(data, "spf", "acme-prod1") == [("failure", "failed")]
    assert _outcome(data, "dkim", "cumulus-dev1") == [("failure", "inconclusive")]
    assert _outcome(data, "throughput", "acme-prod1") == [("failure", "inconclusive")]
    assert _outcome(data, "throughput", "cumulus-dev1") == [("skipped", "not applicable")]
    assert _outcome(data, "build_version", "cumulus-tx") == [("error", "not judged")]
    assert _outcome(data, "spf", "cumulus-prod") == []


def test_a_waived_cell_stays_a_failure(varied: Verdicts) -> None:
    """A waiver never changes a verdict; the suite counts it and the case says so."""
    data = render(varied)
    assert _outcome(data, "sending_ips", "acme-mkt") == [("failure", "inconclusive")]
    assert "waived" in (_case(data, "sending_ips", "acme-mkt")[0].text or "")
    (count,) = _read(data).xpath(
        "//testsuite[@name='sending_ips']/properties/property[@name='waived']/@value"
    )
    assert count == "1"


def test_the_counts_reconcile(varied: Verdicts) -> None:
    """The attributes are the sums of the cases, per suite and over all."""
    root = _read(render(varied))
    for suite in root:
        told = [int(suite.get(n, "-1")) for n in ("tests", "failures", "errors", "skipped")]
        held = [len(suite.xpath(f".//{n}")) for n in ("testcase", "failure", "error", "skipped")]
        assert told == held
    assert int(root.get("tests", "-1")) == len(varied.cells)
    assert int(root.get("errors", "-1")) == 1


def test_only_the_schema_s_elements(varied: Verdicts) -> None:
    """xunit2: properties under suites only, no attribute that strict readers refuse."""
    allowed = {
        "testsuites": {"name", "tests", "failures", "errors"},
        "testsuite": {"name", "tests", "failures", "errors", "skipped", "timestamp", "time"},
        "testcase": {"name", "classname", "time"},
    }
    for element in _read(render(varied)).iter("*"):
        tag = str(element.tag)
        assert {str(child.tag) for child in element} <= _CHILDREN.get(tag, set())
        assert set(element.attrib) <= allowed.get(tag, {"name", "value", "type", "message"})


def test_run_wave_and_decision_are_properties(varied: Verdicts) -> None:
    """A dashboard can show what the gate decided."""
    pairs = _read(render(varied))[0].xpath("properties/property")
    told = {pair.get("name"): pair.get("value") for pair in pairs}
    assert told["run"] == varied.run
    assert told["wave"] == "2024-01-w1"
    assert told["decision"] == "NO-GO"


def test_hostile_text_is_well_formed_xml(varied: Verdicts) -> None:
    """Control characters, which XML cannot hold, are written out."""
    text = _case(render(varied), "dmarc", "cumulus-prod")[0].text or ""
    assert "[U+001B][31mred" in text
    assert "]]>" in text


def test_an_empty_run_has_no_green_suite(empty: Verdicts) -> None:
    """Nothing judged is a suite without tests that names the decision HOLD."""
    root = _read(render(empty))
    assert root.get("tests") == "0"
    assert root.xpath("//property[@name='decision']/@value") == ["HOLD"]


def test_the_same_verdicts_give_the_same_bytes(varied: Verdicts) -> None:
    """JUnit too can be compared by digest."""
    assert render(varied) == render(varied)
