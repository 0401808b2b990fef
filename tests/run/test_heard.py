# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The names that a capture looks up because received mail told them."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.builders.estates import IPS, instance
from tests.builders.mails import mail

from wavegate.observe.probe import Heard
from wavegate.record.local_store import LocalStore
from wavegate.record.message import Received
from wavegate.run import heard
from wavegate.run.heard import heard_names

BACK = "bounce@eu-west.mta.example"


def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *mails: Received) -> Heard:
    """What these mails tell of acme-prod1."""
    monkeypatch.setattr(heard, "stream_mails", lambda _store, _note: iter(mails))
    one = instance()
    return heard_names(LocalStore.open(tmp_path / "store", create=True), [one])[one.name]


def test_return_path_and_greeting_are_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In lower case, without the final dot, in the order in which they were heard."""
    one = replace(mail(helo="R10.News.acme.example."), mail_from=BACK)
    other = replace(mail(helo="r11.news.acme.example", n=1), mail_from=BACK.upper())
    expected = Heard(
        bounces=("eu-west.mta.example",),
        greetings=("r10.news.acme.example", "r11.news.acme.example"),
    )
    assert expected == told(monkeypatch, tmp_path, one, one, other)


def test_the_sender_domains_are_asked_anyway(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A Return-Path in a sender domain adds nothing."""
    assert () == told(monkeypatch, tmp_path, mail()).bounces


def test_strangers_do_not_tell_us_what_to_look_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Anyone can write to a sink; an address that is not agreed is not heard."""
    stranger = replace(mail("198.51.100.9"), mail_from="a@evil.example")
    assert Heard() == told(monkeypatch, tmp_path, stranger)


@pytest.mark.parametrize(
    "name",
    ["", "localhost", "[192.0.2.1]", "192.0.2.1", "a..b", "x\u202e.example", "a\x00.b", "x" * 300],
)
def test_what_no_host_can_have_for_a_name_is_not_looked_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Addresses, single labels, and octets that no name server should be asked for."""
    odd = replace(mail(IPS[0]), helo=name, mail_from=f"b@{name}")
    assert Heard() == told(monkeypatch, tmp_path, odd)


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Return-Path of its own per message does not become a question of its own per message."""
    many = (replace(mail(n=n), mail_from=f"b@v{n}.mta.example") for n in range(100))
    assert heard.MOST == len(told(monkeypatch, tmp_path, *many).bounces)


def test_a_store_without_mail_tells_nothing(tmp_path: Path) -> None:
    """Of an empty store, and of a journal that is none."""
    store = LocalStore.open(tmp_path / "store", create=True)
    assert Heard() == heard_names(store, [instance()])["acme-prod1"]
    (tmp_path / "store" / "mail").mkdir(exist_ok=True)
    (tmp_path / "store" / "mail" / "000001.jsonl").write_bytes(b"\xff\xff\n{}\n")
    assert Heard() == heard_names(store, [instance()])["acme-prod1"]
