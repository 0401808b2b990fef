# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The index of a store's sealed gates: a cache in `.history.sqlite`, made again when it is gone.

Nothing rests on it: it is only read by `wavegate history`, each row names the seal it was made of,
and a gate whose seal does not hold stands in it as such.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wavegate.canonical import digest, dumps
from wavegate.clock import format_instant
from wavegate.errors import DamagedError, WavegateError
from wavegate.estate.nightly import NIGHTLY
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.manifest import SEAL
from wavegate.evidence.predicates import SealPredicate
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust
from wavegate.evidence.trust import dump as dump_trust
from wavegate.evidence.verdicts import CellEntry, Verdicts, parse
from wavegate.record.local_store import LocalStore

FILE = ".history.sqlite"
VERSION = "1"
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
  run TEXT PRIMARY KEY, wave TEXT, seal TEXT NOT NULL, at TEXT, decision TEXT, baseline INTEGER,
  problem TEXT
);
CREATE TABLE IF NOT EXISTS cells (
  run TEXT NOT NULL, instance TEXT NOT NULL, customer TEXT NOT NULL, promise TEXT NOT NULL,
  verdict TEXT NOT NULL, reason TEXT NOT NULL, waived INTEGER NOT NULL, causes TEXT NOT NULL,
  PRIMARY KEY (run, instance, promise)
);
"""


@contextmanager
def index_of(
    store: LocalStore, trust: Trust, *, anew: bool = False
) -> Iterator[sqlite3.Connection]:
    """The index, brought up to date; in memory where the store cannot be written.

    anew: make it from the beginning. One that is damaged, of another version or of other trusted
    keys is made anew by itself.
    """
    place = store.root / FILE
    if anew:
        _remove(place)
    connection = _open(place, trust)
    try:
        _update(connection, store, trust)
        yield connection
    finally:
        connection.close()


def _open(place: Path, trust: Trust) -> sqlite3.Connection:
    for where in (str(place), str(place), ":memory:"):
        try:
            connection = sqlite3.connect(where)
            if _usable(connection, trust):
                return connection
            connection.close()
        except sqlite3.Error:
            pass
        _remove(place)
    connection = sqlite3.connect(":memory:")
    _usable(connection, trust)
    return connection


def _remove(place: Path) -> None:
    with suppress(OSError):
        place.unlink(missing_ok=True)


def _usable(connection: sqlite3.Connection, trust: Trust) -> bool:
    """Make the tables where there are none; False where they are another's."""
    wanted = {"version": VERSION, "trust": digest(dump_trust(trust))}
    with connection:
        connection.executescript(_TABLES)
        found = dict(connection.execute("SELECT key, value FROM meta"))
        if not found:
            connection.executemany("INSERT INTO meta VALUES (?, ?)", wanted.items())
    return not found or found == wanted


def _update(connection: sqlite3.Connection, store: LocalStore, trust: Trust) -> None:
    known = dict(connection.execute("SELECT run, seal FROM runs"))
    present = set()
    with connection:
        for name in store.names("gates/"):
            _, wave, run, file = [*name.split("/", 3), "", ""][:4]
            if file != SEAL:
                continue
            present.add(run)
            seal = digest(store.read(name))
            if known.get(run) != seal:
                _add(connection, store, trust, wave, run, seal)
        for run in set(known) - present:
            _forget(connection, run)


def _forget(connection: sqlite3.Connection, run: str) -> None:
    connection.execute("DELETE FROM runs WHERE run = ?", (run,))
    connection.execute("DELETE FROM cells WHERE run = ?", (run,))


def _add(
    connection: sqlite3.Connection, store: LocalStore, trust: Trust, wave: str, run: str, seal: str
) -> None:
    _forget(connection, run)
    try:
        found = sealed_verdicts(store, wave, run, trust)
    except WavegateError as error:
        row = (run, wave, seal, None, None, None, error.message)
        connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return
    version = found.plan.version if found.plan and found.wave is None else None
    told = (run, found.wave, seal, format_instant(found.at), str(found.decision), version, None)
    connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", told)
    rows = [_row(run, cell) for cell in found.cells]
    connection.executemany("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _row(run: str, cell: CellEntry) -> tuple[str, str, str, str, str, str, int, str]:
    causes = [f.cause for f in cell.findings] or [gap.cause for gap in cell.missing]
    waived = int(cell.waiver is not None and cell.waiver.in_force)
    verdict = str(cell.verdict) if cell.judged else "NOT JUDGED"
    told = dumps(list(dict.fromkeys(causes))).decode()
    return (run, cell.instance, cell.customer, cell.promise, verdict, cell.reason, waived, told)


def sealed_verdicts(store: LocalStore, wave: str, run: str, trust: Trust) -> Verdicts:
    """The verdicts of a gate. Raises InvalidError, DamagedError where its seal does not hold."""
    place = f"gates/{wave}/{run}/"
    opened = open_envelope(store.read(place + SEAL), trust, Role.SEAL, where=place + SEAL)
    statement = read(opened.payload, SealPredicate, where=place + SEAL)
    data = store.read(place + VERDICTS)
    if statement.subjects.get(VERDICTS) != digest(data):
        raise DamagedError("the verdicts do not match their seal", where=place + VERDICTS)
    found = parse(data, where=place + VERDICTS)
    if (found.wave or NIGHTLY, found.run) != (wave, run):
        raise DamagedError("the gate of another run", where=place)
    return found
