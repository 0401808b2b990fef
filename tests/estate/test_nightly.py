# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the nightly looks at, when a night is, and when an instance sleeps."""

from datetime import UTC, date, datetime

import pytest
from tests.builders.estates import estate, instance, wave

from wavegate.errors import InputError
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.load import dump, loads
from wavegate.estate.model import Estate
from wavegate.estate.nightly import (
    NIGHTLY,
    PROMISES,
    asleep,
    night_of,
    nightly_grid,
    with_nightly,
    without_nightly,
)


def whole() -> Estate:
    """An estate with all three environments."""
    names = ("acme-dev1", "acme-stage1", "acme-prod1")
    return estate(*map(instance, names), waves=(wave(),))


def test_the_grid_is_dev_and_stage_by_eight_promises_without_a_due() -> None:
    """Production is a wave's matter; no cell of the window is in it, not even as not applicable."""
    cells = nightly_grid(with_nightly(whole()))
    assert ["acme-dev1", "acme-stage1"] == list(dict.fromkeys(cell.instance for cell in cells))
    assert list(PROMISES) == [c.promise for c in cells if c.instance == "acme-dev1"]
    assert {None} == {cell.due for cell in cells}


def test_the_file_of_a_bundle_is_the_file_of_the_user() -> None:
    """The wave that stands for the nightly is never written, and never read."""
    found = with_nightly(whole())
    assert whole() == without_nightly(found)
    assert whole() == loads(dump(without_nightly(found)), "x")
    assert 64 == len(agreed_digest(found, NIGHTLY, "acme"))


def test_a_limit_and_a_missing_url_decide_cells_of_the_nightly_too() -> None:
    """What is declared to be unknowable is not applicable every night, with its reason."""
    limit = {"promise": "dkim", "instances": ["acme-dev1"], "reason": "no", "approved_by": "B"}
    found = estate(instance("acme-dev1", url=None), waves=(), limits=(limit,))
    told = {c.promise: c.not_applicable for c in nightly_grid(with_nightly(found))}
    assert {"dkim", "build_version"} == {promise for promise, why in told.items() if why}


@pytest.mark.parametrize(
    ("at", "night"),
    [
        (datetime(2026, 1, 5, 2, tzinfo=UTC), date(2026, 1, 5)),
        (datetime(2026, 1, 5, 11, 59, tzinfo=UTC), date(2026, 1, 5)),
        (datetime(2026, 1, 5, 12, tzinfo=UTC), date(2026, 1, 6)),
        (datetime(2025, 12, 31, 23, tzinfo=UTC), date(2026, 1, 1)),
    ],
)
def test_a_night_goes_from_noon_to_noon_and_is_named_by_its_morning(
    at: datetime, night: date
) -> None:
    """Two runs before and after midnight are one night."""
    assert night == night_of(at)


@pytest.mark.parametrize(
    ("hours", "at", "sleeps"),
    [
        (("20:00", "06:00"), 2, True),
        (("20:00", "06:00"), 6, False),
        (("20:00", "06:00"), 20, True),
        (("01:00", "03:00"), 2, True),
        (("01:00", "03:00"), 3, False),
        (("01:00", "03:00"), 22, False),
    ],
)
def test_sleep_may_go_over_midnight(hours: tuple[str, str], at: int, sleeps: bool) -> None:
    """The first minute is in it, the last is not."""
    found = instance("acme-dev1", asleep=[{"from": hours[0], "to": hours[1]}])
    assert sleeps == (asleep(found, datetime(2026, 1, 5, at, tzinfo=UTC)) is not None)


def test_there_must_be_something_to_look_at() -> None:
    """An estate of production alone has no nightly, and is told so."""
    with pytest.raises(InputError, match="no dev or stage"):
        with_nightly(estate())
