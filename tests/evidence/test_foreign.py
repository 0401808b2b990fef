# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64

import pytest

from wavegate.evidence.foreign import HIDDEN, Foreign

FOREIGN = Foreign.to("acme", {"acme-prod1": "acme", "Beta-prod1": "beta", "beta-dev.x": "beta"})


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("instance:beta-prod1", True),
        ("signed/w/beta-prod1/000001", True),
        ("beta-prod1.dsse.json", True),
        ("https://beta-prod1.example/r/test", True),
        ("of BETA-PROD1.", True),
        ("beta-dev.x.json", True),
        ("asked by beta, too", True),
        ("beta-prod10", False),
        ("spf.beta.example", False),
        ("acme-prod1 of acme", False),
        ("", False),
    ],
)
def test_a_name_is_met_where_it_stands_by_itself(text: str, met: bool) -> None:
    """Instances in texts, names of files and hosts; customers as words, not as part of a domain."""
    assert met == (text in FOREIGN)
    assert met == (HIDDEN in FOREIGN.hide(text))
    assert FOREIGN.hide(text) not in FOREIGN


def test_base64_is_looked_into() -> None:
    """A name inside base64 inside JSON is met as well."""
    inner = base64.b64encode(b'{"value": "mail of beta-prod1, sent"}')
    assert {"beta-prod1"} == FOREIGN.met(b'{"payload":"' + base64.b64encode(inner) + b'"}')
    assert frozenset() == FOREIGN.met(base64.b64encode(b"nothing of anybody in here"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("2024-beta-w1", {"beta"}),
        ("BETA_w1", {"beta"}),
        ("2024-betas-w1", set()),
        ("2024-beta-prod1-w1", {"beta", "beta-prod1"}),
    ],
)
def test_a_wave_can_be_named_after_a_customer(name: str, found: set[str]) -> None:
    """The wave's name stands in the seal, which everybody gets."""
    assert found == FOREIGN.part_of(name)
