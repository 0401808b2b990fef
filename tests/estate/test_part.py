# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import pytest
from tests.builders.estates import WAVE
from tests.builders.pair import DEV, both

from wavegate.estate.agreed import agreed_digest
from wavegate.estate.load import dump, loads
from wavegate.estate.model import ExpectedChange, Limit, Waiver
from wavegate.estate.part import part_of

CAUSE = "c" * 64


@pytest.mark.parametrize("customer", ["acme", "zebra"])
def test_what_was_agreed_is_the_same_in_the_part(customer: str) -> None:
    """An extract's estate has the agreed digest that plan and records carry, in every wave."""
    whole = both()
    part = loads(dump(part_of(whole, customer)), "estate.json")
    for wave in (WAVE, DEV):
        assert agreed_digest(whole, wave, customer) == agreed_digest(part, wave, customer)


@pytest.mark.parametrize(("customer", "other"), [("acme", "zebra"), ("zebra", "acme")])
def test_nothing_of_another_customer_is_in_it(customer: str, other: str) -> None:
    """No name, instance, domain, notice, limit, waiver, zone or expected change of theirs."""
    names = ("acme-prod1", "zebra-prod1")
    change = {"instances": names, "promise": "spf", "from": "a", "to": "b", "ticket": "T"}
    span = {"from": "2024-01-01T00:00:00Z", "to": "2024-02-01"}
    whole = both(
        limits=(Limit(promise="throughput", instances=names, reason="r", approved_by="x"),),
        expected_changes=(ExpectedChange.model_validate({**change, "between": span}),),
    )
    found = dump(part_of(whole, customer)).decode()
    assert (True, False) == (customer in found, other in found.lower())
    assert '"limits":[{' in found
    assert '"expected_changes":[{' in found


def test_a_waiver_by_cause_is_whose_cells_have_it() -> None:
    """A waiver without an instance goes to those customers only whose cells have its cause."""
    waiver = Waiver.model_validate(
        {"cause": CAUSE, "reason": "r", "approved_by": "x", "until": "2030-01-01"}
    )
    whole = both(waivers=(waiver,))
    assert (0, 1) == (
        len(part_of(whole, "acme").waivers),
        len(part_of(whole, "acme", {CAUSE}).waivers),
    )
