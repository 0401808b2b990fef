# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The judge of a drill: what counts as caught, and each way in which it is not."""

from dataclasses import replace

import pytest

from wavegate.lab.catalogue import Fault
from wavegate.lab.drill_judge import (
    Expected,
    Judged,
    SeenCell,
    Verified,
    judge,
    judge_verified,
    seen_cell,
)
from wavegate.lab.drill_names import Name, meant, normal

ME, SISTER, SHARER = "acme54-prod1", "acme54-stage1", "globex54-prod1"
FAULT = Fault(
    id="ptr-missing-one",
    family="identity",
    title="",
    changes="",
    phase="after",
    promises=("reverse_dns",),
    verdict="FAILED",
    names=("ip2",),
    why="",
    difficulty=1,
    instance="acme-prod1",
    also_allowed=("spf",),
)
IP2 = (Name(word="ip2", texts=("127.54.3.12",)),)
HIT = SeenCell(instance=ME, promise="reverse_dns", verdict="FAILED", found="127.54.3.12 lost")


def expected(fault: Fault = FAULT, names: tuple[Name, ...] = IP2) -> Expected:
    """What must come of a fault of acme54-prod1, which globex54-prod1 shares."""
    return Expected(
        fault=fault,
        instance=ME,
        names=names,
        sharing=frozenset({ME, SHARER}),
        usual={"throughput": "INCONCLUSIVE"},
    )


def cell(promise: str, verdict: str, instance: str = ME) -> SeenCell:
    """A cell that says nothing but its verdict."""
    return SeenCell(instance=instance, promise=promise, verdict=verdict)


def test_caught() -> None:
    """Promise, verdict and witness, and nothing else turned."""
    others = (cell("spf", "PASSED"), cell("dmarc", "NOT_APPLICABLE"))
    assert Judged(mark="caught") == judge(expected(), (HIT, *others))


@pytest.mark.parametrize(
    ("wanted", "came", "mark"),
    [
        ("FAILED", "PASSED", "missed"),
        ("FAILED", "INCONCLUSIVE", "missed"),
        ("FAILED", "NOT_APPLICABLE", "missed"),
        ("INCONCLUSIVE", "PASSED", "missed"),
        ("INCONCLUSIVE", "FAILED", "cried wolf"),
        ("PASSED", "FAILED", "cried wolf"),
        ("PASSED", "INCONCLUSIVE", "cried wolf"),
        ("PASSED", "NOT_APPLICABLE", "missed"),
    ],
)
def test_another_verdict(wanted: str, came: str, mark: str) -> None:
    """A FAILED that cannot tell is a miss; one that cannot tell and convicts is a false alarm."""
    found = judge(expected(replace(FAULT, verdict=wanted)), (replace(HIT, verdict=came),))
    assert (mark, f"reverse_dns[{ME}] {came}") == (found.mark, found.why)


def test_no_cell_is_a_miss() -> None:
    """What fell out of the grid was not caught."""
    assert "missed" == judge(expected(), (cell("spf", "PASSED"),)).mark


def test_every_listed_promise_must_be_hit() -> None:
    """Several promises: each must."""
    both = replace(FAULT, promises=("reverse_dns", "spf"), also_allowed=())
    assert "missed" == judge(expected(both), (HIT, cell("spf", "PASSED"))).mark
    assert "caught" == judge(expected(both), (HIT, cell("spf", "FAILED"))).mark


def test_found_under_another_promise() -> None:
    """An alarm of the wrong name sends people to the wrong place."""
    found = judge(expected(), (replace(HIT, verdict="PASSED"), cell("dmarc", "FAILED")))
    assert "wrong promise" == found.mark
    assert f"dmarc[{ME}] FAILED" in found.why


def test_the_witness_must_be_named() -> None:
    """An alarm that does not say which address is of no use."""
    found = judge(expected(), (replace(HIT, found="127.54.3.121 lost"),))
    assert Judged(mark="wrong witness", why="not named: ip2 (127.54.3.12)") == found


def test_every_witness_must_be_named() -> None:
    """One of two is not both."""
    names = (*IP2, Name(word="r12", texts=("r12.news.acme54.example",)))
    assert "wrong witness" == judge(expected(names=names), (HIT,)).mark


def test_the_witness_of_another_promise_does_not_count() -> None:
    """It must stand in the finding of the promise that broke."""
    elsewhere = replace(cell("spf", "FAILED"), found="127.54.3.12")
    silent = replace(HIT, found="an address lost")
    assert "wrong witness" == judge(expected(), (silent, elsewhere)).mark


@pytest.mark.parametrize("verdict", ["FAILED", "INCONCLUSIVE"])
def test_an_alarm_that_nobody_listed(verdict: str) -> None:
    """Other promises stay as they are in the healthy world."""
    found = judge(expected(), (HIT, cell("dkim", verdict)))
    assert ("cried wolf", f"dkim[{ME}] {verdict}") == (found.mark, found.why)


def test_what_may_turn_too() -> None:
    """What the entry allows, and what is so in the healthy world, is no alarm."""
    assert "caught" == judge(expected(), (HIT, cell("spf", "FAILED"))).mark
    assert "caught" == judge(expected(), (HIT, cell("throughput", "INCONCLUSIVE"))).mark
    assert "cried wolf" == judge(expected(), (HIT, cell("throughput", "FAILED"))).mark


