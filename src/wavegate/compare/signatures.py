# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The received mails of an instance with what became of each of their DKIM signatures.

Only mail that speaks for the instance counts: anyone can write to a sink.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from dns.name import Name

from wavegate.compare.per_server import View
from wavegate.compare.senders import from_domain, speaks_for
from wavegate.compare.verifying import verify_received
from wavegate.estate.model import Instance
from wavegate.mailauth.dkim import Outcome, Verified
from wavegate.mailauth.dkim_key import Key, effective_key
from wavegate.mailauth.names import name_of
from wavegate.record.message import Received
from wavegate.record.trace import sender_lines
from wavegate.verdict import Missing, On

_BY = re.compile(r"\bby\s+([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One mail. author: the domain of From, lower case. results: one per signature."""

    mail: Received
    author: str
    results: tuple[Verified, ...]

    @property
    def passing(self) -> tuple[Verified, ...]:
        """The signatures that verify and may be relied on."""
        return tuple(found for found in self.results if found.outcome is Outcome.PASS)

    @property
    def host(self) -> str:
        """The host that wrote the sender's topmost Received header; empty where there is none."""
        found = _BY.search(next(iter(sender_lines(self.mail)), ""))
        return found[1].lower().rstrip(".") if found else ""


def signed_mails(instance: Instance, view: View, mails: tuple[Received, ...]) -> tuple[Signed, ...]:
    """The mails that speak for the instance, verified with the keys that the view recorded."""
    every = _verified(view, mails)  # type: ignore[arg-type]  # a view is hashed by identity
    own = _own_digests(instance, every)
    return tuple(one for one in every if speaks_for(instance, one.mail, own))


@lru_cache(maxsize=4)
def _verified(view: View, mails: tuple[Received, ...]) -> tuple[Signed, ...]:
    """All mails of a side; kept for the next promise that rests on them, and then dropped."""
    keys: dict[Name, Key] = {}
    lookup = view.lookup()

    def key_of(name: Name) -> Key:
        if name not in keys:
            keys[name] = effective_key(lookup(name, "TXT"))
        return keys[name]

    return tuple(
        Signed(mail=mail, author=from_domain(mail), results=verify_received(mail, key_of))
        for mail in mails
    )


def _own_digests(instance: Instance, mails: tuple[Signed, ...]) -> frozenset[str]:
    domains = {domain.name for domain in instance.domains}
    return frozenset(
        one.mail.digest for one in mails if any(found.domain in domains for found in one.passing)
    )


def sender_domains(instance: Instance) -> tuple[Name, ...]:
    """The sender domains of the estate as names."""
    found = (name_of(domain.name) for domain in instance.domains)
    return tuple(name for name in found if name is not None)


def mail_gaps(
    instance: Instance, before: tuple[Signed, ...], after: tuple[Signed, ...]
) -> Iterable[Missing]:
    """What is missing where there is too little mail to judge by: empty is never a pass."""
    name = f"instance:{instance.name}"
    if not instance.mail:
        yield _gap("no-mail-source", name, "a mail source of the instance, or an approved limit")
        return
    if not before:
        yield _gap("no-mail-before", name, "mail from before the window, which cannot be had later")
    if not after:
        yield _gap("no-mail-after", name, "mail from after the window: 1 message or more", 1)
        return
    for domain in sorted(authors(before) - authors(after)):
        yield _gap("no-mail-after", domain, f"1 message from {domain} sent after the window", 1)


def _gap(rule: str, subject: str, what: str, count: int | None = None) -> Missing:
    return Missing(
        what=what,
        on=On.OPERATOR,
        rule=rule,
        subject=subject,
        count=count,
        command="wavegate gate" if count else None,
    )


def authors(mails: Iterable[Signed]) -> set[str]:
    """The From domains of some mails."""
    return {one.author for one in mails}
