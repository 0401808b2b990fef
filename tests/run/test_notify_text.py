# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wavegate.run.notify_text import (
    MAX_BODY,
    MAX_MESSAGES,
    Message,
    Transition,
    merged,
    messages,
    names_of,
)

AT = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
BROKE = Transition(
    kind="broke",
    cause="c1",
    promise="spf",
    instances=("acme-dev1",),
    customer="acme",
    owner="team-a",
    text_lines=("news.acme.example TXT: before v=spf1 -all, after none",),
    since=AT,
    lasted=None,
)
BACK = replace(
    BROKE,
    kind="recovered",
    cause="c2",
    promise="dkim",
    lasted=timedelta(days=2, hours=3, seconds=9),
)
OTHER = replace(BROKE, customer="globex", instances=("globex-stage1",), owner="team-g")


def told(*transitions: Transition, **known: tuple[str, ...]) -> list[Message]:
    """The messages of one address."""
    return messages(transitions, names_of(transitions, known), at=AT)


def test_a_message_says_what_where_and_for_how_long() -> None:
    """The whole text of a night of one customer, as a person gets it."""
    undecided = replace(
        BROKE, kind="undecided", cause="c3", promise="dmarc", since=AT - timedelta(days=4)
    )
    (message,) = told(BACK, BROKE, undecided)
    assert "Wavegate nightly: acme: 1 broke, 1 undecided, 1 recovered" == message.title
    assert "broke" == message.worst
    line = "  news.acme.example TXT: before v=spf1 -all, after none"
    assert (
        "BROKE: spf, since 2026-11-25T02:30:00Z\n"
        "  acme-dev1\n"
        "  cause: c1\n"
        f"{line}\n"
        "\n"
        "UNDECIDED: dmarc, for 4d\n"
        "  acme-dev1\n"
        "  cause: c3\n"
        f"{line}\n"
        "\n"
        "RECOVERED: dkim, after 2d3h\n"
        "  acme-dev1\n"
        "  cause: c2\n"
        f"{line}\n"
        "\n"
        "Night of 2026-11-25T02:30:00Z. Details: the night's report."
    ) == message.body


def test_one_cause_is_told_once() -> None:
    """Two instances and two owners of one customer with one cause are one entry."""
    twin = replace(BROKE, instances=("acme-dev2",), owner="team-b", since=AT - timedelta(days=1))
    assert [
        replace(BROKE, instances=("acme-dev1", "acme-dev2"), since=AT - timedelta(days=1))
    ] == merged([BROKE, twin])


def test_without_a_cause_promise_and_instances_tell_transitions_apart() -> None:
    """Two cells without a cause are not one cause."""
    one, two = replace(BROKE, cause=None), replace(BROKE, cause=None, promise="dkim")
    assert [two, one] == merged([one, two, one])


def test_customers_get_messages_of_their_own() -> None:
    """What is of one customer stands in no other's message."""
    acme, globex = told(BROKE, replace(OTHER, cause="c9", text_lines=("rotated",)))
    assert ("acme", "globex") == (acme.about[0].customer, globex.about[0].customer)
    assert "globex" not in acme.title + acme.body
    assert "acme" not in globex.title + globex.body


def test_a_cause_of_several_customers_is_one_message_without_names() -> None:
    """One changed shared include in many customers is one message, which any of them may see."""
    include = "_spf.esp.example TXT: before ip4:192.0.2.1, after none"
    one = replace(BROKE, text_lines=(include, "seen at acme-dev1"))
    (message,) = told(one, replace(OTHER, text_lines=(include,)))
    assert "Wavegate nightly: several customers: 1 broke" == message.title
    assert (
        "BROKE: spf, since 2026-11-25T02:30:00Z\n"
        "  2 instances of 2 customers\n"
        "  cause: c1\n"
        f"  {include}\n"
        "  (a line that names somebody else is left out)\n"
        "\n"
        "Night of 2026-11-25T02:30:00Z. Details: the night's report."
    ) == message.body


