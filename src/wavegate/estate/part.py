# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The part of an estate that is one customer's: what an extract holds, and nothing of others.

The agreed estate of the customer is the same in the part as in the whole.
"""

from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address
from typing import TypeVar

from wavegate.estate.model import Estate, ExpectedChange, Instance, Limit, Wave

T = TypeVar("T", Limit, ExpectedChange)


def part_of(
    estate: Estate, customer: str, causes: Collection[str] = (), wave: str | None = None
) -> Estate:
    """The estate with this customer's instances, and of all else what is about them.

    causes: those of the customer's cells; a waiver that names no instance is theirs by its cause.
    wave: one that stays although none of their instances is in it, for what is said of them there.
    """
    own = tuple(found for found in estate.instances if found.customer == customer)
    names = {instance.name for instance in own}
    waves = (_wave(found, names, customer) for found in estate.waves)
    waivers = (
        waiver
        for waiver in estate.waivers
        if (waiver.instance in names if waiver.instance else waiver.cause in causes)
    )
    return estate.model_copy(
        update={
            "authoritative": {
                zone: servers
                for zone, servers in estate.authoritative.items()
                if _concerns(zone, own)
            },
            "customers": tuple(c for c in estate.customers if c.name == customer),
            "instances": own,
            "waves": tuple(found for found in waves if found.instances or found.name == wave),
            "limits": tuple(_about(estate.limits, names)),
            "waivers": tuple(waivers),
            "expected_changes": tuple(_about(estate.expected_changes, names)),
        }
    )


def _wave(wave: Wave, names: Collection[str], customer: str) -> Wave:
    update = {
        "instances": tuple(name for name in wave.instances if name in names),
        "notices": tuple(notice for notice in wave.notices if notice.customer == customer),
    }
    return wave.model_copy(update=update)


def _about(items: Iterable[T], names: Collection[str]) -> Iterator[T]:
    """The items that name one of these instances, without the others that they name."""
    for item in items:
        kept = tuple(name for name in item.instances if name in names)
        if kept:
            yield item.model_copy(update={"instances": kept})


def _concerns(zone: str, own: Iterable[Instance]) -> bool:
    """Whether a name of these instances lies in the zone."""
    asked = {f".{name}." for instance in own for name in _names(instance)}
    return any(name.endswith(f".{zone.lstrip('.')}") for name in asked)


def _names(instance: Instance) -> Iterable[str]:
    yield from (domain.name.rstrip(".") for domain in instance.domains)
    yield from (ip_address(ip).reverse_pointer for ip in instance.sending_ips)
