# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The agreed estate: what changes its digest, and what must not."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import dumps
from wavegate.errors import InputError
from wavegate.estate.agreed import agreed, agreed_digest
from wavegate.estate.load import dump, loads
from wavegate.estate.model import Estate

WAVE, CUSTOMER = "2024-01-w1", "acme"
Data = dict[str, Any]
Change = Callable[[Data], object]


def changed(estate: Estate, *changes: Change) -> Estate:
    """The estate after changes to its plain data."""
    data: Data = json.loads(dump(estate))
    for change in changes:
        change(data)
    return loads(json.dumps(data).encode(), "changed")


def put(*path: str | int, value: object) -> Change:
    """A change that puts a value at a path; None takes the key away."""

    def change(data: Data) -> None:
        at: Any = data
        for step in path[:-1]:
            at = at[step]
        if value is None:
            del at[path[-1]]
        else:
            at[path[-1]] = value

    return change


PROD = ("instances", 0)
IN_WAVE = ("waves", 0)
POLICY: Data = {
    "notice_days": {"prod": 31},
    "earliest": {"prod": "2024-01-02"},
    "due": {"spf": "1h"},
    "throughput_margin": 0.2,
    "throughput_unit": "23h",
    "latency_margin": 0.3,
    "coverage_alpha": 0.01,
    "probe_interval": "6s",
    "confirm": 4,
    "resume_within": "auto",
    "settle": "1m",
    "queue_deadline": "84h",
    "lost_share": 0.001,
    "accept_expired": True,
    "options": [],
    "blocklists": [],
    "reachable_private": [],
    "keep": {"bodies": False},
    "before_max_age": "6d",
    "clock_tolerance": "6s",
    "failover_within": "3m",
    "too_slow": "9s",
    "timestamps": "optional",
}
INSTANCE: Data = {
    "product": "campaign-v7",
    "hosting": "hosted",
    "environment": "stage",
    "wave": "unplanned",
    "url": "https://other.example.com",
    "sending_ips": ["192.0.2.10"],
    "domains": [{"name": "news.acme.example"}],
    "mail": [],
    "moved_when": None,
    "functions": {},
    "masks": [],
}
AGREED: dict[str, Change] = {
    **{f"policy.{key}": put("policy", key, value=value) for key, value in POLICY.items()},
    **{f"instance.{key}": put(*PROD, key, value=value) for key, value in INSTANCE.items()},
    "renamed-ip": put(*PROD, "sending_ips", 0, value="192.0.2.13"),
    "window": put(*IN_WAVE, "window", "end", value="2024-01-16T23:30:00Z"),
    "announced": put(*IN_WAVE, "announced_duration", value="61m"),
    "notice-sent": put(*IN_WAVE, "notices", 0, "sent", value="2023-12-06"),
    "notice-reference": put(*IN_WAVE, "notices", 0, "reference", value="mail-1"),
    "notice-announces": put(
        *IN_WAVE, "notices", 0, "announces", "end", value="2024-01-17T00:00:00Z"
    ),
    "limit-reason": put("limits", 0, "reason", value="another"),
    "limit-approver": put("limits", 0, "approved_by", value="B. Person"),
    "limit-promise": put("limits", 0, "promise", value="throughput"),
    "limit-of-others-only": put("limits", 0, "instances", value=["globex-hyb1"]),
    "left-the-wave": put(*IN_WAVE, "instances", value=["globex-hyb1"]),
}
NOT_AGREED: dict[str, Change] = {
    "credentials": put(*PROD, "credentials", value=None),
    "tls": put(*PROD, "tls", value=None),
    "planned": put(*PROD, "planned", value=[]),
    "owner": put(*PROD, "owner", value="B. Person"),
    "asleep": put(*PROD, "asleep", value=[{"from": "01:00", "to": "02:00"}]),
    "expected_changes": put("expected_changes", value=[]),
    "decide_by": put(*IN_WAVE, "decide_by", value=None),
    "waivers": put("waivers", value=[]),
    "tsa": put("policy", "tsa", value=[]),
    "extract-secret": put("customers", 0, "secret", value=None),
    "resolvers": put("resolvers", value=[]),
    "authoritative": put("authoritative", value={}),
    "other-customer": put("customers", 1, "name", value="globex"),
    "other-customers-instance": put("instances", 2, "sending_ips", value=["192.0.2.99"]),
    "other-customers-notice": put(*IN_WAVE, "notices", 1, "sent", value="2023-12-01"),
    "other-customer-in-limit": put("limits", 0, "instances", value=["acme-prod1"]),
    "other-wave": put("waves", 1, "closed", "reference", value="CHG-78"),
    "own-instance-of-other-wave": put("instances", 1, "sending_ips", value=["192.0.2.98"]),
    "default-due": put("policy", "due", "spf", value="0s"),
    "offset": put(*IN_WAVE, "window", "start", value="2024-01-17T00:00:00+02:00"),
    "ip-spelling": put(*PROD, "sending_ips", 2, value="2001:DB8:0::0010"),
    "domain-spelling": put(*PROD, "domains", 0, "name", value="NEWS.Acme.example."),
    "idn-spelling": put(*PROD, "domains", 1, "name", value="MÄRKTE.acme.example"),
    "url-spelling": put(*PROD, "url", value="HTTPS://ACME.campaign.example.com:443/"),
    "duration-spelling": put(*IN_WAVE, "announced_duration", value="1h"),
}


