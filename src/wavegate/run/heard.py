# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The names that received mail told, for a capture to look up: Return-Path domains, HELO names.

Only mail from the agreed sending IPs counts: anyone can write to a sink, and nobody may have us
look up what they please.
"""

import re
from collections.abc import Iterable, Mapping

from wavegate.compare.senders import address, listed
from wavegate.estate.model import Instance
from wavegate.observe.probe import Heard
from wavegate.record.mail_journal import stream_mails
from wavegate.record.message import Received
from wavegate.record.store import Store

MOST = 24
"""Names of a kind per instance, in the order in which they were first heard."""
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{4,253}}\Z){_LABEL}(?:\.{_LABEL})+")


def heard_names(store: Store, instances: Iterable[Instance]) -> Mapping[str, Heard]:
    """Per instance the names that its mail told. Journals that cannot be read tell none."""
    every = tuple(instances)
    owners: dict[str, list[str]] = {}
    for instance in every:
        for ip in listed(instance):
            owners.setdefault(ip, []).append(instance.name)
    own = {instance.name: {domain.name for domain in instance.domains} for instance in every}
    bounces: dict[str, dict[str, None]] = {name: {} for name in own}
    greetings: dict[str, dict[str, None]] = {name: {} for name in own}
    for mail in stream_mails(store, lambda _: None):
        for name in owners.get(address(mail.peer), ()):
            back, greeting = _told(mail)
            if back not in own[name]:
                _note(bounces[name], back)
            _note(greetings[name], greeting)
    return {
        name: Heard(bounces=tuple(bounces[name]), greetings=tuple(greetings[name])) for name in own
    }


def _told(mail: Received) -> tuple[str, str]:
    back = (mail.mail_from or "").rpartition("@")[2].strip("<> ")
    return _plain(back), _plain(mail.helo or "")


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _note(found: dict[str, None], name: str) -> None:
    """Keep a name that a host can have; what is none, such as an address, is not looked up."""
    if len(found) < MOST and _NAME.fullmatch(name) and not name.rpartition(".")[2].isdigit():
        found.setdefault(name)
