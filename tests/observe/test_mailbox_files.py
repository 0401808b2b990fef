# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Maildir, mbox and `.eml`: each message once, nothing outside, nothing endless, nothing hidden."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.mailboxes import message

from wavegate.observe.mailbox_files import eml_items, maildir_items, mbox_items, split_mbox
from wavegate.observe.mailbox_item import Item, MailboxError, RawMessage, Unread
from wavegate.observe.mailbox_message import MAX_MESSAGE

FROM = b"From bounce@news.acme.example Tue Jan 16 20:00:01 2024\n"


def data_of(items: list[Item]) -> list[bytes]:
    """The messages that were read."""
    return [item.data for item in items if isinstance(item, RawMessage)]


def reasons(items: list[Item]) -> list[tuple[str, str]]:
    """What was not read, and why."""
    return [(item.where, item.reason) for item in items if isinstance(item, Unread)]


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """A Maildir with one message in `new` and one in `cur`."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    (tmp_path / "box" / "new" / "1.a").write_bytes(message(n=1))
    (tmp_path / "box" / "cur" / "2.b:2,S").write_bytes(message(n=2))
    (tmp_path / "box" / "tmp" / "3.c").write_bytes(b"half a mes")
    return tmp_path / "box"


def test_maildir_gives_new_and_cur_but_not_tmp(maildir: Path) -> None:
    """What is still being delivered is no message."""
    assert [message(n=1), message(n=2)] == data_of(list(maildir_items(maildir)))


def test_symbolic_link_out_of_a_maildir_is_not_followed(maildir: Path, tmp_path: Path) -> None:
    """A link in a mailbox must not make any file of this machine evidence."""
    (tmp_path / "secret").write_text("secret")
    (maildir / "cur" / "link").symlink_to(tmp_path / "secret")
    items = list(maildir_items(maildir))
    assert [("cur/link", "a symbolic link is not followed")] == reasons(items)
    assert len(data_of(items)) == 2


def test_folder_that_is_a_link_is_refused(maildir: Path, tmp_path: Path) -> None:
    """Nor may all of `new` be somewhere else."""
    (tmp_path / "elsewhere").mkdir()
    (maildir / "new" / "1.a").unlink()
    (maildir / "new").rmdir()
    (maildir / "new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MailboxError):
        list(maildir_items(maildir))


def test_what_is_no_file_and_what_is_too_large_is_told(maildir: Path) -> None:
    """A pipe never blocks, and 100 MB are not read."""
    os.mkfifo(maildir / "cur" / "pipe")
    with (maildir / "cur" / "huge").open("wb") as file:
        file.truncate(100_000_000)
    expected = [
        ("cur/huge", f"larger than {MAX_MESSAGE} bytes"),
        ("cur/pipe", "not a regular file"),
    ]
    assert expected == reasons(list(maildir_items(maildir)))


def test_file_names_are_fit_for_a_terminal(maildir: Path) -> None:
    """A name is a stranger's text too."""
    (maildir / "cur" / "\x1b[31mred").symlink_to("nowhere")
    assert "cur/?[31mred" == reasons(list(maildir_items(maildir)))[0][0]


def test_folder_without_cur_and_new_is_no_empty_maildir(tmp_path: Path) -> None:
    """A wrong path must not look like a mailbox without mail."""
    with pytest.raises(MailboxError, match="no Maildir"):
        list(maildir_items(tmp_path))


@pytest.mark.parametrize("read", [mbox_items, eml_items])
def test_missing_place_is_told(tmp_path: Path, read: "type") -> None:
    """Nothing there is an error, not nothing received."""
    with pytest.raises(MailboxError, match="cannot be read"):
        list(read(tmp_path / "nothing"))


def test_eml_files_of_a_folder_or_one_alone(tmp_path: Path) -> None:
    """Only files that end so, in the order of their names."""
    for name in ("b.eml", "a.EML", "c.txt"):
        (tmp_path / name).write_bytes(name.encode())
    assert [b"a.EML", b"b.eml"] == data_of(list(eml_items(tmp_path)))
    assert [b"c.txt"] == data_of(list(eml_items(tmp_path / "c.txt")))


def split(data: bytes) -> list[Item]:
    """The items of an mbox."""
    return list(split_mbox(io.BytesIO(data), "box"))


def test_mbox_splits_at_separators_and_takes_the_quoting_back() -> None:
    """A line `From ` of a text was quoted when it was stored (mboxrd)."""
    quoted = message(n=2) + b">From here on\n>>From there\n"
    data = FROM + message(n=1) + b"\n" + FROM + quoted + b"\n"
    assert [message(n=1), message(n=2) + b"From here on\n>From there\n"] == data_of(split(data))


BROKEN = [b"From nobody\n", b"From a@b yesterday\n", b"From here on all is text.\n"]


@pytest.mark.parametrize("line", BROKEN)
def test_broken_separator_makes_its_message_unread(line: bytes) -> None:
    """Nobody can tell where such a message ends, and the others are read all the same."""
    data = FROM + message(n=1) + b"\n" + line + message(n=2) + b"\n" + FROM + message(n=3)
    items = split(data)
    assert [message(n=3)[:-1]] == [found.removesuffix(b"\n") for found in data_of(items)]
    assert "begins like a separator and is none" in reasons(items)[0][1]


def test_from_inside_a_paragraph_is_text() -> None:
    """Only a line behind an empty one can be a separator."""
    data = FROM + message(n=1) + b"We sail\nFrom here to there\n"
    assert [data[len(FROM) : -1]] == [found.removesuffix(b"\n") for found in data_of(split(data))]


def test_file_that_is_no_mbox_is_told() -> None:
    """Garbage is no empty mailbox."""
    with pytest.raises(MailboxError, match="no mbox"):
        split(message())
    assert [] == split(b"")


def test_endless_message_in_an_mbox_is_left_out_in_bounded_memory() -> None:
    """One message of any size, of one line, is counted and not kept."""
    data = FROM + b"x" * (MAX_MESSAGE + 200_000) + b"\n\n" + FROM + message(n=1)
    items = split(data)
    assert [("line 1", f"larger than {MAX_MESSAGE} bytes")] == reasons(items)
    assert len(data_of(items)) == 1


LINES = st.lists(st.sampled_from([b"a\n", b"\n", b"From x\n", FROM, b">From q\n", b"b\r\n"]))


@given(LINES)
def test_every_separator_begins_exactly_one_item(lines: list[bytes]) -> None:
    """No message is lost or met twice, however the lines fall."""
    lines = [FROM, *lines]
    begun = [
        n
        for n, line in enumerate(lines)
        if line == FROM and (n == 0 or lines[n - 1] in (b"\n", b"\r\n") or lines[n - 1] == FROM)
    ]
    real = [n for n in begun if n == 0 or lines[n - 1] != FROM]
    assert len(real) == len(split(b"".join(lines)))
