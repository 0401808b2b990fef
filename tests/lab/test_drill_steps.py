# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What differs in a play is done to the one instance it is about, or to all if it must."""

from wavegate.lab.catalogue import catalogue
from wavegate.lab.drill_lots import Lot, cast, concerns_all, kind_of, lots
from wavegate.lab.drill_steps import Steps, steps
from wavegate.lab.faults import explain


def of(*faults: str) -> Steps:
    """What differs in a lot with a copy for each fault, and a healthy one."""
    copies = (*((fault,) for fault in faults), ())
    return steps(cast(Lot(name="stepped", kind="stepped", copies=copies, healthy=True)))


def test_a_capture_that_is_left_out_is_of_one_instance() -> None:
    """The sisters are captured as ever."""
    found = of("before-taken-late", "after-before-close", "baseline-too-old")
    assert {"acme54-prod1", "acme56-prod1"} == found.left_out("before")
    assert {"acme55-prod1"} == found.left_out("after")


def test_captures_by_another_clock_tool_or_key() -> None:
    """They take the place of the ordinary one of their instance."""
    found = of("baseline-too-old", "tool-version-differs", "benign-key-rotated")
    before = [(special.step.do, special.instance) for special in found.captured_otherwise("before")]
    assert [("clock", "acme54-prod1"), ("tool", "acme55-prod1")] == before
    after = [(special.step.do, special.instance) for special in found.captured_otherwise("after")]
    assert [("key", "acme56-prod1")] == after


def test_captures_at_their_own_instants_are_in_order() -> None:
    """Each waits for its instant, so that a later one must not come first."""
    found = of("after-before-close", "before-taken-late", "benign-captured-twice")
    since = [special.step.since for special in found.scheduled()]
    assert sorted(since, key=lambda share: share or 0.0) == since
    assert 3 == len(since)


def test_tampering_before_and_after_sealing() -> None:
    """What happens after sealing must not be seen by the gate."""
    found = of("record-byte-flipped", "verdict-edited", "extract-leaves-one-out")
    assert ["byte-flipped"] == [s.step.what for s in found.tampered(sealed=False)]
    sealed = [(s.step.what, s.instance) for s in found.tampered(sealed=True)]
    assert [("verdict-edited", "acme55-prod1"), ("one-left-out", "acme56-mkt1")] == sealed


def test_what_concerns_all_has_a_lab_of_its_own() -> None:
    """A sink that stands still hears no mail of the other copies either."""
    whole = {
        fault.id for fault in catalogue().values() if any(concerns_all(step) for step in fault.play)
    }
    assert {"probe-gap", "sink-down-in-window", "skew-sink-90s", "benign-store-moved"} <= whole
    alone = {lot.copies[0][0] for lot in lots((fault,) for fault in whole) if not lot.healthy}
    assert whole == alone


def test_every_step_is_played_by_its_lot() -> None:
    """A step that no part of a play knows would be a fault that is not planted."""
    known = {
        "omit": {"capture before", "capture after", "capture again"},
        "capture": {"capture before", "capture after"},
        "clock": {"harness", "sink", "capture before", "capture after"},
        "tool": {"capture before", "capture after"},
        "key": {"capture after", "capture again"},
        "halt": {"watch", "sink"},
        "seeds": {"plan"},
        "gate": {"plan", "gate"},
        "tamper": {"capture before", "capture after", "capture again", "watch", "gate"},
    }
    for fault in catalogue().values():
        for step in fault.play:
            assert step.step in known[step.do], fault.id
            assert kind_of([fault]) in ("watched", "whole") or step.step != "watch"


def test_names_of_a_copy() -> None:
    """A witness is called as the copy calls it."""
    copies = (("one-of-four-ns-stale-spf",), ())
    first, _ = cast(Lot(name="still", kind="still", copies=copies, healthy=True))
    fault = explain("one-of-four-ns-stale-spf")
    texts = {name.word: name.texts for name in first.names(fault, {})}
    assert ("127.54.201.3",) == texts["ns3"]
    assert "acme54-prod1" == first.instance(fault)


def test_a_certificate_of_a_stranger_is_called_alike_in_every_copy() -> None:
    """The front that shows it belongs to the lab and is not copied."""
    (one, _) = cast(
        Lot(name="w", kind="watched", copies=(("tracking-cert-wrong-name",), ()), healthy=True)
    )
    (_, name) = one.names(explain("tracking-cert-wrong-name"), {})
    assert name.said_in("the certificate is of t.globex.example")


def test_faults_of_functions_are_played_where_functions_are_probed() -> None:
    """Elsewhere the estate does not name their hosts, so that no capture looks at them."""
    found = {kind_of([fault]) for fault in catalogue().values() if fault.family == "functions"}
    assert {"watched"} == found
