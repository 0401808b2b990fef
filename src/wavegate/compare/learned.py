# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Traits that are learned from mail before and held against mail after.

HELO names, Return-Path domains, the forms of List-Unsubscribe, the signed header lists, STARTTLS,
and which addresses serve which domain. A value convicts when chance is excluded: a new one that so
many mails before would have shown, a lost one that so many mails after would have shown.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import getaddresses
from urllib.parse import urlsplit

from wavegate.compare.coverage import chance_of_missing, lower_bound
from wavegate.compare.senders import Shipment, address, from_domain, listed, shipment, speaks_for
from wavegate.estate.model import Instance
from wavegate.record.message import Received

ALPHA = 0.001
STEADY = 3
SERVES = "addresses that send for"
HELO = "HELO of"
ONE_CLICK = "list-unsubscribe=one-click"
"""The value of List-Unsubscribe-Post (RFC 8058 3.1), in lower case."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class TraitKey:
    """A trait of one thing: `HELO of 192.0.2.10`, `Return-Path of news.acme.example`."""

    trait: str
    of: str

    @property
    def subject(self) -> str:
        """The subject of findings."""
        return f"{self.trait} {self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The values of one trait, each with the shipments that show it and one message id."""

    shipments: Mapping[str, frozenset[Shipment]]
    examples: Mapping[str, str]

    def count(self, value: str) -> int:
        """In how many independent shipments a value was seen."""
        return len(self.shipments.get(value, frozenset()))

    @property
    def total(self) -> int:
        """How many independent shipments there were at all."""
        return len(frozenset().union(*self.shipments.values()))


Traits = Mapping[TraitKey, Learned]


def learn(instance: Instance, mails: Iterable[Received], verified: frozenset[str]) -> Traits:
    """All traits of the mails that speak for the instance."""
    seen: dict[TraitKey, dict[str, set[Shipment]]] = {}
    examples: dict[TraitKey, dict[str, str]] = {}
    for mail in mails:
        if not speaks_for(instance, mail, verified):
            continue
        for key, value in _traits(instance, mail):
            seen.setdefault(key, {}).setdefault(value, set()).add(shipment(mail))
            examples.setdefault(key, {}).setdefault(value, mail.message_id)
    return {
        key: Learned(
            shipments={value: frozenset(found) for value, found in sorted(values.items())},
            examples=examples[key],
        )
        for key, values in sorted(seen.items())
    }


def _traits(instance: Instance, mail: Received) -> Iterator[tuple[TraitKey, str]]:
    peer, domain = address(mail.peer), from_domain(mail)
    if mail.helo:
        yield TraitKey(trait=HELO, of=peer), mail.helo.lower().rstrip(".")
    if peer in listed(instance):
        yield TraitKey(trait=SERVES, of=domain), peer
    if mail.mail_from:
        back = mail.mail_from.rpartition("@")[2].strip("<>").lower().rstrip(".")
        yield TraitKey(trait="Return-Path domain of", of=domain), back
    yield TraitKey(trait="List-Unsubscribe of", of=domain), _unsubscribe(mail)
    for signer, headers in _signed(mail):
        yield TraitKey(trait="signed headers of", of=signer), headers
    if mail.tls is not None:
        yield TraitKey(trait="STARTTLS of", of=domain), "used" if mail.tls else "not used"


def _unsubscribe(mail: Received) -> str:
    """The form of List-Unsubscribe (RFC 2369, RFC 8058): schemes and hosts, one-click or not.

    One click works where the Post field says so in its one form, and there is an https address.
    """
    value = mail.header("List-Unsubscribe")
    if value is None:
        return "none"
    forms = sorted(_form(uri) for uri in re.findall(r"<\s*([^>]+)>", value))
    posts = "".join((mail.header("List-Unsubscribe-Post") or "").split()).lower()
    works = posts == ONE_CLICK and any(form.startswith("https:") for form in forms)
    return " ".join([*forms, *(["one-click"] if works else [])]) or "none"


