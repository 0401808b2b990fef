# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Pages that a person sees: mirror page, landing page, console, public resources, own pages.

A page over HTTP 200 is right only if it holds the marker that the estate names: maintenance pages
come over 200 too.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from wavegate.canonical import digest
from wavegate.observe.functions.answer import (
    Answer,
    Asked,
    Function,
    Lacking,
    described,
    ok,
    stamped,
    wrong,
)
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.observe.functions.tracking import REDIRECTS
from wavegate.observe.http_client import Exchange
from wavegate.record.timeline import Watched

CEILING = timedelta(minutes=1)
CONSOLE = "/nl/jsp/logon.jsp"
NAMED = {
    "mirror_page": "the estate names no mirror page of a seed",
    "landing_page": "the estate names no landing page",
}


def functions(facing: Facing, own: tuple[str, ...]) -> Iterator[Function]:
    """The functions of this family; own: names in the estate that no family knows."""
    for name, reason in NAMED.items():
        yield _page(facing, name, reason)
    yield _console(facing)
    yield _resource(facing)
    for name in own:
        yield _page(facing, name, "the estate names no url for it")


def _page(facing: Facing, name: str, reason: str) -> Function:
    given = facing.given(name)
    expects = f"HTTP 200 with {given.contains!r}" if given.contains else "HTTP 200"
    url = facing.absolute(given.url) if given.url else None
    if url is None:
        return facing.not_probed(name, expects, reason)
    watched = Watched(name=name, every=facing.every(name, CEILING), expects=expects)
    ask = partial(page, facing, url, given.contains)
    return Function(watched=watched, host=netloc(url), ask=ask)


def page(facing: Facing, url: str, marker: str | None) -> Asked:
    """Ask for a page and look for its marker."""
    got = facing.get(url)
    if isinstance(got, Answer):
        return (got,)
    return (stamped(_marked(got, marker), got),)


def _marked(got: Exchange, marker: str | None) -> Answer:
    if got.status != 200:
        return wrong(described(got))
    if marker is not None and marker.encode() not in got.body:
        return wrong(f"{described(got)}, without the marker")
    return ok("HTTP 200" + (" with the marker" if marker else ""))


def _console(facing: Facing) -> Function:
    name, expects = "console", "HTTP 200 with a form, or a redirect to IMS"
    url = facing.absolute(facing.given(name).url or CONSOLE)
    if url is None:
        return facing.not_probed(name, expects, "the estate names no url")
    watched = Watched(name=name, every=facing.every(name, CEILING), expects=expects)
    return Function(watched=watched, host=netloc(url), ask=partial(console, facing, url))


def console(facing: Facing, url: str) -> Asked:
    """Ask for the page where operators log on."""
    got = facing.get(url)
    if isinstance(got, Answer):
        return (got,)
    if got.status in REDIRECTS:
        return (stamped(ok(f"HTTP {got.status}: a redirect to log on"), got),)
    if got.status in (403, 404):
        return Lacking(f"HTTP {got.status}: {CONSOLE} is not relayed")
    if got.status == 200 and b"<form" in got.body.lower():
        return (stamped(ok("HTTP 200 with a form"), got),)
    return (stamped(wrong(f"{described(got)}, no form"), got),)


def _resource(facing: Facing) -> Function:
    name, expects = "resource", "the same bytes"
    given = facing.given(name)
    url = facing.absolute(given.url) if given.url else None
    if url is None:
        return facing.not_probed(name, expects, "the estate names no resource")
    watched = Watched(name=name, every=facing.every(name, CEILING), expects=expects)
    ask = partial(resource, facing, url, given.contains)
    return Function(watched=watched, host=netloc(url), ask=ask)


def resource(facing: Facing, url: str, known: str | None) -> Asked:
    """Ask for a public file; its value is the SHA-256 of its bytes. known: what it must be."""
    got = facing.get(url)
    if isinstance(got, Answer):
        return (got,)
    if got.status != 200:
        return (stamped(wrong(described(got)), got),)
    found = digest(got.body)
    if known is not None and known.lower() != found:
        return (stamped(wrong(f"other bytes: sha256 {found[:16]}", value=found), got),)
    return (stamped(ok(f"{len(got.body)} bytes", value=found), got),)
