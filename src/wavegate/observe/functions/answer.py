# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a probe of a function brings back, and how an HTTP exchange becomes that.

A definite wrong answer convicts; silence does only where the vantage could hear; what this machine
or its allow-listing prevented says nothing about the instance (design, rules 13 and 15).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from wavegate.observe.http_client import Exchange
from wavegate.observe.routes import NoRouteError
from wavegate.record.soap import CODE
from wavegate.record.timeline import State, Watched

SECOND_US = 1_000_000
MILLISECOND_US = 1_000
NOT_FOUND = "host name not found"
NOT_AUTHORISED = "XSV-350013"
_NOT_TRUSTED = "TLS: certificate not trusted"
_TITLE = re.compile(rb"(?is)<title[^>]{0,100}>([^<]{1,80})")
_TITLE_WITHIN = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a function, or its silence.

    state, detail, value, stamp, resolution_us: as in `Sample`. counts: False where it says nothing
    about the instance (our own fault, a throttled or unlisted caller); it leaves n. forbidden: not
    asked, since the estate allows no contact. looked_up: the host name that did not resolve, if
    that is why nobody answered. part: which of several things that one question asks about
    (`cleanup` of `workflow`). period: how often that part works.
    """

    state: State
    detail: str
    value: str | None = None
    stamp: datetime | None = None
    resolution_us: int | None = None
    counts: bool = True
    forbidden: bool = False
    looked_up: str | None = None
    part: str | None = None
    period: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Lacking:
    """The instance has no such function, as its own answer says; or it must not be contacted."""

    reason: str


Asked = tuple[Answer, ...] | Lacking


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function to probe.

    host: the budget it draws on. ask: blocks; may raise NoRouteError or InternalError for faults of
    this machine; None where `watched.not_probed` says why it is not asked.
    """

    watched: Watched
    host: str = ""
    ask: Callable[[], Asked] | None = None


def ok(detail: str, **more: object) -> Answer:
    """A right answer."""
    return Answer(state="ok", detail=detail, **more)  # type: ignore[arg-type] # named fields


def wrong(detail: str, **more: object) -> Answer:
    """A definite wrong answer."""
    return Answer(state="wrong", detail=detail, **more)  # type: ignore[arg-type] # named fields


def silent(detail: str, **more: object) -> Answer:
    """Nobody answered."""
    return Answer(state="silent", detail=detail, **more)  # type: ignore[arg-type] # named fields


def not_counted(detail: str) -> Answer:
    """Nothing that speaks about the instance came of it."""
    return silent(detail, counts=False)


def ours(error: NoRouteError | OSError) -> Answer:
    """A fault of this machine."""
    reason = error.reason if isinstance(error, NoRouteError) else error.strerror or str(error)
    return not_counted(f"our own fault: {reason}")


def trouble(got: Exchange, host: str = "") -> Answer | None:
    """What is wrong with an exchange before anybody reads its content, or None."""
    if got.failure is not None:
        return _failed(got, host)
    if got.status == 429:
        return not_counted("HTTP 429: this caller is throttled")
    if got.status is not None and got.status >= 500:
        return stamped(wrong(described(got)), got)
    if got.status == 403 and NOT_AUTHORISED.encode() in got.body:
        return not_counted(f"HTTP 403 {NOT_AUTHORISED}: this caller is in no security zone")
    return None


def _failed(got: Exchange, host: str) -> Answer:
    failure = got.failure or ""
    if failure.startswith(_NOT_TRUSTED):
        return wrong(failure)
    if failure.startswith("more than"):
        return not_counted(f"the answer is larger than we read: {failure}")
    if failure == NOT_FOUND:
        return silent(failure, looked_up=host or None)
    return silent(failure if got.status is None else f"HTTP {got.status}, then {failure}")


def described(got: Exchange) -> str:
    """An answer that is not the expected one, in a few words: status, type, code or title."""
    said = f"HTTP {got.status} {got.content_type}".rstrip()
    code = CODE.search(got.body[:_TITLE_WITHIN].decode("utf-8", "replace"))
    if code:
        return f"{said} {code[0]}"
    title = _TITLE.search(got.body[:_TITLE_WITHIN])
    words = " ".join(title[1].decode("utf-8", "replace").split()) if title else ""
    return f"{said} titled {words!r}" if words else said


def date_of(got: Exchange) -> datetime | None:
    """The `Date` header (RFC 9110 6.6.1) as an aware UTC instant, or None."""
    try:
        found = parsedate_to_datetime(got.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def stamped(answer: Answer, got: Exchange) -> Answer:
    """The answer with the server's clock from the `Date` header, unless its body told it."""
    date = date_of(got)
    if answer.stamp is not None or date is None:
        return answer
    return replace(answer, stamp=date, resolution_us=SECOND_US)
