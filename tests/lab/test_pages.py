# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The pages and the greeter of an instance, healthy and broken."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from wavegate.canonical import digest
from wavegate.lab.campaign_functions import Functions
from wavegate.lab.campaign_pages import (
    LANDING,
    MIRROR,
    RESOURCE,
    image_digest,
    landing_marker,
    mirror_marker,
    page,
    target,
)
from wavegate.lab.greeter import Greeter

NAME = "acme-prod1"
Right = Callable[[Functions], bool]


def _body(path: str, functions: Functions) -> bytes:
    found = page(NAME, path, functions)
    assert found is not None
    return found.body


def _leads_right(functions: Functions) -> bool:
    found = page(NAME, "/r/", functions)
    return found is not None and ("Location", target(NAME)) in found.headers


RIGHT: dict[str, Right] = {
    "link": _leads_right,
    "mirror": lambda f: mirror_marker(NAME).encode() in _body(MIRROR, f),
    "landing": lambda f: landing_marker(NAME).encode() in _body(LANDING, f),
    "resource": lambda f: digest(_body(RESOURCE, f)) == image_digest(),
}


@pytest.mark.parametrize(
    ("functions", "broken"),
    [
        (Functions(), set()),
        (Functions(redirect="home"), {"link"}),
        (Functions(redirect="error"), {"link"}),
        (Functions(mirror="empty"), {"mirror"}),
        (Functions(mirror="unmarked"), {"mirror"}),
        (Functions(landing_marked=False), {"landing"}),
        (Functions(placeholder=True), {"resource"}),
    ],
)
def test_each_page_breaks_by_itself(functions: Functions, broken: set[str]) -> None:
    """A fault of one function leaves the others well."""
    assert {name for name, right in RIGHT.items() if not right(functions)} == broken


@pytest.mark.parametrize(("able", "said"), [(True, "220"), (False, "421")])
def test_the_exchanger_greets_or_refuses(able: bool, said: str) -> None:
    """A greeting is what the inbound probe waits for."""

    async def heard() -> str:
        async with AsyncExitStack() as stack:
            greeter = Greeter("inbound.example", lambda: able)
            await greeter.start(stack)
            host, port = greeter.address.split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            line = await reader.readline()
            writer.write(b"QUIT\r\n")
            assert (await reader.readline()).startswith(b"221")
            writer.close()
            await writer.wait_closed()
            return line.decode()

    assert asyncio.run(heard())[:3] == said
