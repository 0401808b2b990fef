# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""IMAP servers that drip, lie on sizes, flood or drop: bounded, honest, and no message made up."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.mailboxes import message

from wavegate.errors import InputError
from wavegate.observe.imap_connection import ImapPlace
from wavegate.observe.imap_mailbox import ImapMailbox, Login
from wavegate.observe.mailbox_item import Item, MailboxError, RawMessage, Unread

BODY = message().replace(b"\n", b"\r\n")
Answer = Callable[[str, str], bytes]


def answers(
    *,
    size: int | None = None,
    body: bytes = BODY,
    tail: bytes = b"",
    uids: str = "7",
    date: str = "16-Jan-2024 20:00:02 +0000",
    validity: int = 42,
) -> Answer:
    """A server with messages that all have one body; what it says of sizes may be a lie."""

    def answer(tag: str, line: str) -> bytes:
        done = f"{tag} OK done\r\n".encode()
        if "EXAMINE" in line:
            state = f"* 1 EXISTS\r\n* OK [UIDVALIDITY {validity}] u\r\n* OK [UIDNEXT 100] n\r\n"
            return state.encode() + done
        if "SEARCH" in line:
            return f"* SEARCH {uids}\r\n".encode() + done
        if "RFC822.SIZE" in line:
            told = len(body) if size is None else size
            rows = (
                f'* {uid} FETCH (UID {uid} RFC822.SIZE {told} INTERNALDATE "{date}")\r\n'
                for uid in uids.split()
            )
            return "".join(rows).encode() + done
        asked = re.search(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<(\d+)\.(\d+)>\)", line)
        if asked:
            part = (body + tail)[: len(body)] if asked[2] == "0" else (body + tail)[int(asked[2]) :]
            head = f"* 1 FETCH (UID {asked[1]} BODY[]<{asked[2]}> {{{len(part)}}}\r\n"
            return head.encode() + part + b")\r\n" + done
        if "CAPABILITY" in line:
            return b"* CAPABILITY IMAP4rev1\r\n" + done
        return done

    return answer


def _converse(sock: socket.socket, greeting: bytes, answer: Answer) -> None:
    with sock, sock.makefile("rb") as lines:
        try:
            sock.sendall(greeting)
            for raw in lines:
                tag, _, line = raw.decode().strip().partition(" ")
                sock.sendall(answer(tag, line))
                if line.startswith("LOGOUT"):
                    return
        except OSError:
            return


