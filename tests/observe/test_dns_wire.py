# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Looking at DNS bytes without decoding them: right on good ones, harmless on hostile ones."""

import dns.message
import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.tiny_dns import reply

from wavegate.observe.dns_wire import (
    Question,
    answers,
    has_cname,
    outcome,
    query,
    record_types,
    refers,
)

NAME = dns.name.from_text("News.Acme.example.")
QUESTION = Question(NAME, "TXT")


@pytest.mark.parametrize("edns", [True, False])
def test_a_query_written_by_hand_reads_as_dnspython_would(edns: bool) -> None:
    """The hand-made bytes are the same message that dnspython makes."""
    message = dns.message.make_query(NAME.canonicalize(), "TXT", use_edns=0 if edns else -1)
    message.flags = dns.flags.Flag(0)
    ours = dns.message.from_wire(query(message.id, QUESTION.wire, recursion=False, edns=edns))
    assert (ours, ours.edns, ours.payload) == (message, message.edns, message.payload)


def test_record_types_are_those_of_the_sections() -> None:
    """The walk over record headers sees what the decoder sees, through compressed names."""
    asked = dns.message.make_query(NAME, "A")
    wire = reply(
        asked,
        "news.acme.example. CNAME a.example.",
        "a.example. A 192.0.2.1",
        authority=("example. SOA a.example. b.example. 1 2 3 4 5", "example. NS a.example."),
    )
    assert list(record_types(wire)) == [(1, 5), (1, 1), (2, 6), (2, 2)]
    assert has_cname(wire)


@given(st.binary(max_size=300))
def test_no_bytes_upset_the_walk(data: bytes) -> None:
    """Whatever arrives, looking at it ends and raises nothing."""
    response = b"\0\0\x84\0" + data
    assert len(list(record_types(response))) <= 4096
    refers(response)
    answers(response, QUESTION.wire)
    if len(response) >= 12:
        outcome(response, "authoritative")


@given(st.binary(min_size=0, max_size=12))
def test_short_bytes_answer_nothing(data: bytes) -> None:
    """Less than a header with the question answers no question."""
    assert not answers(data, QUESTION.wire) or len(data) >= 12
