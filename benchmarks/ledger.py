# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The mail ledger over many rows: wall and CPU seconds, peak memory, and whether it is right.

    python -m benchmarks.ledger [--rows 1000000] [--folder FOLDER]

Makes two Parquet files (every row queued before; after, all Sent but some missing, some twice), and
some received mails of which the log knows nothing. They are reckoned in a process of its own, which
checks each id that is listed as lost, as sent twice, as unknown. DuckDB's bare full join, which
lists nothing, runs over the same files, likewise in a process of its own. CPU seconds and peak
memory are of the whole process, imports included; both may use two threads. Exits 1 where a count
or a list is wrong, or where, over many rows, the
ledger takes more than DuckDB of either.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from tests.builders.queues import letter

from wavegate.record.ledger import Ledger, Side, reckon
from wavegate.record.ledger_entry import Outcome, Terms
from wavegate.record.ledger_tally import SCHEMA
from wavegate.record.queue import Delivery

CLOSE = datetime(2024, 1, 16, 23, tzinfo=UTC)
DELIVERIES = 50
FAIR = 5_000_000
"""With fewer rows than about this, imports weigh more than the work."""
STRANGERS = 500
"""Received mails of a known delivery, without a row in either look."""
MISSING, TWICE = 19_841, 21_227
"""One row in so many is missing after, or stands there twice: 504 and 471 of ten million."""


def make(folder: Path, rows: int) -> None:
    """Write `before.parquet` and `after.parquet`."""
    number = pl.int_range(rows, dtype=pl.Int64, eager=True).alias("n")
    frame = pl.DataFrame([number]).with_columns(
        id=(pl.col("n") * 7 + 10_000_000).cast(pl.String),
        delivery=(4000 + pl.col("n") % DELIVERIES).cast(pl.String),
        recipient="hmac:" + pl.col("n").hash(7).cast(pl.String),
        status=pl.lit(6, dtype=pl.Int32),
        status_name=pl.lit("pending"),
        event_at=pl.lit(CLOSE - timedelta(hours=2)).cast(pl.Datetime("us", "UTC")),
        reason=pl.lit(""),
    )
    columns = list(SCHEMA)
    frame.select(columns).write_parquet(folder / "before.parquet", compression="zstd")
    sent = frame.with_columns(
        status=pl.lit(1, dtype=pl.Int32),
        status_name=pl.lit("sent"),
        event_at=pl.lit(CLOSE + timedelta(hours=1)).cast(pl.Datetime("us", "UTC")),
    )
    kept = sent.filter(pl.col("n") % MISSING != 0)
    again = sent.filter(pl.col("n") % TWICE == 1).with_columns(id="9" + pl.col("id"))
    both = pl.concat([kept, again]).sample(fraction=1, shuffle=True, seed=4711)
    both.select(columns).write_parquet(folder / "after.parquet", compression="zstd")