@pytest.mark.parametrize("name", AGREED)
def test_a_change_of_what_was_agreed_changes_the_digest(name: str, full: Estate) -> None:
    """Whatever was agreed with the customer stands in the digest."""
    other = changed(full, AGREED[name])

    assert agreed_digest(full, WAVE, CUSTOMER) != agreed_digest(other, WAVE, CUSTOMER)


@given(names=st.sets(st.sampled_from(sorted(NOT_AGREED)), min_size=1))
def test_nothing_else_changes_the_digest(names: set[str], full: Estate) -> None:
    """Other customers, other waves, secrets, planned stops and spelling leave it alone."""
    other = changed(full, *(NOT_AGREED[name] for name in sorted(names)))

    assert agreed_digest(full, WAVE, CUSTOMER) == agreed_digest(other, WAVE, CUSTOMER)


@pytest.mark.parametrize("name", NOT_AGREED)
def test_each_of_the_others_alone(name: str, full: Estate) -> None:
    """Each single change of what was not agreed leaves the digest."""
    other = changed(full, NOT_AGREED[name])

    assert agreed_digest(full, WAVE, CUSTOMER) == agreed_digest(other, WAVE, CUSTOMER)


def _shuffle(value: object, order: random.Random) -> None:
    if isinstance(value, list):
        order.shuffle(value)
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        _shuffle(item, order)  # fmt: skip


@given(seed=st.integers())
def test_order_does_not_matter(seed: int, full: Estate) -> None:
    """Every list of the estate is a set to the digest."""
    other = changed(full, lambda data: _shuffle(data, random.Random(seed)))  # noqa: S311 - a shuffle

    assert agreed_digest(full, WAVE, CUSTOMER) == agreed_digest(other, WAVE, CUSTOMER)


def test_a_default_written_out_is_the_same_agreement(full: Estate) -> None:
    """A notice that announces the window says what one without `announces` says."""
    other = changed(full, put(*IN_WAVE, "notices", 0, "announces", value=None))

    assert agreed_digest(full, WAVE, CUSTOMER) == agreed_digest(other, WAVE, CUSTOMER)


@pytest.mark.parametrize("customer", ["acme", "globex"])
def test_nothing_of_other_customers_stands_in_it(customer: str, full: Estate) -> None:
    """The digested text names no other customer and none of their instances."""
    text = dumps(agreed(full, WAVE, customer)).decode()
    others = {"acme", "globex", "initech"} - {customer}

    assert [] == [name for name in others if name in text]
    assert f'"customer":"{customer}"' in text


def test_no_reference_to_a_secret_stands_in_it(full: Estate) -> None:
    """Credentials and secrets are no part of the agreement, not even by reference."""
    text = dumps(agreed(full, WAVE, CUSTOMER)).decode()

    assert [] == [word for word in ("env:", "file:", "keyring:", "tsa") if word in text]


@pytest.mark.parametrize(("wave", "customer"), [("w", CUSTOMER), (WAVE, "acm")])
def test_unknown_names_are_input_errors(wave: str, customer: str, full: Estate) -> None:
    """An unknown wave or customer is told with its cure."""
    with pytest.raises(InputError) as caught:
        agreed(full, wave, customer)

    assert caught.value.cure


def test_its_form(full: Estate) -> None:
    """The agreement has exactly the parts that the design names; an auditor can rebuild it."""
    found = agreed(full, WAVE, "globex")

    assert {
        "schema": "wavegate/agreed/v1",
        "wave": WAVE,
        "customer": "globex",
        "window": {"start": "2024-01-16T22:00:00Z", "end": "2024-01-16T23:00:00Z"},
        "announced_duration": "1h",
        "notices": [
            {
                "customer": "globex",
                "sent": "2023-12-05T09:00:00Z",
                "reference": "mail-4712",
                "announces": {"start": "2024-01-16T22:00:00Z", "end": "2024-01-16T23:00:00Z"},
            }
        ],
        "limits": [
            {
                "promise": "availability_after",
                "instances": ["globex-hyb1"],
                "reason": "node stops are forbidden in prod",
                "approved_by": "A. Person",
            }
        ],
    } == {key: found[key] for key in found if key not in {"policy", "instances"}}
