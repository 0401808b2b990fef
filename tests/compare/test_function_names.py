# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A finding about a function says where to look."""

import pytest
from tests.builders.estates import instance

from wavegate.compare.function_names import place_of


@pytest.mark.parametrize(
    ("probe", "place"),
    [
        ({}, "landing_page of acme-prod1.example"),
        ({"url": "/webApp/seed"}, "landing_page of acme-prod1.example/webApp/seed"),
        ({"url": "/webApp/seed?key=s3cret"}, "landing_page of acme-prod1.example/webApp/seed"),
        ({"url": "https://m.acme.example/n"}, "landing_page of m.acme.example/n"),
        ({"host": "sftp.acme.example:22"}, "landing_page of sftp.acme.example:22"),
    ],
)
def test_where_a_function_is_asked(probe: dict[str, str], place: str) -> None:
    """Host and path, never what stands in a query."""
    assert place == place_of(instance(functions={"landing_page": probe}), "landing_page")


def test_without_any_address() -> None:
    """Then the instance itself is the place."""
    found = instance(url=None, functions={"landing_page": {}})
    assert "landing_page of instance:acme-prod1" == place_of(found, "landing_page")