def test_a_line_that_names_another_customer_is_withheld() -> None:
    """Names known from the estate are found in any case, and only whole."""
    lines = ("MX of News.Globex.Example", "globexport is nobody", "mail of ACME-DEV1")
    (message,) = told(replace(BROKE, text_lines=lines), globex=("news.globex.example",))
    assert [
        "  (a line that names somebody else is left out)",
        "  globexport is nobody",
        "  mail of ACME-DEV1",
    ] == message.body.splitlines()[3:6]


def test_a_long_name_of_ones_own_may_hold_anothers_word() -> None:
    """The longest name counts: `acme-mail` of acme is not the customer `mail`."""
    (message,) = told(
        replace(BROKE, text_lines=("host acme-mail", "host mail")), acme=("acme-mail",), mail=()
    )
    assert [
        "  host acme-mail",
        "  (a line that names somebody else is left out)",
    ] == message.body.splitlines()[3:5]


def test_text_from_outside_cannot_act() -> None:
    """Escapes, bidi overrides, line breaks and mentions of a whole channel are made harmless."""
    hostile = "\x1b[31mred\u202e\nBROKE: no @everyone <!channel> mailto:x@all.example"
    (message,) = told(replace(BROKE, text_lines=(hostile,)))
    assert (
        "  [U+001B][31mred[U+202E][U+000A]BROKE: no @ everyone < !channel> mailto:x@all.example"
    ) == message.body.splitlines()[3]


def test_a_secret_in_a_line_is_cut() -> None:
    """Should a token ever have got into a text, it does not go out."""
    (message,) = told(replace(BROKE, text_lines=("Bearer abcdefghijklmnopqrstuvwx",)))
    assert "  Bearer [cut]" == message.body.splitlines()[3]


def test_what_has_no_room_is_counted() -> None:
    """Nothing is left out silently: instances, lines and causes are counted."""
    wide = replace(
        BROKE,
        instances=tuple(f"acme-dev{n:03}" for n in range(412)),
        text_lines=tuple(f"line {n}" for n in range(20)),
    )
    (message,) = told(wide)
    assert message.body.splitlines()[1].endswith("acme-dev009 and 402 more")
    assert "  and 12 more lines: see the night's report" in message.body
    (message,) = told(*(replace(BROKE, cause=f"{n:064}") for n in range(50)))
    shown = message.body.count("BROKE")
    assert f"and {50 - shown} more: see the night's report" in message.body


def test_a_storm_is_bounded_and_counted() -> None:
    """Beyond the bound of messages the rest is one message, with every transition in it."""
    many = [
        replace(BROKE, cause=f"c{n}", customer=f"customer{n:03}", instances=(f"i{n:03}",))
        for n in range(100)
    ]
    found = told(*many)
    assert MAX_MESSAGES == len(found)
    assert "Wavegate nightly: 81 more customers" == found[-1].title
    assert 100 == sum(len(message.about) for message in found)


@given(
    st.lists(
        st.builds(
            Transition,
            kind=st.sampled_from(["broke", "recovered", "undecided"]),
            cause=st.none() | st.text(max_size=100),
            promise=st.text(max_size=200),
            instances=st.lists(st.text(max_size=100), max_size=30).map(tuple),
            customer=st.text(max_size=200),
            owner=st.none() | st.text(max_size=20),
            text_lines=st.lists(st.text(max_size=500), max_size=20).map(tuple),
            since=st.just(AT),
            lasted=st.none() | st.timedeltas(min_value=timedelta()),
        ),
        max_size=12,
    )
)
def test_any_message_is_bounded_and_plain(transitions: list[Transition]) -> None:
    """Whatever the transitions hold, a body is within its bound and without control characters."""
    for message in told(*transitions):
        assert MAX_BODY >= len(message.body)
        assert message.title.isprintable()
        assert message.body.replace("\n", "").isprintable()
