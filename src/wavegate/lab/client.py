# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Talking to a running lab from another process: move its world on, ask how it stands."""

import http.client
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from wavegate.clock import now, parse_instant
from wavegate.errors import InputError, MissingError
from wavegate.lab.running import PATIENCE, PhaseResult
from wavegate.lab.world import PHASES

SLACK = timedelta(seconds=30)


def phase(directory: Path, name: str, *, patience: timedelta = PATIENCE) -> PhaseResult:
    """Move the lab of a folder to `window` or `after`; `before` waits for the mail of before.

    Not before the estate's instant. patience: how long to wait for mail after the move.
    Raises InputError for another phase, MissingError if no lab runs there.
    """
    if name not in PHASES:
        raise InputError(f"unknown phase {name!r}", where="lab phase", cure="`window` or `after`")
    told = _lab(directory)
    wait = patience + SLACK + _until_end(told)
    milliseconds = patience // timedelta(milliseconds=1)
    return _call(told, "POST", f"/phase/{name}?patience={milliseconds}", directory, wait)


def status(directory: Path) -> PhaseResult:
    """How the lab of a folder stands. Raises MissingError if no lab runs there."""
    return _call(_lab(directory), "GET", "/status", directory, SLACK)


def read_lab(directory: Path) -> Mapping[str, object]:
    """The lab.json of a folder. Raises MissingError."""
    return _lab(directory)


def _lab(directory: Path) -> dict[str, object]:
    path = directory / "lab.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingError(
            f"no lab runs here: {error}", where=str(path), cure="`wavegate lab serve` first"
        ) from error
    if not isinstance(told, dict):
        raise MissingError("lab.json is damaged", where=str(path), cure="serve the lab anew")
    return told


def _until_end(told: Mapping[str, object]) -> timedelta:
    match told.get("window"):
        case {"end": str(end)}:
            return max(parse_instant(end) - now(), timedelta())
        case _:
            return timedelta()


def _call(
    told: Mapping[str, object], method: str, path: str, directory: Path, wait: timedelta
) -> PhaseResult:
    match told.get("control"):
        case {"url": str(url), "token": str(token)}:
            pass
        case _:
            raise MissingError("lab.json names no control port", where=str(directory / "lab.json"))
    connection = http.client.HTTPConnection(
        urlsplit(url).netloc, timeout=wait / timedelta(seconds=1)
    )
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise MissingError(
            f"the lab does not answer: {error}",
            where=str(directory / "lab.json"),
            cure="it has ended, or another one runs in this folder: `wavegate lab serve` anew",
        ) from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise MissingError(
            f"the lab refused with {response.status}", where=url, cure="serve the lab anew"
        )
    return _result(json.loads(body))


def _result(told: Mapping[str, object]) -> PhaseResult:
    match told:
        case {
            "phase": str(name),
            "at": str(at),
            "delivered": list(delivered),
            "undelivered": list(undelivered),
            "silent": list(silent),
            "writes": list(writes),
        }:
            return PhaseResult(
                phase=name,
                at=parse_instant(at),
                delivered=tuple((str(pair), int(count)) for pair, count in delivered),
                undelivered=tuple(map(str, undelivered)),
                silent=tuple(map(str, silent)),
                writes=tuple(map(str, writes)),
            )
        case _:
            raise MissingError("the lab's answer is not understood", cure="serve the lab anew")
