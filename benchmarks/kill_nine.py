# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Kills `wavegate watch` and `wavegate sink` (-9) at random instants: nothing told may be lost.

    python -m benchmarks.kill_nine [--rounds 50] [--seed N]

Real processes against small servers of our own, always on the same store. A round waits for the
first acknowledgement (a sample on `--json-lines`; a 250 after DATA) and kills at a random instant
after it, under load; every fifth round is followed by one that is killed while it starts. At the
end the process runs once more and is ended by SIGTERM. Then everything acknowledged must be in the
store, once; the chains and the signed checkpoints must hold; each death must lie in a gap. Exits 1
if anything does not. Nothing here says what a power cut does: the kernel outlives the process.
"""

import argparse
import json
import os
import random
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import IO

from tests.builders.estates import WAVE
from tests.builders.lively import Lively, alive
from tests.builders.tiny_http import TinyHttp

from wavegate.canonical import dumps
from wavegate.estate.load import dump
from wavegate.evidence.checkpoints import broken_checkpoints
from wavegate.evidence.timeline_checkpoints import timeline_checkpoints
from wavegate.evidence.trust import load as load_trust
from wavegate.record.journal import JournalProblem
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import read_mails
from wavegate.record.timeline_journal import NOT_RUNNING, read_timelines

LOADED, STARTING = 0.7, 1.0
"""Seconds after the first acknowledgement, or after the start, within which a death falls."""
PATIENCE = 60.0
NAME = "acme-prod1"
SOURCES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
POLICY = {"settle": "200ms", "too_slow": "1s", "probe_interval": "50ms"}


@dataclass(slots=True)
class Told:
    """What was acknowledged so far; first: set at the first of this round."""

    all: list[bytes] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)

    def add(self, what: bytes) -> None:
        """One more."""
        self.all.append(what)
        self.first.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How it went. deaths: all; starting: those before anything was told in their round."""

    verb: str
    deaths: int
    starting: int
    told: int
    kept: int
    torn: int
    problems: tuple[str, ...]

    def row(self) -> str:
        """One line of the table."""
        cells = (self.verb, self.deaths, self.starting, self.told, self.kept, self.torn)
        return "| " + " | ".join(map(str, (*cells, len(self.problems)))) + " |"


@dataclass(slots=True)
class Deaths:
    """Starts a process again and again, and kills it. at: when each death began."""

    command: Sequence[str]
    home: Path
    listen: Callable[["subprocess.Popen[bytes]", Told], None]
    chance: random.Random
    told: Told = field(default_factory=Told)
    at: list[datetime] = field(default_factory=list)
    starting: int = 0
    problems: list[str] = field(default_factory=list)

    def all(self, rounds: int) -> None:
        """So many deaths under load, a fifth as many in starting, and one good end."""
        for number in range(1, rounds + 1):
            self._round(signal.SIGKILL, self.chance.uniform(0, LOADED))
            if number % 5 == 0:
                self.starting += 1
                self._round(signal.SIGKILL, self.chance.uniform(0, STARTING), starting=True)
        self._round(signal.SIGTERM, self.chance.uniform(0, LOADED))

    def _round(self, how: signal.Signals, seconds: float, *, starting: bool = False) -> None:
        self.told.first.clear()
        environment = {**os.environ, "WAVEGATE_HOME": str(self.home)}
        pipe = subprocess.PIPE
        with ExitStack() as stack:
            process = stack.enter_context(
                subprocess.Popen(self.command, stdout=pipe, stderr=pipe, env=environment)
            )
            stack.callback(process.kill)
            listening = threading.Thread(target=self.listen, args=(process, self.told))
            listening.start()
            if not starting and not self.told.first.wait(PATIENCE):
                self.problems.append("nothing was acknowledged in time")
            time.sleep(seconds)
            if how is signal.SIGKILL:
                self.at.append(datetime.now(UTC))
            process.send_signal(how)
            listening.join(PATIENCE)
            code = process.wait(PATIENCE)
        if how is signal.SIGKILL and code != -how:
            self.problems.append(f"it ended by itself, with {code}")

    def found(
        self, verb: str, kept: Iterable[bytes], gaps: Sequence[tuple[datetime, datetime]], torn: int
    ) -> Found:
        """Hold what was told against what is there."""
        stored = Counter(kept)
        lost = [what for what in self.told.all if not stored[what]]
        doubled = [what for what, times in stored.items() if times > 1]
        self.problems += [f"lost: {what[:200]!r}" for what in lost]
        self.problems += [f"stands there twice: {what[:200]!r}" for what in doubled]
        self.problems += [
            f"the death at {at} is not shown as a gap"
            for at in self.at
            if not any(since <= at <= until for since, until in gaps)
        ]
        return Found(
            verb=verb,
            deaths=len(self.at),
            starting=self.starting,
            told=len(self.told.all),
            kept=len(stored),
            torn=torn,
            problems=tuple(self.problems),
        )


