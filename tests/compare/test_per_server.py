# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dns.name import Name
from tests.compare.views import SERVERS, TableView
from tests.mailauth.zones import Zone, absolute

from wavegate.answer import Found, Lookup
from wavegate.compare.per_server import Pair, Shown, Silent, gaps, listed, pair_up, shown
from wavegate.verdict import On

NAME = absolute("d.example")
A, B, C, D = SERVERS


def addresses(lookup: Lookup) -> tuple[str, tuple[tuple[Name, str], ...]]:
    """A fact to evaluate: the addresses of one name as text."""
    answer = lookup(NAME, "A")
    rdatas = answer.rdatas if isinstance(answer, Found) else ()
    return " ".join(sorted(rdata.to_text() for rdata in rdatas)), ((NAME, "A"),)


def says(address: str) -> Zone:
    """A zone with one address."""
    return {"d.example": [{"A": address}]}


def side(**zones: Zone | str) -> Shown[str]:
    """What some of the servers a to d show."""
    named = dict(zip("abcd", SERVERS, strict=True))
    return shown(TableView({named[key]: zone for key, zone in zones.items()}), addresses)


ONE, TWO = says("192.0.2.1"), says("192.0.2.2")


def test_a_server_is_held_against_itself() -> None:
    """Each server's own answer of before is what its answer of after is compared with."""
    pairing = pair_up(side(a=ONE, b=ONE, c=TWO), side(a=ONE, b=TWO, c=TWO))
    assert (
        Pair(before="192.0.2.1", after="192.0.2.1", servers=(A,), witness=A),
        Pair(before="192.0.2.1", after="192.0.2.2", servers=(B,), witness=B),
        Pair(before="192.0.2.2", after="192.0.2.2", servers=(C,), witness=C),
    ) == pairing.pairs


def test_a_new_server_is_held_against_what_most_said() -> None:
    """New after, or silent before: nobody else's word is there for it."""
    pairing = pair_up(side(a=ONE, b="timeout"), side(a=ONE, b=ONE, c=TWO))
    assert [("192.0.2.1", (A, B)), ("192.0.2.1", (C,))] == [
        (pair.before, pair.servers) for pair in pairing.pairs
    ]


def test_silence_is_told_apart() -> None:
    """Silent after an answer is missing; silent on both sides is listed; gone is listed."""
    before = side(a=ONE, b=ONE, c="timeout", d=ONE)
    after = side(a=ONE, b="REFUSED", c="timeout")
    pairing = pair_up(before, after)
    assert ({B: "REFUSED"}, (C,), (D,), 1) == (
        dict(pairing.silent_after),
        pairing.silent_both,
        pairing.only_before,
        pairing.among,
    )
    (gap,) = gaps("d.example A", before, after, pairing)
    assert (On.OPERATOR, 1) == (gap.on, gap.count)
    assert f"{B} (REFUSED)" in gap.what
    assert [f"d.example A at {C}", f"d.example A at {D}"] == [
        one.what for one in listed("d.example A", pairing)
    ]


def test_at_least_one_must_have_answered() -> None:
    """Nobody before, or nobody after: one gap that names all of them."""
    answered, silent = side(a=ONE), side(a="timeout", b="lame")
    (gap,) = gaps("x", silent, answered, pair_up(silent, answered))
    assert ("nobody-answered-before", 2) == (gap.rule, gap.count)
    (gap,) = gaps("x", answered, silent, pair_up(answered, silent))
    assert "nobody-answered-after" == gap.rule
    assert f"{A} (timeout), {B} (lame)" in gap.what


def test_a_question_that_was_never_asked_has_no_servers() -> None:
    """No server is blamed, and nothing is taken for an answer."""
    found = side()
    assert ({}, False) == (dict(found.each), found.answered)


def test_the_usual_answer_is_one_object() -> None:
    """Servers that agree are evaluated once."""
    calls = []

    def counted(lookup: Lookup) -> tuple[str, tuple[tuple[Name, str], ...]]:
        calls.append(lookup)
        return addresses(lookup)

    view = TableView({A: ONE, B: ONE, C: ONE, D: TWO})
    found = shown(view, counted)
    assert 2 == len(calls)
    assert {A: "192.0.2.1", B: "192.0.2.1", C: "192.0.2.1", D: "192.0.2.2"} == dict(found.each)
    assert not any(isinstance(state, Silent) for state in found.each.values())
