# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Questions to an estate: who is in which wave, who is affected and in none."""

from wavegate.errors import InputError
from wavegate.estate.model import Customer, Estate, Instance, Wave
from wavegate.estate.problems import did_you_mean


def named_wave(estate: Estate, name: str) -> Wave:
    """The wave of that name. Raises InputError, which names those there are."""
    known = [wave.name for wave in estate.waves]
    if name not in known:
        listed = ", ".join(known) or "none"
        raise InputError(
            f"no wave is named {name!r}",
            cure=did_you_mean(name, known, otherwise=f"name one of the estate's: {listed}"),
        )
    return estate.wave(name)


def named_customer(estate: Estate, name: str) -> Customer:
    """The customer of that name. Raises InputError, which suggests the nearest."""
    known = {customer.name: customer for customer in estate.customers}
    if name not in known:
        cure = did_you_mean(name, known, otherwise="name a customer of the estate")
        raise InputError(f"no customer is named {name!r}", cure=cure)
    return known[name]


def named_instance(estate: Estate, name: str) -> Instance:
    """The instance of that name. Raises InputError, which suggests the nearest."""
    known = {instance.name: instance for instance in estate.instances}
    if name not in known:
        cure = did_you_mean(name, known, otherwise="name an instance of the estate")
        raise InputError(f"no instance is named {name!r}", cure=cure)
    return known[name]


def instances_of(estate: Estate, wave: str) -> tuple[Instance, ...]:
    """The instances of a wave, in its order. Raises InputError for an unknown wave."""
    known = {instance.name: instance for instance in estate.instances}
    return tuple(known[name] for name in named_wave(estate, wave).instances)


def customers_of(estate: Estate, wave: str) -> tuple[str, ...]:
    """The customers with an instance in a wave, sorted. Raises InputError for an unknown wave."""
    return tuple(sorted({instance.customer for instance in instances_of(estate, wave)}))


def waves_of(estate: Estate, instance: str) -> tuple[str, ...]:
    """The waves that name an instance; more than one is a finding of `scope`, none may be."""
    return tuple(wave.name for wave in estate.waves if instance in wave.instances)


def affected_outside(estate: Estate, wave: str) -> tuple[Instance, ...]:
    """The affected instances that are not in a wave. Raises InputError for an unknown wave."""
    inside = set(named_wave(estate, wave).instances)
    return tuple(
        instance
        for instance in estate.instances
        if instance.affected and instance.name not in inside
    )


def affected_nowhere(estate: Estate) -> tuple[Instance, ...]:
    """The affected instances that no wave names and that are not `unplanned`: FAILED `scope`."""
    planned = {name for wave in estate.waves for name in wave.instances}
    return tuple(
        instance
        for instance in estate.instances
        if instance.affected and instance.wave is None and instance.name not in planned
    )
