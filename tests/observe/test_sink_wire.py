# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reading data and paths off the wire: byte for byte, to the right end, within bounds."""

import asyncio
import re
import smtplib

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from wavegate.observe.sink_wire import plain_path, read_data

REST = b"QUIT\r\n"


def received(wire: bytes, *, limit: int = 10_000, chunk: int = 16) -> tuple[bytes | None, bytes]:
    """What is read from the wire, and what is left for the next command."""

    async def main() -> tuple[bytes | None, bytes]:
        reader = asyncio.StreamReader(limit=chunk)
        reader.feed_data(wire)
        reader.feed_eof()
        return await read_data(reader, limit), await reader.read()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a\r\n..b\r\n..\r\n.\r\n", b"a\r\n.b\r\n.\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
        (b".\n.\r\n\r\n.\r\n", b"\n.\r\n\r\n"),
        (b"\n.\r\nx\r\n.\r\n", b"\n.\r\nx\r\n"),
        (b"a\n.\r\n.\r\n", b"a\n.\r\n"),
        (b"\n.\r\n..\r\n.\r\n", b"\n.\r\n.\r\n"),
        (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n"),
        (b"x" * 100 + b"\r\n.\r\n", b"x" * 100 + b"\r\n"),
    ],
)
def test_message_ends_at_the_lone_dot_only(wire: bytes, expected: bytes) -> None:
    """CRLF dot CRLF ends a message, nothing else does, and the next command is left alone."""
    assert received(wire + REST) == (expected, REST)


@pytest.mark.parametrize("wire", [b"", b".", b".\r", b"a\r\n", b"a\r\n.\n", b"a\n.\r\n"])
def test_unfinished_message_is_none(wire: bytes) -> None:
    """Without its end nothing counts as a message."""
    with pytest.raises(asyncio.IncompleteReadError):
        received(wire)


@pytest.mark.parametrize("chunk", [5, 16, 1000])
@pytest.mark.parametrize(("size", "fits"), [(50, True), (51, False), (5000, False)])
def test_too_long_is_read_over(size: int, fits: bool, chunk: int) -> None:
    """A message beyond the bound is not kept, and the connection stays in step."""
    message = b"x" * (size - 2) + b"\r\n"
    expected = message if fits else None
    assert received(message + b".\r\n" + REST, limit=50, chunk=chunk) == (expected, REST)


PIECES = st.lists(
    st.sampled_from([b"\r\n", b".", b"\n", b"\r", b"a", b"\r\n.", b"\r\n.\n", b"\n.\r\n", b"xyz"])
)


@given(PIECES, st.integers(5, 40))
def test_what_a_client_stuffs_comes_back(pieces: list[bytes], chunk: int) -> None:
    """Any message of whole CRLF lines comes through as it was, however the bytes fall."""
    message = re.sub(rb"\r(?!\n)", b"", b"".join(pieces)) + b"\r\n"
    stuffed = re.sub(rb"(\A|\r\n)\.", rb"\1..", message)
    assert received(stuffed + b".\r\n" + REST, chunk=chunk) == (message, REST)


def test_it_reads_what_smtplib_writes() -> None:
    """The standard client's own quoting is undone."""
    message = ".dot\r\n..\r\n.\r\ntext\r\n"
    quoted = smtplib.quotedata(message).encode()
    assert received(quoted + b".\r\n" + REST) == (message.encode(), REST)


@pytest.mark.parametrize(
    "argument",
    [
        "<a@b.example>",
        "<a.b+c=d@b.example> SIZE=3 BODY=8BITMIME",
        "<bounce-12_3@news.acme.example>  SMTPUTF8",
    ],
)
def test_plain_paths_are_read_as_by_the_full_parser(argument: str) -> None:
    """The short way gives what aiosmtpd's parser gives."""
    parser = SMTP.__new__(SMTP)
    address, parameters = parser._getaddr(argument)
    assert plain_path(argument) == (address, (parameters or "").strip())


@pytest.mark.parametrize(
    "argument",
    [
        "<>",
        "a@b.example",
        '<"a b"@x.example>',
        "<a@b.example>x",
        "<ü@b.example>",
        "<a@>",
        "",
        "<a>",
    ],
)
def test_other_paths_are_left_to_the_full_parser(argument: str) -> None:
    """Whatever is not plain is not guessed at."""
    assert plain_path(argument) is None