def expected(rows: int) -> dict[str, int]:
    """What must come out."""
    missing = -(-rows // MISSING)
    twice = sum(1 for n in range(1, rows, TWICE) if n % MISSING)
    lone = sum(1 for n in range(1, rows, TWICE) if n % MISSING == 0)
    return {
        "lost": missing - lone,
        "resent once": rows - missing - twice + lone,
        "sent twice": twice,
    }


def ledger(folder: Path) -> dict[str, int]:
    """Reckon the two files."""
    at = CLOSE + timedelta(hours=90)
    terms = Terms(
        opening=CLOSE - timedelta(hours=1),
        close=CLOSE,
        at=at,
        deadline=CLOSE + timedelta(hours=85),
        feedback=True,
        looked_at=at,
    )
    known = {
        str(4000 + n): Delivery(
            id=str(4000 + n),
            name=f"DM{n}",
            label=f"D{n}",
            state=55,
            message_type=0,
            to_deliver=0,
            valid_until=None,
        )
        for n in range(DELIVERIES)
    }
    sides = [
        Side(rows=pl.scan_parquet(folder / f"{name}.parquet"), deliveries=known, named=True)
        for name in ("before", "after")
    ]
    mails = [letter(n, row_id=n, recipient=f"x{n}@elsewhere.example") for n in range(STRANGERS)]
    found = reckon(sides[0], sides[1], mails, terms)
    _check_lists(found)
    return {str(outcome): count for outcome, count in sorted(found.counts.items())}


def _check_lists(found: Ledger) -> None:
    """Every lost, doubled and unknown message by its id, and no other."""
    numbers = range(found.queued)
    lost = {n for n in numbers[::MISSING] if n % TWICE != 1}
    twice = {n for n in numbers[1::TWICE] if n % MISSING}
    listed = [
        {(int(entry.original.id) - 10_000_000) // 7 for entry in found.of(outcome)}
        for outcome in (Outcome.LOST, Outcome.TWICE)
    ]
    unknown = {copy.recipient for copy in found.unknown}
    strangers = {f"x{n}@elsewhere.example" for n in range(STRANGERS)}
    if found.remainder or [*listed, unknown] != [lost, twice, strangers]:
        raise SystemExit("the lists are not what they must be")


def full_join(folder: Path) -> dict[str, int]:
    """DuckDB's bare full join by recipient and delivery over the same files."""
    duckdb = importlib.import_module("duckdb")
    database = duckdb.connect(config={"threads": 2})
    question = f"""
        select count(*) filter (where a.n is null), count(*) filter (where a.n = 1),
               count(*) filter (where a.n > 1)
        from '{folder}/before.parquet' b
        full join (select recipient, delivery, count(*) n from '{folder}/after.parquet'
                   group by all) a
        using (recipient, delivery)
    """  # noqa: S608 - a path that we made
    ((lost, once, twice),) = database.execute(question).fetchall()
    return {"lost": lost, "resent once": once, "sent twice": twice}


WAYS: dict[str, Callable[[Path], dict[str, int]]] = {"ledger": ledger, "duckdb": full_join}


def measure(way: str, folder: Path) -> None:
    """Run one way in this process and print what it took as JSON."""
    began = time.perf_counter()
    counts = WAYS[way](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "counts": counts,
        "wall": time.perf_counter() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": _peak(),
    }
    print(json.dumps(told))


def _peak() -> float:
    """The most memory this process held, in MB; ru_maxrss would count what its parent held too."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    return int(line.split()[1]) / 1024


def main() -> int:
    """Make the files, measure each way, and compare with what must come out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.way:
        measure(asked.way, asked.folder)
        return 0
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        make(folder, asked.rows)
        sizes = [(folder / f"{n}.parquet").stat().st_size / 1e6 for n in ("before", "after")]
        print(f"{asked.rows} rows a side, {sizes[0]:.0f} and {sizes[1]:.0f} MB of Parquet")
        return _all(folder, expected(asked.rows))


def _all(folder: Path, wanted: dict[str, int]) -> int:
    wrong, used = 0, {}
    print("| way | wall s | CPU s | peak MB | right |")
    print("|---|---|---|---|---|")
    for way in WAYS:
        if way == "duckdb" and importlib.util.find_spec("duckdb") is None:
            print("| duckdb | not installed | | | |")
            continue
        command = [sys.executable, "-m", "benchmarks.ledger", "--way", way, "--folder", str(folder)]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        right = told["counts"] == wanted
        wrong += not right
        used[way] = told["cpu"], told["peak"]
        word = "yes" if right else f"{told['counts']} != {wanted}"
        print(
            f"| {way} | {told['wall']:.2f} | {told['cpu']:.2f} | {told['peak']:.0f} | {word} |",
            flush=True,
        )
    if "duckdb" in used:
        (cpu, peak), (their_cpu, their_peak) = used["ledger"], used["duckdb"]
        print(f"\nledger / duckdb: CPU {cpu / their_cpu:.2f}, peak {peak / their_peak:.2f}")
        if wanted["resent once"] >= FAIR:
            wrong += cpu > their_cpu or peak > their_peak
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