@contextmanager
def serving(answer: Answer, greeting: bytes = b"* OK hello\r\n") -> Iterator[int]:
    """A server on a free port of loopback, for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            try:
                sock, _ = door.accept()
            except OSError:
                return
            _converse(sock, greeting, answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            with socket.socket() as knock:  # so that nobody waits for a connection any more
                knock.connect_ex(door.getsockname())
            thread.join(10)


@pytest.fixture
def login(tmp_path: Path) -> Login:
    """A password in a file."""
    (tmp_path / "password").write_text("s3cret")
    return Login(user=None, password="file:password", ca=None, base=tmp_path)


def read(port: int, login: Login, **other: object) -> list[Item]:
    """All items of the mailbox on a port."""
    place = ImapPlace.parse(f"imap://seed@127.0.0.1:{port}/INBOX")
    return list(ImapMailbox(place=place, login=login, **other).items())  # type: ignore[arg-type] # of the test


def test_message_comes_with_its_instant_and_mark(login: Login) -> None:
    """What the mailbox says of a message is kept beside it."""
    with serving(answers()) as port:
        (item,) = read(port, login)
    assert isinstance(item, RawMessage)
    stored = datetime(2024, 1, 16, 20, 0, 2, tzinfo=UTC)
    assert (BODY, stored, "42:7:") == (item.data, item.stored, item.mark)


def test_only_examine_and_peek_are_said(login: Login) -> None:
    """Nothing that is sent can change a mailbox."""
    heard: list[str] = []
    inner = answers()

    def answer(tag: str, line: str) -> bytes:
        heard.append(line)
        return inner(tag, line)

    with serving(answer) as port:
        read(port, login)
    words = {line.split(" ")[1] if line.startswith("UID") else line.split(" ")[0] for line in heard}
    assert {"CAPABILITY", "LOGIN", "EXAMINE", "SEARCH", "FETCH", "LOGOUT"} == words
    assert all("PEEK" in line for line in heard if "BODY" in line)


@pytest.mark.parametrize(("uids", "after"), [("3 7 9", "42:7:"), ("9", "42:7:")])
def test_goes_on_behind_a_mark(login: Login, uids: str, after: str) -> None:
    """What was met is not fetched again, even if the server names it again."""
    with serving(answers(uids=uids)) as port:
        assert ["UID 9"] == [item.where for item in read(port, login, after=after)]


@pytest.mark.parametrize("after", ["41:7:", "42:x:", "", "7"])
def test_mark_of_another_mailbox_is_not_believed(login: Login, after: str) -> None:
    """Under another UIDVALIDITY the numbers mean other messages."""
    with serving(answers(uids="3")) as port:
        assert ["UID 3"] == [item.where for item in read(port, login, after=after)]


def test_mark_that_did_not_reach_as_far_back_is_not_believed(login: Login) -> None:
    """An earlier wave needs older mail, which was passed over."""
    since = datetime(2024, 1, 1, tzinfo=UTC)
    with serving(answers(uids="3")) as port:
        items = read(port, login, after="42:7:2024-01-09", since=since)
    assert ["UID 3"] == [item.where for item in items]


def test_size_that_is_wrong_but_all_came_is_no_fault(login: Login) -> None:
    """Some servers only estimate sizes; where nothing more comes the message is whole."""
    with serving(answers(size=len(BODY) + 99)) as port:
        assert [BODY] == [i.data for i in read(port, login) if isinstance(i, RawMessage)]


def test_message_that_is_cut_short_is_left_out(login: Login) -> None:
    """Half a message would look like a broken signature."""
    with serving(answers(size=len(BODY) + 5, tail=b"more\n")) as port:
        assert ["the server cut it short"] == [
            i.reason for i in read(port, login) if isinstance(i, Unread)
        ]


def test_huge_message_is_not_asked_for(login: Login) -> None:
    """100 MB are named, not fetched."""
    with serving(answers(size=100_000_000)) as port:
        (item,) = read(port, login)
    assert "larger than" in getattr(item, "reason", "")


def _literal(tag: str, line: str) -> bytes:
    if "BODY" in line:
        return b"* 1 FETCH (UID 7 BODY[]<0> {4294967296}\r\nabc"
    return answers()(tag, line)


def _flood(tag: str, line: str) -> bytes:
    if "SEARCH" in line:
        return b"* 1 EXISTS\r\n" * 1_000_000
    return answers()(tag, line)


def _long_line(tag: str, line: str) -> bytes:
    return b"* SEARCH " + b"1 " * 2_000_000 if "SEARCH" in line else answers()(tag, line)


def _garbage(tag: str, line: str) -> bytes:
    done = f"{tag} OK done\r\n".encode()
    return b"* 1 FETCH ((((\r\n* 1 FETCH x\r\n" + done if "FETCH" in line else answers()(tag, line)


def _drops(tag: str, line: str) -> bytes:
    if "BODY" in line:
        raise OSError
    return answers()(tag, line)


def _refuses(tag: str, line: str) -> bytes:
    return f"{tag} NO \x1b[31m s3cret\r\n".encode() if "EXAMINE" in line else answers()(tag, line)


HOSTILE = {
    "literal": _literal,
    "flood": _flood,
    "long-line": _long_line,
    "garbage": _garbage,
    "drops": _drops,
    "refuses": _refuses,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answer_ends_the_look_and_is_told(login: Login, name: str) -> None:
    """No memory is filled, no message made up, no control character passed on."""
    begun = perf_counter()
    with (
        serving(HOSTILE[name]) as port,
        pytest.raises(MailboxError, match="cannot be read") as told,
    ):
        read(port, login)
    assert "\x1b" not in told.value.message
    assert perf_counter() - begun < 10


def test_garbled_date_costs_only_the_date(login: Login) -> None:
    """A message is not lost for an instant that cannot be read."""
    with serving(answers(date="99-Foo-2024 99:00:02")) as port:
        (item,) = read(port, login)
    assert isinstance(item, RawMessage)
    assert item.stored is None


def test_dripping_server_ends_at_the_time_limit(login: Login) -> None:
    """One byte at a time keeps every single read alive, and the look ends all the same."""
    stop = threading.Event()

    def drip() -> None:
        sock, _ = door.accept()
        with sock:
            try:
                sock.sendall(b"* OK hello ")
                while not stop.wait(0.02):
                    sock.sendall(b"x")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=drip)
        thread.start()
        begun = perf_counter()
        with pytest.raises(MailboxError, match="cannot be read"):
            read(door.getsockname()[1], login, seconds=0.4)
        stop.set()
        thread.join(5)
    assert perf_counter() - begun < 5


def test_nobody_there_is_told(login: Login) -> None:
    """A closed port is an error of the look, not an empty mailbox."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(MailboxError, match="cannot be read"):
            read(sock.getsockname()[1], login)


def test_no_credentials_are_told(login: Login) -> None:
    """A mailbox without a way in names the cure."""
    bare = Login(user=None, password=None, ca=None, base=login.base)
    with serving(answers()) as port, pytest.raises(MailboxError, match="no credentials"):
        read(port, bare)


PLACES = {
    "imaps://mx.example.net/INBOX": ("mx.example.net", 993, "INBOX", True, None),
    "imaps://seed@mx.example.net:1993/Seeds/One": (
        "mx.example.net",
        1993,
        "Seeds/One",
        True,
        "seed",
    ),
    "imap://seed%40x@mx.example.net": ("mx.example.net", 143, "INBOX", False, "seed@x"),
    "mx.example.net": ("mx.example.net", 993, "INBOX", True, None),
}


@pytest.mark.parametrize("text", PLACES)
def test_place_is_read_from_its_url(text: str) -> None:
    """TLS, port and folder have the defaults that a person expects."""
    found = ImapPlace.parse(text)
    assert PLACES[text] == (found.host, found.port, found.folder, found.tls, found.user)


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_an_input_error(text: str) -> None:
    """A wrong URL is refused with its cure."""
    with suppress(InputError):
        assert ImapPlace.parse(text).port > 0


def test_password_is_never_sent_in_clear_over_a_network() -> None:
    """Without TLS only this very machine may see it."""
    assert ImapPlace.parse("imap://127.0.0.1/INBOX").loopback
    assert ImapPlace.parse("imap://localhost/INBOX").loopback
    assert not ImapPlace.parse("imap://mx.example.net/INBOX").loopback
