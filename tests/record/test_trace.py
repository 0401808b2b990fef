# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Received lines: only the named receiver's own line counts, and only where it is unambiguous."""

from datetime import UTC, datetime
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.mails import mail

from wavegate.canonical import digest
from wavegate.record.message import Received
from wavegate.record.trace import MAX_LINE, NoTrust, TraceLine, believed, sender_lines, trace_line

MX = "mx.seed.example"
DATE = "Tue, 16 Jan 2024 20:00:01 +0000 (UTC)"
AT = datetime(2024, 1, 16, 20, 0, 1, tzinfo=UTC)
POSTFIX = f"from mta1 (mta1.acme.example [192.0.2.10]) by {MX} (Postfix) with ESMTPS id X; {DATE}"
LMTP = f"from {MX} by {MX} with LMTP id Y (envelope-from <a@b>) for <seed@seed.example>; {DATE}"
GMAIL = f"by 2002:a05:6a10:1 with SMTP id Z; {DATE}"

DIALECTS = {
    "postfix": (POSTFIX, "192.0.2.10"),
    "postfix-tls": (
        (
            f"from m (m.acme.example [192.0.2.10]) (using TLSv1.3 with cipher X (256/256 bits)) "
            f"(No client certificate requested) by {MX} (Postfix) with ESMTPS id X; {DATE}"
        ),
        "192.0.2.10",
    ),
    "postfix-six": (
        f"from m (m.acme.example [IPv6:2001:DB8::10]) by {MX} with ESMTP id X; {DATE}",
        "2001:db8::10",
    ),
    "sendmail": (
        (
            f"from m (m.acme.example [192.0.2.10] (may be forged)) by {MX} (8.17/8.17) "
            f"with ESMTP id X for <seed@seed.example>; {DATE}"
        ),
        "192.0.2.10",
    ),
    "exim": (
        f"from [192.0.2.10] (helo=m) by {MX} with esmtps (Exim 4.96) id X; {DATE}",
        "192.0.2.10",
    ),
    "exim-name": (
        f"from m.acme.example ([192.0.2.10]:4455 helo=m) by {MX} with esmtp (Exim 4) id X; {DATE}",
        "192.0.2.10",
    ),
    "exchange": (
        f"from m.acme.example (192.0.2.10) by {MX} (10.0.0.2) with Microsoft SMTP Server; {DATE}",
        "192.0.2.10",
    ),
    "qmail": (f"from unknown (HELO m) (192.0.2.10) by {MX} with SMTP; {DATE}", "192.0.2.10"),
    "mapped": (f"from m (m [::ffff:192.0.2.10]) by {MX} with ESMTP id X; {DATE}", "192.0.2.10"),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_peer_of_every_dialect(name: str) -> None:
    """Each mail server writes its own way, and the address that it saw is found in all of them."""
    line, peer = DIALECTS[name]
    assert (MX, peer, AT) == (trace_line(line).by, trace_line(line).peer, trace_line(line).at)


AMBIGUOUS = {
    "helo-is-an-address": f"from [192.0.2.10] by {MX} with SMTP; {DATE}",
    "two-addresses": f"from m (m [192.0.2.10]) (x [198.51.100.7]) by {MX} with SMTP; {DATE}",
    "forged-line": f"from m (m [192.0.2.10]) by {MX} (e [198.51.100.7]) by {MX} with SMTP; {DATE}",
    "exim-helo": f"from [198.51.100.7] (helo=m [192.0.2.10]) by {MX} with esmtp; {DATE}",
    "no-address": f"from localhost by {MX} with SMTP; {DATE}",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_line_names_no_peer(name: str) -> None:
    """What a client says of itself never becomes the address that it came from."""
    assert isinstance(believed([AMBIGUOUS[name]], MX), NoTrust)


@pytest.mark.parametrize("above", [[], [LMTP], [GMAIL], [LMTP, GMAIL]])
def test_lines_of_passing_on_are_looked_through(above: list[str]) -> None:
    """A mail store's own delivery step stands above the line of the receiver."""
    found = believed([*above, POSTFIX], MX)
    assert isinstance(found, TraceLine)
    assert "192.0.2.10" == found.peer


def test_forged_lower_line_never_counts() -> None:
    """A line of the receiver below another host's was written by the sender."""
    other = f"from e (e [198.51.100.7]) by mx.other.example with ESMTP id X; {DATE}"
    assert isinstance(believed([other, POSTFIX], MX), NoTrust)
    forged = POSTFIX.replace("192.0.2.10", "192.0.2.99")
    found = believed([POSTFIX, forged], MX)
    assert isinstance(found, TraceLine)
    assert "192.0.2.10" == found.peer


def test_local_submission_is_not_passing_on() -> None:
    """A program on a host can put any header below the line of its submission."""
    local = f"by mx2.seed.example (Postfix, from userid 1000) id X; {DATE}"
    assert isinstance(believed([local, POSTFIX], MX), NoTrust)


def test_name_of_the_receiver_ignores_case_and_final_dot() -> None:
    """Names are compared as DNS compares them."""
    assert isinstance(believed([POSTFIX], "MX.Seed.Example."), TraceLine)


def from_mailbox(lines: list[str]) -> Received:
    """A mail of a mailbox with these Received lines."""
    raw = "".join(f"Received: {line}\r\n" for line in lines).encode() + b"From: a@b\r\n\r\nx\r\n"
    base = mail()
    return Received(
        **{name: getattr(base, name) for name in base.__dataclass_fields__ if name not in CHANGED},
        source="maildir",
        peer="192.0.2.10",
        peer_by="received",
        raw=raw,
        digest=digest(raw),
    )


CHANGED = {"source", "peer", "peer_by", "raw", "digest"}


def test_lines_of_the_receiver_are_none_of_the_senders() -> None:
    """What is read off the sender's hops (hosts, clocks) never comes from the receiving side."""
    own = f"from app by r10.acme.example with SMTP id Q; {DATE}"
    assert (own,) == sender_lines(from_mailbox([LMTP, POSTFIX, own]))
    assert () == sender_lines(from_mailbox([own]))


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """A line is written by strangers."""
    trace_line(text)
    believed([text], MX)


def test_hostile_line_takes_bounded_time() -> None:
    """Brackets without end do not stall the reading."""
    begun = perf_counter()
    for text in ("from " + "(" * 100_000, "from " + "(a" * 50_000 + ")" * 50_000, "(" * MAX_LINE):
        trace_line(text + f" by {MX}; {DATE}")
    assert perf_counter() - begun < 5
