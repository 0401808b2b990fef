# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Questions to an estate."""

from collections.abc import Callable

import pytest

from wavegate.errors import InputError
from wavegate.estate import lookup
from wavegate.estate.model import Estate

WAVE = "2024-01-w1"


def test_who_moves(full: Estate) -> None:
    """Instances in the wave's order, customers sorted."""
    moving = [instance.name for instance in lookup.instances_of(full, WAVE)]

    assert ["acme-prod1", "globex-hyb1"] == moving
    assert ("acme", "globex") == lookup.customers_of(full, WAVE)


def test_which_waves(full: Estate) -> None:
    """An instance may be in one, several or no wave."""
    twice = full.model_copy(update={"waves": (*full.waves, full.waves[0])})

    assert ("2024-01-w1",) == lookup.waves_of(full, "acme-prod1")
    assert ("2024-01-w1", "2024-01-w1") == lookup.waves_of(twice, "acme-prod1")
    assert () == lookup.waves_of(full, "initech-own1")


def test_who_is_outside(full: Estate) -> None:
    """Affected instances outside a wave, and those that nobody planned."""
    outside = [instance.name for instance in lookup.affected_outside(full, WAVE)]
    alone = full.model_copy(update={"waves": full.waves[:1]})

    assert ["acme-stage1", "initech-prod1"] == outside
    assert () == lookup.affected_nowhere(full)
    assert ["acme-stage1"] == [i.name for i in lookup.affected_nowhere(alone)]


def test_names_that_exist(full: Estate) -> None:
    """A known name gives its thing."""
    assert "acme-prod1" == lookup.named_instance(full, "acme-prod1").name
    assert "acme" == lookup.named_customer(full, "acme").name
    assert WAVE == lookup.named_wave(full, WAVE).name


@pytest.mark.parametrize(
    ("ask", "name", "cure"),
    [
        (lookup.named_wave, "2024-01-w2", "did you mean 2024-01-w1?"),
        (lookup.named_wave, "???", "name one of the estate's: 2024-01-w1, 2023-11-stage"),
        (lookup.named_customer, "acmee", "did you mean acme?"),
        (lookup.named_instance, "acme-prod2", "did you mean acme-prod1?"),
    ],
)
def test_names_that_do_not(
    ask: Callable[[Estate, str], object], name: str, cure: str, full: Estate
) -> None:
    """An unknown name is an input error with the nearest known one."""
    with pytest.raises(InputError) as caught:
        ask(full, name)

    assert cure == caught.value.cure
