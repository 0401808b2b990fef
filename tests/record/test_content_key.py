# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.estates import END
from tests.builders.queues import letter, seed

from wavegate.record.content_key import (
    CampaignIds,
    Feedback,
    campaign_ids,
    content_hash,
    feedback,
    message_id_of,
    named_recipients,
    normal_text,
    tracking_ids,
)
from wavegate.record.message import Received
from wavegate.record.queue import Meaning, meaning

SIGNED = "e=YWJj&s=" + "A" * 43


def raw(data: bytes) -> Received:
    """A mail of these bytes."""
    return replace(letter(1), raw=data)


def test_message_id_holds_both_ids() -> None:
    """Row and delivery stand in the Message-ID as hex; each may be a negative 32-bit number."""
    assert CampaignIds(row=16, delivery=4001, suffix="acme@x.example") == campaign_ids(
        "<NM60000001000000FA1acme@x.example>"
    )
    found = campaign_ids("<AC7FFFFFFFB00000FA1acme@x.example>")
    assert found is not None
    assert (("4294967291", "-5"), ("4001",)) == (found.rows, found.deliveries)
    assert None is campaign_ids("<0000001000000FA1@x.example>")


@given(row=st.integers(-(2**31), 2**32 - 1), delivery=st.integers(0, 2**31 - 1))
def test_message_id_round_trip(row: int, delivery: int) -> None:
    """What a row's mail would bear names that row again."""
    found = campaign_ids(message_id_of(str(row), str(delivery), "i@d.example") or "")
    assert found is not None
    assert str(row) in found.rows
    assert (str(delivery),) == found.deliveries


@pytest.mark.parametrize(("row", "delivery"), [("x", "1"), ("1", ""), (str(2**40), "1")])
def test_no_message_id_for_other_ids(row: str, delivery: str) -> None:
    """Ids that are no 32-bit numbers make no Message-ID."""
    assert None is message_id_of(row, delivery, "i@d.example")


def test_feedback_is_unfolded() -> None:
    """X-MSFBL is read with whitespace inside its base64, and any order of keys."""
    told = {
        "r": "X@y.example",
        "rcpt_meta": {"d": "4001", "m": "7", "r": "X@y.example", "in": "acme"},
    }
    text = base64.b64encode(json.dumps(told).encode()).decode()
    expected = Feedback(recipient="x@y.example", delivery="4001", message="7", instance="acme")
    assert expected == feedback(f"c2ln|{text[:20]} \t {text[20:]}")


@given(value=st.text() | st.binary().map(lambda b: "s|" + base64.b64encode(b).decode()))
def test_hostile_feedback_is_none_or_read(value: str) -> None:
    """Whatever stands in the header, reading it never raises."""
    assert isinstance(feedback(value), Feedback | None)


def test_ids_clocks_and_signatures_are_no_content() -> None:
    """A resend under other ids, at another time, from another host, has the same content."""
    changed = {"Date": "Tue, 16 Jan 2024 22:00:00 +0000", "DKIM-Signature": "v=1; b=abc"}
    one = letter(1, text="hello")
    other = letter(1, 9, row_id=88001, text="hello", headers=changed, host="old", at=END)
    assert content_hash(one) == content_hash(other)
    assert content_hash(one) != content_hash(letter(1, text="hello, again"))
    assert content_hash(one) != content_hash(letter(1, text="hello", headers={"Subject": "x"}))


def test_one_text_for_many_readers() -> None:
    """The reader's own address in the text does not make another content; another's does."""
    one, two = letter(1, text=f"Dear {seed(1)}"), letter(2, text=f"Dear {seed(2)}")
    assert content_hash(one) == content_hash(two)
    assert content_hash(one) != content_hash(letter(1, text=f"Dear {seed(2)}"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            f"https://t.x/r/?id=h1a,fa1,3&p1=ab&{SIGNED}",
            f"https://t.x/r/?id=h2b,fb2,3&p1=cd&{SIGNED}",
        ),
        ("https://m.x/nl/jsp/m.jsp?c=%40abc%3D", "https://m.x/nl/jsp/m.jsp?c=%40xyz%3D"),
        (
            "<mailto:a@x?subject=unsubscribe%3C1%3E>",
            "<mailto:a@x?subject=unsubscribe%3C2%3E>",
        ),
        ("two   words\r\n", "two words"),
    ],
)
def test_what_sending_writes_into_a_body(one: str, other: str) -> None:
    """Tracking ids and signatures, mirror tokens, unsubscribe addresses are taken out."""
    assert normal_text(one) == normal_text(other)


def test_the_link_itself_is_content() -> None:
    """Which of the tracked links it is, and where other links lead, stays."""
    assert normal_text("https://t.x/r/?id=h1,2,3") != normal_text("https://t.x/r/?id=h1,2,4")
    assert normal_text("https://x.example/a?s=1") != normal_text("https://x.example/a?s=2")


def test_ids_and_readers_in_a_mail() -> None:
    """The ids in links and the addresses that a mail names are found."""
    mail = letter(1, text=f"for {seed(5)}")
    assert frozenset({(70001, 4001)}) == tracking_ids(mail)
    assert frozenset({seed(1), seed(5)}) == named_recipients(mail)


@given(data=st.binary(max_size=300))
def test_hostile_mail_is_hashed_or_not(data: bytes) -> None:
    """Any bytes give a hash or none, and nothing raises."""
    mail = raw(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + data)
    assert isinstance(content_hash(mail), str | None)
    assert isinstance(named_recipients(mail), frozenset)
    assert isinstance(tracking_ids(mail), frozenset)


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        (6, "", Meaning.PENDING),
        (1, "sent", Meaning.SENT),
        (2, "", Meaning.FAILED),
        (7, "Delivery cancelled", Meaning.CANCELLED),
        (8, "Taken into account by the service provider", Meaning.ACCEPTED),
        (5, "Sent to the service provider", Meaning.ACCEPTED),
        (0, "pending", Meaning.PENDING),
        (0, "", Meaning.IGNORED),
        (4, "Received on mobile", Meaning.SENT),
        (3, "Delivery error", Meaning.FAILED),
        (44, "", Meaning.UNKNOWN),
    ],
)
def test_meaning_of_status(status: int, name: str, expected: Meaning) -> None:
    """The instance's own name for a status decides, the documented number where it has none."""
    assert expected is meaning(status, name)
