# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Reporting: the throughput report of the newest delivery is computed."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from urllib.parse import quote, urlencode

from wavegate.observe.functions.answer import (
    Answer,
    Asked,
    Function,
    Lacking,
    described,
    ok,
    stamped,
    trouble,
    wrong,
)
from wavegate.observe.functions.campaign import Refused, Session, newest, value_of
from wavegate.observe.functions.facing import Facing, netloc
from wavegate.record.timeline import Watched

NAME = "report"
DEFAULT = "throughput"
CEILING = timedelta(minutes=10)


def functions(facing: Facing, session: Session | str) -> Iterator[Function]:
    """The functions of this family."""
    expects = "a <ctx> document"
    if isinstance(session, str):
        yield facing.not_probed(NAME, expects, session)
        return
    watched = Watched(name=NAME, every=facing.every(NAME, CEILING), expects=expects)
    ask = partial(report, facing, session, facing.given(NAME).name or DEFAULT)
    yield Function(watched=watched, host=netloc(facing.url or ""), ask=ask)


def report(facing: Facing, session: Session, name: str) -> Asked:
    """Ask for a report about the newest delivery, as data."""
    rows = session.rows(newest("nms:delivery", ()))
    if isinstance(rows, Refused):
        return (rows.answer,)
    if not rows:
        return Lacking("there is no delivery to report on")
    tokens = session.tokens()
    if isinstance(tokens, Answer):
        return (tokens,)
    asked = {
        "_noRender": "true",
        "_schema": "nms:delivery",
        "_context": "selection",
        "_selection": value_of(rows[0], "@id"),
        "_selectionCount": "1",
    }
    url = f"{facing.url}/report/{quote(name, safe='')}?{urlencode(asked)}"
    with facing.connections.one() as http:
        got = http.send("POST", url, headers=tokens.headers)
    bad = trouble(got)
    if bad is not None:
        return (bad,)
    if got.status == 404:
        return Lacking(f"HTTP 404: no report {name}")
    if got.status == 200 and got.body.lstrip()[:200].find(b"<ctx") >= 0:
        return (stamped(ok("<ctx>"), got),)
    return (stamped(wrong(f"{described(got)}, no <ctx>"), got),)
