# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Copies of a world under names and addresses of their own, so that many can stand in one lab.

A copy has its own customers, domains, name servers, reverse zones, SPF policies and addresses.
Only the zones above them, the list of bad senders, the resolver and the wave itself are shared.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from wavegate.lab.dns_sign import delegated_again, signed_again
from wavegate.lab.dns_state import Rr, Zone, zone
from wavegate.lab.plants import fitting
from wavegate.lab.world import World

LEAST, MOST = 54, 126
"""The numbers of copies: each is the second part of its 127 addresses."""
CUSTOMERS = ("acme", "globex", "initech")
SERVICES = ("mailer", "tickets", "cust-a", "cust-b")
"""First labels of names that each copy has for itself."""
PARTIES = {10: 0, 20: 100, 30: 150}
"""The second part of a customer's addresses, and what is added to their third instead."""
KEPT = ("key", "name_of_key")
"""Fields that name a private key: keys are costly to make, so that copies share them."""
Match = re.Match[str]


def copied(world: World, number: int) -> World:
    """The world under other names. number: LEAST to MOST. Raises ValueError."""
    if not LEAST <= number <= MOST:
        raise ValueError(f"copy {number} has no addresses: {LEAST} to {MOST} have")
    found: World = _value(world, Namer(number=number))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Namer:
    """How the names of a copy differ from those of the reference world."""

    number: int

    def text(self, text: str) -> str:
        """A text with each name and address exchanged."""
        return _named(self.number, text)


@lru_cache(maxsize=1 << 16)
def _named(number: int, text: str) -> str:
    for pattern, change in _rules(number):
        text = pattern.sub(change, text)
    return text


@lru_cache(maxsize=MOST)
def _rules(number: int) -> tuple[tuple[re.Pattern[str], Callable[[Match], str]], ...]:
    """Patterns and what they become, one after the other."""
    return (*_owners(number), *_loopback(number), *_documentation(number), *_six(number))


def _rule(
    pattern: str, change: Callable[[Match], str]
) -> tuple[re.Pattern[str], Callable[[Match], str]]:
    return re.compile(pattern, re.IGNORECASE), change


def _owners(number: int) -> tuple[tuple[re.Pattern[str], Callable[[Match], str]], ...]:
    customers, services = "|".join(CUSTOMERS), "|".join(SERVICES)
    return (
        _rule(rf"(?<![a-z0-9])({customers})(?=[.-]|ol-|$)", lambda m: f"{m[1]}{number}"),
        _rule(rf"(?<![a-z0-9])({services})(?=\.example)", lambda m: f"{m[1]}{number}"),
        _rule(r"^(20\d\d-\d\d-w\d)$", lambda m: m[1] if m[1] == WAVE else f"{m[1]}-{number}"),
    )


WAVE = "2024-01-w1"


def _loopback(number: int) -> tuple[tuple[re.Pattern[str], Callable[[Match], str]], ...]:
    """127.10.3.11 and what is written from it, backwards too; name servers of the copy."""

    def party(second: str, third: str) -> int:
        return PARTIES[int(second)] + int(third)

    return (
        _rule(
            r"(?<![\d.])127\.(10|20|30)\.(\d+)\.(?=\d)",
            lambda m: f"127.{number}.{party(m[1], m[2])}.",
        ),
        _rule(
            r"(?<![\d.])((?:\d+\.)?)(\d+)\.(10|20|30)\.127\.(?=[a-z])",
            lambda m: f"{m[1]}{party(m[3], m[2])}.{number}.127.",
        ),
        _rule(r"(?<![\d.])127\.53\.([12])\.(?=\d)", lambda m: f"127.{number}.20{m[1]}."),
        _rule(r"(?<![\d.])127\.in-addr\.arpa\.", lambda m: f"{number}.{m[0]}"),
    )


def _documentation(number: int) -> tuple[tuple[re.Pattern[str], Callable[[Match], str]], ...]:
    """Addresses of RFC 5737 become others of the benchmark network (RFC 2544)."""
    blocks = (("192.0.2", 18, 0), ("198.51.100", 18, 128), ("203.0.113", 19, 0))
    return tuple(
        rule
        for block, second, more in blocks
        for rule in (
            _rule(
                rf"(?<![\d.]){re.escape(block)}\.(?=\d)", _become(f"198.{second}.{number + more}.")
            ),
            _rule(
                rf"(?<!\d){re.escape(_turned(block))}\.(?=[a-z])",
                _become(f"{number + more}.{second}.198."),
            ),
        )
    )


def _six(number: int) -> tuple[tuple[re.Pattern[str], Callable[[Match], str]], ...]:
    """2001:db8:10: and what is written from it, nibble by nibble and backwards."""
    nibbles = ".".join(reversed(f"{number:04d}"))
    top = "8.b.d.0.1.0.0.2."
    return (
        _rule(r"(?<![0-9a-f])(2001:db8:)10:", lambda m: f"{m[1]}{number}:"),
        _rule(rf"(?<![0-9a-f])0\.1\.0\.0\.{re.escape(top)}", _become(f"{nibbles}.{top}")),
        _rule(rf"(?<![0-9a-f.]){re.escape(top)}(?=ip6)", _become(f"{nibbles}.{top}")),
    )


def _become(text: str) -> Callable[[Match], str]:
    return lambda _: text


def _turned(block: str) -> str:
    return ".".join(reversed(block.split(".")))


def _value(value: Any, namer: Namer) -> Any:
    """Any value of a world with its texts exchanged; sorted again where that is its form."""
    match value:
        case str():
            return namer.text(value)
        case tuple():
            return tuple(_value(item, namer) for item in value)
        case Zone():
            records = (_value(rr, namer) for rr in value.records)
            return signed_again(zone(namer.text(value.origin), records))
        case Rr():
            owner = namer.text(value.owner)
            return replace(value, owner=owner, data=_data(owner, value, namer))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _record(value, namer)
        case _:
            return value


def _data(owner: str, rr: Rr, namer: Namer) -> str:
    """The data of a record; texts fit their strings again, and a DS vouches for the new name."""
    match rr.type:
        case "DNSKEY" | "RRSIG":
            return rr.data
        case "DS":
            return delegated_again(owner, rr.data)
        case "TXT":
            return fitting(namer.text(rr.data))
        case _:
            return namer.text(rr.data)


def _record(value: Any, namer: Namer) -> Any:
    changed: Mapping[str, Any] = {
        field.name: getattr(value, field.name)
        if field.name in KEPT
        else _value(getattr(value, field.name), namer)
        for field in fields(value)
    }
    return replace(value, **changed)