def test_a_lack_that_the_fault_itself_makes() -> None:
    """A fault that takes observations away may leave other cells unable to tell, but not FAILED."""
    takes = replace(FAULT, verdict="INCONCLUSIVE")
    hit = replace(HIT, verdict="INCONCLUSIVE", found="", lacking="127.54.3.12: timeout")
    assert "caught" == judge(expected(takes), (hit, cell("dkim", "INCONCLUSIVE"))).mark
    assert "cried wolf" == judge(expected(takes), (hit, cell("dkim", "FAILED"))).mark


def test_sisters_stay_as_they_are() -> None:
    """An alarm on an instance that nothing happened to is one, under whichever promise."""
    for promise in ("reverse_dns", "spf", "dkim"):
        assert "cried wolf" == judge(expected(), (HIT, cell(promise, "FAILED", SISTER))).mark


def test_a_sister_that_shares_the_change() -> None:
    """Two instances that exchanged an address are both right to complain."""
    assert "caught" == judge(expected(), (HIT, cell("reverse_dns", "FAILED", SHARER))).mark


def test_a_benign_variation_that_must_be_mentioned() -> None:
    """Its name stands among what was seen and cleared."""
    benign = replace(FAULT, verdict="PASSED")
    passed = replace(HIT, verdict="PASSED", found="", cleared="127.54.3.12: another case")
    assert "caught" == judge(expected(benign), (passed,)).mark
    assert "wrong witness" == judge(expected(benign), (replace(passed, cleared=""),)).mark


def test_a_verdict_that_will_do_as_well() -> None:
    """Where the catalogue accepts two, either is caught; a quiet one names nothing."""
    either = replace(FAULT, verdict="INCONCLUSIVE", also_verdict=("PASSED",))
    assert "caught" == judge(expected(either), (cell("reverse_dns", "PASSED"),)).mark
    assert "cried wolf" == judge(expected(either), (HIT,)).mark


@pytest.mark.parametrize(
    ("code", "text", "mark"),
    [
        (1, "127.54.3.12 is not", "caught"),
        (1, "something is wrong", "wrong witness"),
        (0, "127.54.3.12", "missed"),
        (3, "127.54.3.12", "missed"),
    ],
)
def test_what_happens_after_sealing(code: int, text: str, mark: str) -> None:
    """`verify` must refuse it, and say what."""
    assert mark == judge_verified(expected(), Verified(code=code, text=text)).mark


def test_a_benign_change_after_sealing() -> None:
    """`verify` must not refuse what is as good as before."""
    benign = expected(replace(FAULT, verdict="PASSED"))
    assert "caught" == judge_verified(benign, Verified(code=0, text="")).mark
    assert "cried wolf" == judge_verified(benign, Verified(code=1, text="")).mark


def test_the_texts_of_a_cell() -> None:
    """Witnesses in any spelling; what is missing and what was cleared are apart from findings."""
    found = seen_cell(
        {
            "instance": ME,
            "promise": "spf",
            "verdict": "FAILED",
            "reason": "another policy",
            "shown": None,
            "could_hide": None,
            "remarks": ["seen twice"],
            "findings": [{"subject": "NEWS.acme", "witness": ["2001:DB8:0:0::1"], "before": None}],
            "missing": [{"what": "a server", "command": None}],
            "cleared": [{"rule": "flattened", "before": "x"}],
            "not_compared": [{"what": "the TTL", "reason": "it counts down"}],
        }
    )
    assert "news.acme\n2001:db8::1" == found.found
    assert "a server\nnews.acme\n2001:db8::1\nanother policy" == found.lacking
    assert "flattened\nx\nthe ttl\nit counts down\nanother policy\n\n\nseen twice" == found.cleared


@pytest.mark.parametrize(
    ("word", "text", "said"),
    [
        ("ip2", "127.54.3.12", True),
        ("ip2", "127.54.3.12:53 answered", True),
        ("ip2", "127.54.3.120", False),
        ("ip2", "1.127.54.3.12", False),
        ("six1", "2001:db8:54:0:0:0:0:20", True),
        ("six1", "2001:db8:54::200", False),
        ("news", "acc1._domainkey.NEWS.acme54.example.", True),
        ("news", "bad-news.acme54.example", False),
        ("7", "7 messages", True),
        ("7", "17 messages", False),
        ("7", "7.5 messages", False),
        ("none", "p=none; sp=reject", True),
        ("none", "nonesuch", False),
        ("*", "*.shop.acme54.example", True),
        ("/r/test", "GET /r/test", True),
        ("SHA256:", "SHA256:abc", True),
        ("a message id", "<NM60001406400001005acme54-prod1@news.acme54.example>", True),
        ("a message id", "<NM60001406400001005acme55-prod1@news.acme55.example>", False),
        ("both fingerprints", "SHA256:abc then SHA256:def", True),
        ("both fingerprints", "SHA256:abc", False),
        ("the record", "record 0123abcd is not what it was", True),
    ],
)
def test_whether_a_text_names_a_witness(word: str, text: str, said: bool) -> None:
    """Facts, not wording: whole words and numbers, addresses in their normal form."""
    short = {"ip2": "127.54.3.12", "six1": "2001:db8:54::20", "news": "news.acme54.example"}
    (name,) = meant((word,), ME, short, {"the record": "0123ABCD"})
    assert said == name.said_in(normal(text))
