# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reading headers of received mail: the same for every judge, and never an exception."""

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import digest
from wavegate.record.message import Received

AT = datetime(2024, 1, 16, 20, tzinfo=UTC)


def mail(raw: bytes) -> Received:
    """A received mail of these bytes."""
    return Received(
        source="sink",
        peer="192.0.2.10",
        peer_by="socket",
        helo=None,
        mail_from=None,
        recipients=(),
        connected=AT,
        ended=AT,
        tls=None,
        raw=raw,
        digest=digest(raw),
        journal="",
    )


RAW = (
    b"Received: from a\r\n\tby b; Tue\r\nRECEIVED: from c by a\r\n"
    b"message-id: <NM60001@news.acme.example>\r\n"
    b"X-MSFBL: abc|\r\n ZGVm\r\n\t Z2hp\r\n\r\nbody: no\r\n"
)


def test_headers_are_found_without_case_and_unfolded() -> None:
    """Names are compared without case, folds become one space, order is from top to bottom."""
    found = mail(RAW)
    assert found.headers("received") == ("from a by b; Tue", "from c by a")
    assert found.header("Received") == "from a by b; Tue"
    assert found.header("x-msfbl") == "abc| ZGVm Z2hp"


def test_missing_header_is_none_and_body_is_no_header() -> None:
    """A header that is not there is None, and a line of the body is never taken for one."""
    found = mail(RAW)
    assert (found.header("body"), found.headers("X-mailer")) == (None, ())


def test_message_id_falls_back_to_the_digest() -> None:
    """A mail without Message-ID still has a name that nothing else has."""
    assert mail(RAW).message_id == "<NM60001@news.acme.example>"
    empty = mail(b"\r\n")
    assert empty.message_id == f"sha256:{empty.digest}"


def test_parsing_happens_once() -> None:
    """The parsed form is kept, so that ten judges do not parse ten times."""
    found = mail(RAW)
    assert found.parsed is found.parsed


@pytest.mark.parametrize("raw", [b"", b"\r\n", b": x\r\n\r\n", b"\xff\xfe: \xff\r\n\r\n", b"\x00"])
def test_odd_messages_are_read(raw: bytes) -> None:
    """Empty, headless and binary messages have no headers and do not raise."""
    assert mail(raw).header("From") is None


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_raise(raw: bytes) -> None:
    """Whatever arrives at a sink, its headers can be asked for."""
    found = mail(b"Subject: " + raw)
    assert all(isinstance(value, str) for value in found.headers("Subject"))
    assert found.message_id


PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"From ",
        b"From",
        b"To",
        b"x-Y",
        b"a b",
        b"=?utf-8?q?",
    ),
    *(
        b"\x00",
        b"\x0b",
        b"\x0c",
        b"\x1c",
        b"\x7f",
        b"\xc3\xa4",
        b"\xff",
        b"To: a\r\n",
        b"x: b\r\n c\r\n",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_heads_are_read_as_the_standard_library_reads_them(raw: bytes) -> None:
    """Only the head is read, and a plain one in an own way; nobody may notice."""
    expected: dict[str, list[str]] = {}
    for name, value in email.message_from_bytes(raw, policy=email.policy.compat32).items():
        expected.setdefault(name.lower(), []).append(" ".join(str(value).split()))
    found = mail(raw)
    assert expected == {name: list(found.headers(name)) for name in found._by_name}
