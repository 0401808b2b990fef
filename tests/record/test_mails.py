# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The record of an instance's mails: whole, canonical, and nothing else is taken for one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import digest, dumps, loads
from wavegate.errors import DamagedError
from wavegate.record.mails import MailsRecord
from wavegate.record.message import Received
from wavegate.record.snapshot import Phase

AT = datetime(2024, 1, 16, 20, tzinfo=UTC)
RAW = b"From: a@news.acme.example\r\nMessage-ID: <1@news.acme.example>\r\n\r\nhello\r\n"


def mail(raw: bytes = RAW, *, ended: datetime = AT, journal: str = "") -> Received:
    """A mail that the sink received over a plain connection."""
    return Received(
        source="sink",
        peer="192.0.2.10",
        peer_by="socket",
        helo="r10.news.acme.example",
        mail_from="bounce@news.acme.example",
        recipients=("seed@seed.example",),
        connected=AT,
        ended=ended,
        tls=False,
        raw=raw,
        digest=digest(raw),
        journal=journal,
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PHASES: st.SearchStrategy[Phase] = st.sampled_from(["before", "after"])
INSTANTS = st.datetimes(timezones=st.just(UTC))


@st.composite
def mails(draw: st.DrawFn) -> Received:
    """Any mail that a source could hand over."""
    raw = draw(st.binary(max_size=100))
    return Received(
        source=draw(st.sampled_from(["sink", "imap", "maildir", "mbox"])),
        peer=str(draw(st.ip_addresses())),
        peer_by=draw(st.sampled_from(["socket", "proxy", "received"])),
        helo=draw(st.none() | TEXTS),
        mail_from=draw(st.none() | TEXTS),
        recipients=tuple(draw(st.lists(TEXTS, max_size=3))),
        connected=draw(INSTANTS),
        ended=draw(INSTANTS),
        tls=draw(st.none() | st.booleans()),
        raw=raw,
        digest=digest(raw),
        journal=draw(TEXTS),
    )


RECORD = MailsRecord(
    instance="acme-prod1",
    customer="acme",
    wave="w1",
    phase="after",
    since=datetime(2024, 1, 16, 23, tzinfo=UTC),
    until=datetime(2024, 1, 17, 1, tzinfo=UTC),
    messages=(mail(journal="segment#3"),),
)


def read(data: bytes) -> MailsRecord:
    """The record of some bytes, under their digest."""
    return MailsRecord.from_bytes(data, digest=digest(data))


@given(st.lists(mails(), max_size=4), PHASES, INSTANTS, TEXTS)
def test_record_comes_back_without_loss(
    messages: list[Received], phase: Phase, instant: datetime, name: str
) -> None:
    """Whatever mails it holds, the record reads back equal and writes the same bytes again."""
    record = replace(
        RECORD, messages=tuple(messages), phase=phase, since=instant, until=instant, instance=name
    )
    data = record.to_bytes()
    assert read(data) == record
    assert read(data).to_bytes() == data
    assert dumps(loads(data)) == data


def changed(**fields: object) -> bytes:
    """The record with other fields."""
    found = loads(RECORD.to_bytes())
    assert isinstance(found, dict)
    return dumps({**found, **fields})


def changed_mail(**fields: object) -> bytes:
    """The record with other fields in its mail."""
    found = loads(RECORD.to_bytes())
    assert isinstance(found, dict)
    return dumps({**found, "messages": [{**found["messages"][0], **fields}]})


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{}",
        b"not json",
        changed(schema="wavegate/mails/v2"),
        changed(phase="between"),
        changed(instance=None),
        changed(to="yesterday"),
        changed(messages={}),
        changed(messages=["mail"]),
        changed_mail(raw="aGVsbG8="),
        changed_mail(raw="not base64"),
        changed_mail(raw="QR=="),
        changed_mail(peer_by="guess"),
        changed_mail(recipients="seed@seed.example"),
        changed_mail(recipients=[1]),
        changed_mail(tls="yes"),
        changed_mail(ended="2024-01-16T20:00:00"),
        changed_mail(journal=None),
    ],
)
def test_other_bytes_are_damage(data: bytes) -> None:
    """A newer schema, a changed message or a wrong type is damage with its place."""
    with pytest.raises(DamagedError) as caught:
        read(data)
    assert caught.value.where == digest(data)


def test_message_must_match_its_digest() -> None:
    """A raw message changed within a record that was signed anew is still seen."""
    with pytest.raises(DamagedError, match="does not match its digest"):
        read(changed_mail(digest="0" * 64))
