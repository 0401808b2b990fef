# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the policy `keep` lets stand of recipients and mails, with the keys to hide them by.

Addresses that the estate names as its own by a pattern with a domain are seeds, no person's, and
stay plain: what a promise says of a seed must be legible.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from wavegate.estate.model import Estate, Instance
from wavegate.evidence.keys import recipients_key
from wavegate.evidence.mail_shelf import owners
from wavegate.observe.kept_mail import MailKeeper
from wavegate.record.message import Received, domain_of
from wavegate.record.recipient import expression, hidden, hidden_at, normal_recipient
from wavegate.run.opening import home

NOBODY = ""
"""Stands for the customer of mail that belongs to no instance: its key is `recipients-.key`."""
MAX_SENDERS = 10_000
"""So many senders are remembered, and then worked out anew: strangers cost no memory."""


def row_keeper(estate: Estate, instance: Instance) -> Callable[[str], str]:
    """How the recipients in an instance's log are written down (policy `keep.recipients`).

    Raises InternalError, InputError where the customer's key cannot be made or read.
    """
    if estate.policy.keep.recipients == "plain":
        return normal_recipient
    ours, key = seeds([instance]), recipients_key(home(), instance.customer)

    def keep(address: str) -> str:
        plain = normal_recipient(address)
        return plain if not plain or ours.fullmatch(plain) else hidden(plain, key)

    return keep


def mail_keeper(estate: Estate) -> Callable[[Received], Received]:
    """How received mails are written down (policy `keep`): to be called with each of them.

    What it returns raises InternalError, InputError where a customer's key cannot be made or read.
    """
    keep = estate.policy.keep
    hide = None if keep.recipients == "plain" else _Hider(estate, seeds(estate.instances)).of
    return MailKeeper(hide=hide, bodies=keep.bodies).keep


def seeds(instances: "tuple[Instance, ...] | list[Instance]") -> "re.Pattern[str]":
    """What the seed addresses of instances look like."""
    return expression([p for one in instances for s in one.mail for p in s.recipients or ()])


Whose = tuple[str, str, str, str]
"""What tells whose mail it is: source, domains of From and of the envelope sender, peer."""


class _Hider:
    """Hides all addresses but seeds, under the key of the customer whose mail it is.

    A key is read once. For whom mail counts later is told by its recipients too; whose it is does
    not depend on them, so that it is worked out once per sender and not per mail.
    """

    def __init__(self, estate: Estate, ours: "re.Pattern[str]") -> None:
        self._estate = estate
        self._ours = ours
        self._customers: dict[Whose, str] = {}
        self._keys: dict[str, bytes] = {}

    def of(self, mail: Received) -> Callable[[str], str]:
        """How addresses in a mail are written down; the key is read where one is needed."""

        def hide(address: str) -> str:
            if self._ours.fullmatch(address):
                return address
            return hidden_at(address, self._key(mail))

        return hide

    def _key(self, mail: Received) -> bytes:
        senders = (domain_of(mail.header("From") or ""), domain_of(mail.mail_from or ""))
        whose = (mail.source, *senders, mail.peer)
        if whose not in self._customers:
            if len(self._customers) >= MAX_SENDERS:
                self._customers.clear()
            self._customers[whose] = self._customer(mail)
        customer = self._customers[whose]
        if customer not in self._keys:
            self._keys[customer] = recipients_key(home(), customer)
        return self._keys[customer]

    def _customer(self, mail: Received) -> str:
        found = owners(self._estate, replace(mail, recipients=()))
        return found[0].customer if found else NOBODY