def _form(uri: str) -> str:
    try:
        parts = urlsplit(uri.strip())
    except ValueError:
        return "unreadable"
    if parts.scheme.lower() == "mailto":
        found = getaddresses([parts.path])
        return f"mailto:{found[0][1].rpartition('@')[2].lower()}" if found else "mailto:"
    return f"{parts.scheme.lower()}:{(parts.hostname or '').lower()}"


def _signed(mail: Received) -> Iterator[tuple[str, str]]:
    """Per DKIM signature its domain and the headers it covers (RFC 6376 3.5, d= and h=)."""
    for value in mail.headers("DKIM-Signature"):
        pairs = [part.partition("=") for part in value.split(";")]
        tags = {name.strip(): "".join(text.split()).lower() for name, _, text in pairs}
        if tags.get("d") and tags.get("h"):
            yield tags["d"].rstrip("."), ":".join(sorted(tags["h"].split(":")))


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitChange:
    """Values of a trait that came or went.

    usual: all values before. beyond_chance: whether so much mail excludes chance. counts: shipments
    before and after. example: a message id of a new value.
    """

    key: TraitKey
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    usual: tuple[str, ...]
    beyond_chance: bool
    counts: tuple[int, int]
    example: str | None

    @property
    def serves(self) -> bool:
        """Whether it is about which addresses serve a domain, which is drawn by chance."""
        return self.key.trait == SERVES

    @property
    def subject(self) -> str:
        """What the cause is about: a greeting is a host's, whichever address it came from."""
        if self.key.trait == HELO:
            return f"HELO {', '.join(self.gained or self.lost)}"
        return self.key.subject


def changes(before: Traits, after: Traits) -> Iterator[TraitChange]:
    """What differs between traits known on both sides."""
    gone = _seen_addresses(before) - _seen_addresses(after)
    for key in sorted(before.keys() & after.keys()):
        old, new = before[key], after[key]
        gained = [value for value in new.shipments if value not in old.shipments]
        lost = [value for value in old.shipments if value not in new.shipments]
        if key.trait == SERVES:
            lost = [value for value in lost if value not in gone]
        yield from _split(key, old, new, gained, lost)


def _seen_addresses(traits: Traits) -> frozenset[str]:
    return frozenset(
        value for key, found in traits.items() if key.trait == SERVES for value in found.shipments
    )


def _split(
    key: TraitKey, old: Learned, new: Learned, gained: list[str], lost: list[str]
) -> Iterator[TraitChange]:
    """The values that chance does not explain in one change, the others in another."""
    swapped = _replaced(key, old, new)
    sure_gained = [v for v in gained if swapped or _proven(new.count(v), new.total, old.total)]
    sure_lost = [v for v in lost if swapped or _proven(old.count(v), old.total, new.total)]
    rest_gained = [v for v in gained if v not in sure_gained]
    rest_lost = [v for v in lost if v not in sure_lost]
    for sure, more, less in ((True, sure_gained, sure_lost), (False, rest_gained, rest_lost)):
        if more or less:
            yield TraitChange(
                key=key,
                lost=tuple(less),
                gained=tuple(more),
                usual=tuple(old.shipments),
                beyond_chance=sure,
                counts=(old.total, new.total),
                example=new.examples[more[0]] if more else None,
            )


def _replaced(key: TraitKey, old: Learned, new: Learned) -> bool:
    """A trait that never varied before and has nothing but other values after."""
    steady = len(old.shipments) == 1 and old.total >= STEADY
    return key.trait != SERVES and steady and not old.shipments.keys() & new.shipments.keys()


def _proven(hits: int, total: int, elsewhere: int) -> bool:
    """Whether a value with at least its share here would have shown in the mails elsewhere."""
    return chance_of_missing([lower_bound(hits, total)], elsewhere) <= ALPHA
