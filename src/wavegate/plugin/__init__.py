# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: `pytest suites --estate E --wave W --store S`.

Inert and cheap unless an estate is given by flag, WAVEGATE_ESTATE or `wavegate.toml`: this module
imports pytest and the standard library alone; all else is in `session`, loaded when needed.
"""

import argparse
from collections.abc import Callable
from typing import Any, cast

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our own option group."""
    group = parser.getgroup("wavegate", "wavegate: judge the records of a migration wave")
    add = group.addoption
    add("--estate", metavar="FILE", help="the estate file; makes the plugin active")
    add("--wave", metavar="NAME", help="the wave to judge")
    add("--store", metavar="DIR", help="the store, or a bundle's records/")
    add(
        "--instance",
        metavar="NAME",
        action="append",
        help="judge only this instance (repeatable); such a run is never GO",
    )
    add("--final", action="store_true", default=None, help="treat every due as past")
    add("--trust", metavar="FILE", help="trust file; default: that of the own keys")
    add("--verdicts", metavar="FILE", help="write the judgement of each cell here, as JSON")
    add("--run-instant", metavar="INSTANT", help=argparse.SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; open the records if an estate is given."""
    config.addinivalue_line(
        "markers", "promise(id, instance, customer): the cell that an item judges (wavegate)"
    )
    from wavegate.plugin.settings import is_active

    if is_active(config):
        from wavegate.plugin.session import activate

        activate(config)


def _session(request: pytest.FixtureRequest) -> Any:
    from wavegate.plugin.settings import SESSION

    if SESSION not in request.config.stash:
        pytest.fail(
            "this suite judges the records of a wave: run it with "
            "--estate FILE --wave NAME --store DIR",
            pytrace=False,
        )
    return request.config.stash[SESSION]


@pytest.fixture
def wavegate_cell(request: pytest.FixtureRequest) -> Any:
    """The cell that a test judges; given by parametrisation."""
    _session(request)
    pytest.fail("the cell is not in the grid of this wave", pytrace=False)


@pytest.fixture
def before(wavegate_cell: Any, request: pytest.FixtureRequest) -> Any:
    """The instance before the window, as the comparisons need it (wavegate.testing.Side)."""
    return _session(request).bench.side("before", wavegate_cell)


@pytest.fixture
def after(wavegate_cell: Any, request: pytest.FixtureRequest) -> Any:
    """The instance after the window, as the comparisons need it (wavegate.testing.Side)."""
    return _session(request).bench.side("after", wavegate_cell)


@pytest.fixture
def mail(wavegate_cell: Any, request: pytest.FixtureRequest) -> Any:
    """The mails of the instance by phase (wavegate.testing.Mail)."""
    return _session(request).bench.mail(wavegate_cell)


@pytest.fixture
def case(wavegate_cell: Any, request: pytest.FixtureRequest) -> Any:
    """The dossier of the instance (wavegate.testing.Case)."""
    return _session(request).bench.case(wavegate_cell)


@pytest.fixture
def judge(wavegate_cell: Any, request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Takes the test's judgement (wavegate.testing.Judge)."""
    return cast("Callable[[Any], None]", _session(request).bench.judge_of(wavegate_cell))
