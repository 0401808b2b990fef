# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A message of a mailbox: what the receiver's own line says, and nothing that a sender wrote."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.builders.mailboxes import AT, RECEIVER, message, received

from wavegate.canonical import dumps
from wavegate.observe.mailbox_message import MAX_HEAD, MAX_MESSAGE, LeftOut, Reader
from wavegate.record.mail_fields import from_fields, to_fields
from wavegate.record.message import Received

READ = datetime(2024, 1, 17, tzinfo=UTC)


def reader(**other: object) -> Reader:
    """A reader of a Maildir that believes the receiver."""
    fields: dict[str, object] = {
        "kind": "maildir",
        "receiver": RECEIVER,
        "at": READ,
        "tolerance": timedelta(seconds=5),
    }
    return Reader(**(fields | other))  # type: ignore[arg-type] # of the test


def read(data: bytes, **other: object) -> Received:
    """The mail of a message that is one."""
    found = reader().read(data, **other)  # type: ignore[arg-type] # of the test
    assert isinstance(found, Received)
    return found


def reason(data: bytes) -> str:
    """Why a message is left out."""
    found = reader().read(data)
    assert isinstance(found, LeftOut)
    return found.reason


def test_everything_comes_from_the_line_of_the_receiver() -> None:
    """Peer, instant, HELO, TLS, envelope: as the receiver saw them."""
    found = read(message(peer="192.0.2.11", n=3))
    told = (found.peer, found.peer_by, found.ended, found.helo, found.tls, found.mail_from)
    expected = ("192.0.2.11", "received", AT, "mta1.acme.example", True, "bounce@news.acme.example")
    assert expected == told
    assert ("seed@seed.example",) == found.recipients


def test_raw_has_the_line_ends_of_the_wire() -> None:
    """A Maildir holds LF, signatures are over CRLF."""
    assert message().replace(b"\n", b"\r\n") == read(message()).raw
    assert read(message()).digest == read(message().replace(b"\n", b"\r\n")).digest


def test_forged_lines_below_are_not_believed() -> None:
    """A lower Received, Return-Path or Delivered-To is the sender's."""
    forged = received("192.0.2.99") + "Return-Path: <other@evil.example>\n"
    assert "192.0.2.10" == read(message(below=forged)).peer
    alone = b"\n".join(
        line for line in message(below=forged).split(b"\n") if b"bounce@" not in line
    )
    assert read(alone).mail_from is None


def test_message_by_another_receiver_is_left_out() -> None:
    """Nobody vouches for where it came from, not even if it holds a forged line of the receiver."""
    data = message(by="mx.other.example", below=received("192.0.2.10"))
    assert "the topmost Received line was not written by mx.seed.example" == reason(data)


def test_no_received_line_is_left_out() -> None:
    """A draft or a copy proves nothing."""
    assert reason(b"From: a@b\n\nx\n").startswith("no Received line")


def test_future_is_left_out_and_the_present_is_not() -> None:
    """A receiver's clock that is ahead would move mail into another phase."""
    assert "future" in reason(message(at=READ + timedelta(seconds=6)))
    assert READ + timedelta(seconds=4) == read(message(at=READ + timedelta(seconds=4))).ended


def test_undated_line_takes_the_instant_of_the_mailbox() -> None:
    """INTERNALDATE stands in for a date that the line lacks; without either it is left out."""
    data = message().replace(b"; Tue, 16 Jan 2024 20:00:00 +0000", b"")
    assert "bears no date" in reason(data)
    assert AT == read(data, stored=AT).ended


def test_large_and_endless_messages_are_left_out() -> None:
    """Sizes are bounded before anything is parsed."""
    assert "larger than" in reason(b"x" * (MAX_MESSAGE + 1))
    assert "headers of more than" in reason(message(below="X: y\n" * (MAX_HEAD // 5 + 1)))


def test_ten_thousand_headers_are_read() -> None:
    """Many headers are odd, and no reason to lose the mail."""
    found = read(message(below="".join(f"X-{n}: {n}\n" for n in range(10_000))))
    assert "9999" == found.header("X-9999")


@given(st.binary(max_size=400))
def test_any_bytes_give_a_mail_or_a_reason(data: bytes) -> None:
    """Whatever lies in a mailbox, it is read or left out, and what is read can be recorded."""
    for found in (reader().read(data), reader().read(received("192.0.2.1").encode() + data)):
        if isinstance(found, Received):
            dumps(to_fields(found))
            assert found == from_fields(to_fields(found), journal="")