def watch(folder: Path, rounds: int, chance: random.Random) -> Found:
    """Kill watches of an instance that does everything right."""
    with TinyHttp(Lively()) as server:
        second = timedelta(seconds=1)
        quiet = {"inbound_mail": False}
        estate = alive(
            server.url, folder, opens=second, length=86_400 * second, policy=POLICY, functions=quiet
        )
        (folder / "estate.json").write_bytes(dump(estate))
        more = ("--wave", WAVE, "--vantage", "here", "--json-lines")
        deaths = Deaths(_command(folder, "watch", *more), folder / "home", _samples, chance)
        deaths.all(rounds)
    store = LocalStore.open(folder / "store", create=False)
    trust = load_trust(folder / "home" / "trust.json")
    signed = timeline_checkpoints(store, trust, WAVE, NAME)
    reading = read_timelines(store, WAVE, NAME)
    deaths.problems += [flaw.detail for flaw in signed.flaws]
    if read_timelines(store, WAVE, NAME, upto=signed.upto).timelines != reading.timelines:
        deaths.problems.append("the signed checkpoints do not vouch for every line")
    torn = _torn(reading.problems, deaths.problems)
    (timeline,) = reading.timelines
    gaps = [(gap.since, gap.until) for gap in timeline.gaps if gap.reason == NOT_RUNNING]
    return deaths.found("watch", (dumps(s.to_fields()) for s in timeline.samples), gaps, torn)


def sink(folder: Path, rounds: int, chance: random.Random) -> Found:
    """Kill sinks that several senders keep busy."""
    estate = alive("http://127.0.0.1:9", folder)
    (folder / "estate.json").write_bytes(dump(estate))
    command = _command(folder, "sink", "--listen", "127.0.0.1:0")
    deaths = Deaths(command, folder / "home", _mails, chance)
    deaths.all(rounds)
    store = LocalStore.open(folder / "store", create=False)
    trust = load_trust(folder / "home" / "trust.json")
    reading = read_mails(store)
    deaths.problems += [flaw.detail for flaw in broken_checkpoints(store, trust)]
    torn = _torn(reading.problems, deaths.problems)
    spans = reading.listening
    gaps = [(one.ended, next_.began) for one, next_ in pairwise(spans)]
    if [span.clean for span in spans].count(True) != 1 or not spans[-1].clean:
        deaths.problems.append("a killed sink is shown as one that stopped")
    return deaths.found("sink", (mail.raw for mail in reading.messages), gaps, torn)


def _command(folder: Path, verb: str, *more: str) -> list[str]:
    given = ("--estate", str(folder / "estate.json"), "--store", str(folder / "store"))
    return [sys.executable, "-m", "wavegate", verb, *given, *more]


def _torn(found: Iterable[JournalProblem], problems: list[str]) -> int:
    """How many ends are torn, which is allowed; all else is a problem."""
    found = tuple(found)
    problems += [str(one) for one in found if one.kind != "torn"]
    return sum(one.kind == "torn" for one in found)


def _samples(process: "subprocess.Popen[bytes]", told: Told) -> None:
    """Collect the samples of a watch until it is gone."""
    for line in _whole_lines(process.stdout):
        event = json.loads(line)
        if event.pop("event") == "sample":
            event.pop("instance")
            told.add(dumps(event))


def _whole_lines(stream: IO[bytes] | None) -> Iterable[bytes]:
    return (line for line in stream or () if line.endswith(b"\n"))


def _mails(process: "subprocess.Popen[bytes]", told: Told) -> None:
    """Send to a sink from several addresses at once until it is gone."""
    for line in _whole_lines(process.stderr):
        if b"listening on" in line:
            port = int(line.rpartition(b":")[2])
            senders = [
                threading.Thread(target=_send, args=(port, source, told)) for source in SOURCES
            ]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()


def _send(port: int, source: str, told: Told) -> None:
    began = time.time_ns()
    place = ("127.0.0.1", port)
    try:
        with smtplib.SMTP(*place, "x.example", PATIENCE, (source, 0)) as client:
            for number in count():
                raw = f"Subject: {source} {began} {number}\r\n\r\n{'x' * 3000}\r\n".encode()
                client.sendmail("b@x.example", ["x@seed.example"], raw)
                told.add(raw)
    except (OSError, smtplib.SMTPException):
        pass  # it was killed, or is ending


def main() -> int:
    """Play the rounds of both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=50, help="deaths under load of each verb")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}\n")
    print("| verb | deaths | in starting | acknowledged | stored | torn ends | problems |")
    print("|---|---|---|---|---|---|---|")
    problems = 0
    for play in (watch, sink):
        with tempfile.TemporaryDirectory() as made:
            found = play(Path(made), asked.rounds, random.Random(asked.seed))  # noqa: S311 - not for secrets
        print(found.row(), flush=True)
        for problem in found.problems:
            print(f"    {problem}")
        problems += len(found.problems)
    share = 1 - 0.05 ** (1 / asked.rounds)
    print(f"\nA fault that shows in {share:.1%} of such deaths would have shown here (95 %).")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
