# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which sources spoke of the sending IPs, which were silent, and which could not be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from wavegate.compare.ip_reports import Reported
from wavegate.compare.senders import binding_ip
from wavegate.record.mail_look import MailLook
from wavegate.record.message import Received
from wavegate.verdict import NotCompared


def said(
    mails: Sequence[Received],
    reports: Iterable[Reported],
    spf: Mapping[str, bool],
    agreed: frozenset[str],
) -> str:
    """The sources in one line, without counts, so that equal lines are told once.

    mails, reports: of both sides. spf: after.
    """
    sources = [
        ("estate", bool(agreed)),
        ("peer address (sink)", any(mail.peer_by != "received" for mail in mails)),
        ("trusted Received line", any(mail.peer_by == "received" for mail in mails)),
        ("X-MSFBL binding", any(binding_ip(mail) for mail in mails)),
        ("SPF", bool(spf)),
        ("DMARC reports", any(side.orgs for side in reports)),
    ]
    heard = ", ".join(name for name, spoke in sources if spoke)
    mute = ", ".join(name for name, spoke in sources if not spoke)
    denied = sorted(ip for ip in agreed if spf.get(ip) is False)
    doubt = f"; they disagree: SPF does not pass {', '.join(denied)}" if denied else ""
    return f"sources heard: {heard}; silent: {mute or 'none'}{doubt}"


def silent(looks: Iterable[MailLook]) -> Iterator[NotCompared]:
    """The mailboxes and folders that could not be read, or not all of them."""
    for look in looks:
        why = f": {look.problems[0]}" if look.problems else ""
        if not look.whole:
            yield NotCompared(what=look.name, reason=f"it could not be read wholly{why}")
        elif look.left_out:
            yield NotCompared(what=f"{look.left_out} of {look.name}", reason=f"left out{why}")
