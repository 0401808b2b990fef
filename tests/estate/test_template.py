# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The template of `wavegate init`: it loads, teaches every key, and names nobody real."""

import ipaddress
import re
from collections.abc import Callable

from wavegate.estate.load import loads
from wavegate.estate.policy import Policy
from wavegate.estate.template import template

DOCUMENTATION = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "2001:db8::/32")]


def test_it_loads() -> None:
    """A new user's first file has no problem."""
    assert ["example-prod1", "example-dev1"] == [
        instance.name for instance in loads(template().encode(), "estate.yaml").instances
    ]


def test_it_loads_with_every_comment_that_is_yaml_switched_on() -> None:
    """Its commented examples are right: each optional block loads where it stands."""
    text = template()
    for key in ("resolvers", "tls", "secret", "moved_when", "wave", "announces", "message_center"):
        text, count = re.subn(rf"(?m)^( *)# ({key}: )", r"\1\2", text)
        assert 1 == count, key
    text = re.sub(r"(?m)^( *)# (planned:|  - \{(?:stop|load):)", r"\1\2", text)
    text = re.sub(r"(?m)^# (authoritative:|  \")", r"\1", text)

    found = loads(text.encode(), "estate.yaml")

    assert 2 == len(found.instances[0].planned)
    assert found.authoritative


def test_it_teaches_every_key(estate_keys: Callable[[], set[str]]) -> None:
    """No key of the model is left out."""
    text = template()

    assert set() == {key for key in estate_keys() if f"{key}:" not in text}


def test_it_shows_the_defaults() -> None:
    """The policy it writes out is the default policy."""
    found = loads(template().encode(), "estate.yaml").policy

    assert Policy() == found.model_copy(update={"due": {}})
    assert {p: Policy().due_after(p) for p in found.due} == found.due


def test_it_names_nobody_real() -> None:
    """Addresses and names are those reserved for documentation, or this machine's."""
    text = template()
    addresses = re.findall(r"\b\d+\.\d+\.\d+\.\d+\b|2001:[0-9a-f:]+", text)
    names = re.findall(r"[a-z0-9-]+\.(?:com|net|org)\b", text)

    assert {"example.com", "example.net"} == set(names)
    assert [] == [
        a
        for a in addresses
        if a != "127.0.0.1" and not any(ipaddress.ip_address(a) in n for n in DOCUMENTATION)
    ]
