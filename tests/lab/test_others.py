# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What others do around an instance: receivers that bring bounces, or hand mail over late."""

import asyncio
import email
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from ruamel.yaml import YAML

from wavegate.clock import parse_instant
from wavegate.lab import client, mailbox, visitors
from wavegate.lab.greeter import Greeter
from wavegate.lab.reference import reference_world
from wavegate.lab.serve import running
from wavegate.lab.smtp_client import Envelope, deliver

FLOW = reference_world().before.instance("acme-prod1").mailing
TAKEN = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
SOON, SHORT = timedelta(seconds=0.4), timedelta(seconds=0.4)


def test_mail_is_handed_over_with_the_receivers_word(tmp_path: Path) -> None:
    """The topmost Received line is the receiver's and tells when it took the message."""
    mailbox.make(tmp_path)
    mailbox.hand_over(tmp_path, "acme-prod1", replace(FLOW, mailbox=12), "r@seed.example", TAKEN)
    found = [email.message_from_bytes(path.read_bytes()) for path in (tmp_path / "new").iterdir()]
    lines = [told["Received"] for told in found]
    assert len({told["Message-ID"] for told in found}) == 12
    assert all(f"by {mailbox.RECEIVER}" in line for line in lines)
    assert {parsedate_to_datetime(line.rpartition(";")[2].strip()) for line in lines} == {TAKEN}
    assert any("[IPv6:2001:db8:10::20]" in line for line in lines)


def test_a_mailbox_fills_in_the_window(tmp_path: Path) -> None:
    """The estate names it, it is empty before, and what lies in it had left before the opening."""
    faults = ("benign-late-in-mailbox", "benign-inbound-in-window")
    with running("single", tmp_path, faults=faults, opens_in=SOON, window=SHORT) as lab:
        tree = YAML(typ="safe").load(tmp_path / "estate.yaml")
        (place,) = (i["mail"][1] for i in tree["instances"] if i["name"] == "acme-prod1")
        folder = tmp_path / place["maildir"] / "new"
        early = len(list(folder.iterdir()))
        client.phase(tmp_path, "window")
        opens = parse_instant(tree["waves"][0]["window"]["start"])
        dates = [email.message_from_bytes(p.read_bytes())["Date"] for p in folder.iterdir()]
        visits = len(lab._visits)
    assert (early, len(dates), visits) == (0, 20, 1)
    assert max(map(parsedate_to_datetime, dates)) < opens


def test_bounces_are_brought() -> None:
    """Each visit is greeted by the exchanger while it greets at all."""

    async def come(able: bool) -> int:
        async with AsyncExitStack() as stack:
            greeter = Greeter("mx.example", lambda: able)
            await greeter.start(stack)
            return await visitors.bring(greeter.address, 3, timedelta())

    assert [asyncio.run(come(able)) for able in (True, False)] == [3, 0]


def test_a_message_is_under_way_as_long_as_it_is_held(
    tmp_path: Path, listening: Callable[[str], AbstractContextManager[object]]
) -> None:
    """Its last line comes after the pause, and it arrives whole."""
    with running("single", tmp_path, opens_in=timedelta(hours=1)) as lab:
        address = lab.smtp
    host, port = address.split(":")
    letter = Envelope(source="127.10.3.11", helo="h", mail_from="b@x", recipient="r@x")
    with listening(address) as sink:
        asyncio.run(deliver((host, int(port)), letter, b"A: b\r\n\r\n.dot\r\n", held=0.05))
    assert [mail.raw for mail in sink.mails] == [b"A: b\r\n\r\n.dot\r\n"]  # type: ignore[attr-defined] # a Sink of conftest
