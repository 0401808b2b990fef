# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The agreed estate of a customer in a wave, and its digest (design, "Words", Estate).

It holds the policy less `tsa`, the window, the announced duration, and the customer's instances,
notices and limits in the wave, without credentials, tls, `planned`, `decide_by` and waivers, and
nothing of other customers or waves. Equal agreements have equal digests: every list of it is a
set, values are normalised as they are read, and defaults are written out.
"""

from typing import cast

from wavegate.canonical import digest, dumps
from wavegate.clock import format_duration
from wavegate.estate.lookup import instances_of, named_customer, named_wave
from wavegate.estate.model import Estate, Instance, Limit, Notice, Wave
from wavegate.estate.policy import DEFAULT_DUE, Environment, Policy, Strict

SCHEMA = "wavegate/agreed/v1"
_NOT_AGREED = {"credentials", "tls", "planned", "owner", "asleep"}
_MAIL_NOT_AGREED = {"credentials", "tls"}
_ENVIRONMENTS: tuple[Environment, ...] = ("dev", "stage", "prod")


def agreed(estate: Estate, wave: str, customer: str) -> dict[str, object]:
    """What was agreed with a customer for a wave, in canonical form, ready for `canonical.dumps`.

    Raises InputError for an unknown wave or customer.
    """
    named_customer(estate, customer)
    moved = named_wave(estate, wave)
    instances = [i for i in instances_of(estate, wave) if i.customer == customer]
    names = {instance.name for instance in instances}
    found = {
        "schema": SCHEMA,
        "wave": wave,
        "customer": customer,
        "policy": _policy(estate.policy),
        "window": _data(moved.window) if moved.window else None,
        "announced_duration": (
            format_duration(moved.announced_duration) if moved.announced_duration else None
        ),
        "instances": [_instance(instance) for instance in instances],
        "notices": [_notice(n, moved) for n in moved.notices if n.customer == customer],
        "limits": [_limit(x, names) for x in estate.limits if names.intersection(x.instances)],
    }
    return cast("dict[str, object]", _unordered(found))


def agreed_digest(estate: Estate, wave: str, customer: str) -> str:
    """SHA-256 of the canonical agreed estate. Raises InputError as `agreed` does."""
    return digest(dumps(agreed(estate, wave, customer)))


def _data(model: Strict, *, without: set[str] | None = None) -> dict[str, object]:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=without)


def _instance(instance: Instance) -> dict[str, object]:
    found = _data(instance, without=_NOT_AGREED)
    mail = [_data(source, without=_MAIL_NOT_AGREED) for source in instance.mail]
    return {**found, "mail": mail}


def _policy(policy: Policy) -> dict[str, object]:
    """Every value in effect: a default that is written out is the same agreement."""
    lengths = {promise: policy.due_after(promise) for promise in {*DEFAULT_DUE, *policy.due}}
    due = {
        promise: format_duration(length)
        for promise, length in lengths.items()
        if length or promise in DEFAULT_DUE
    }
    timestamps = {name: policy.timestamps_for(name) for name in _ENVIRONMENTS}
    return {**_data(policy, without={"tsa"}), "due": due, "timestamps": timestamps}


def _notice(notice: Notice, wave: Wave) -> dict[str, object]:
    announced = notice.announces or wave.window
    return {**_data(notice), "announces": _data(announced) if announced else None}


def _limit(limit: Limit, names: set[str]) -> dict[str, object]:
    return {**_data(limit), "instances": sorted(names.intersection(limit.instances))}


def _unordered(value: object) -> object:
    """The value with each list sorted by canonical bytes, each item once."""
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = {dumps(item): item for item in map(_unordered, value)}
        return [items[data] for data in sorted(items)]
    return value
