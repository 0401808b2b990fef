# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the real servers wrote is shown with the test that failed."""

from collections.abc import Generator

import pytest
from tests.real.daemons import shown_logs


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ends of the servers' logs to the report of a failure."""
    report = yield
    if report.failed:
        report.sections.append(("real servers", shown_logs()))
    return report
