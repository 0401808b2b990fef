# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import WAVE
from tests.builders.lively import Lively, alive
from tests.builders.tiny_http import Say, TinyHttp

import wavegate.cli.watch_view
import wavegate.run.queue
import wavegate.run.watch
from wavegate.cli.entry import run
from wavegate.estate.load import dump
from wavegate.estate.model import Estate
from wavegate.evidence.timeline_checkpoints import checkpoint_folder, timeline_checkpoints
from wavegate.evidence.tool import tool
from wavegate.evidence.trust import load as load_trust
from wavegate.record.local_store import LocalStore
from wavegate.record.timeline import Timeline
from wavegate.record.timeline_journal import TimelineReading, read_timelines

WARM = (wavegate.cli.watch_view, wavegate.run.queue, wavegate.run.watch)
"""Imported before any test's window is fixed: a verb imports its library only when it runs."""
SECOND = timedelta(seconds=1)
NAME = "acme-prod1"
POLICY = {
    "settle": "200ms",
    "too_slow": "1s",
    "probe_interval": "50ms",
}
QUIET = {"inbound_mail": False}


class Night:
    """A folder with an estate whose window comes soon, and the command line that watches it."""

    def __init__(
        self, folder: Path, url: str, opens: timedelta, length: timedelta, **policy: str
    ) -> None:
        self.folder = folder
        self.estate: Estate = alive(
            url, folder, opens=opens, length=length, policy=POLICY | policy, functions=QUIET
        )
        (folder / "estate.json").write_bytes(dump(self.estate))
        self.home = folder / "home"
        self.args = [
            *("watch", "--estate", str(folder / "estate.json"), "--wave", WAVE),
            *("--store", str(folder / "store"), "--vantage", "here"),
        ]

    @property
    def store(self) -> LocalStore:
        """The store it wrote."""
        return LocalStore.open(self.folder / "store", create=False)

    def files(self) -> dict[str, bytes]:
        """The journals of the timelines, as they are on the disk."""
        found = (self.folder / "store" / "timelines").rglob("*.jsonl")
        return {path.name: path.read_bytes() for path in found}

    def reading(self) -> TimelineReading:
        """Everything written so far."""
        return read_timelines(self.store, WAVE, NAME)

    def timeline(self) -> Timeline:
        """The timeline of the one vantage."""
        (found,) = self.reading().timelines
        return found

    def start(self) -> "subprocess.Popen[bytes]":
        """A watch as a process of its own; it has begun when its first line can be read."""
        environment = {**os.environ, "WAVEGATE_HOME": str(self.home)}
        command = [sys.executable, "-m", "wavegate", *self.args, "--json-lines"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        while b'"sample"' not in process.stdout.readline():
            assert process.poll() is None
        return process


@pytest.fixture
def lively() -> Lively:
    """The instance that answers, which counts what it was asked."""
    return Lively()


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lively: Lively) -> Iterator[Night]:
    """A window that opens at once and closes soon, of an instance that does everything right."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    tool()  # worked out once per process, and not in the time before the opening
    with TinyHttp(lively) as server:
        yield Night(tmp_path, server.url, 2 * SECOND / 3, SECOND / 2)


@pytest.fixture
def long_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """A window that a test never sees the end of."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    with TinyHttp(Lively()) as server:
        yield Night(tmp_path, server.url, SECOND, 300 * SECOND)


def test_a_watch_is_one_object_for_machines(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts per instance and function, how it ended, and nothing else on stdout."""
    assert 0 == run([*night.args, "--json"])
    found = json.loads(capsys.readouterr().out)
    tracking = found["instances"][NAME]["tracking"]
    assert (True, False, 0) == (found["settled"], found["interrupted"], tracking["wrong"])
    assert tracking["ok"] == len([s for s in night.timeline().of("tracking") if s.state == "ok"])
    assert "undisturbed so far" == tracking["word"]
    assert "the estate switches it off" == found["instances"][NAME]["inbound_mail"]["not_probed"]


def test_all_share_one_session(night: Night, lively: Lively) -> None:
    """As the instance counts: one logon for all, besides those that are probed; all are ended."""
    assert 0 == run([*night.args, "--json"])
    probed = [sample.state for sample in night.timeline().of("logon")]
    looked = len(night.store.names(f"queues/{WAVE}/{NAME}/"))
    assert len(night.timeline().of("session")) > 3
    others = lively.calls.count("Logon") - probed.count("ok") - looked
    assert 0 <= others - 1 <= len(probed) - probed.count("ok")
    assert lively.calls.count("Logon") == lively.calls.count("Logoff")


def test_every_checkpoint_vouches_for_its_line(night: Night) -> None:
    """The last signed one reaches to the end, and a line that was changed is found."""
    assert 0 == run([*night.args, "--json"])
    trust = load_trust(night.home / "trust.json")
    found = timeline_checkpoints(night.store, trust, WAVE, NAME)
    assert () == found.flaws
    whole = read_timelines(night.store, WAVE, NAME, upto=found.upto)
    assert whole == night.reading()
    assert len(night.store.names(checkpoint_folder(WAVE, NAME))) >= 2
    (path,) = (night.folder / "store" / "timelines" / WAVE / NAME).glob("*.jsonl")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    cut = timeline_checkpoints(night.store, trust, WAVE, NAME)
    assert {"timeline-journal"} == {flaw.kind for flaw in cut.flaws}


def test_a_finished_timeline_is_not_gone_on_with(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """Watching again could only add what nobody needs; another vantage may look for itself."""
    assert 0 == run([*night.args, "--json"])
    before = night.files()
    assert 2 == run(night.args)
    assert "finished timeline" in capsys.readouterr().err
    assert before == night.files()


def test_a_window_in_the_past_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 with the instant at which it ended; nothing is written that looks like a timeline."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    late = Night(tmp_path, "http://127.0.0.1:9", -2 * SECOND, SECOND)
    assert 2 == run([*late.args, "--json"])
    assert "the window ended at" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert () == late.reading().timelines


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--until", "2020-01-01T00:00:00Z"], "in the past"),
        (["--until", "tomorrow"], "--until tomorrow"),
        (["--until", "2099-01-01T00:00:00"], "no zone"),
        (["--instance", "acme-prod9"], "not in wave"),
        (["--json-lines", "--json"], "at once"),
    ],
)
def test_bad_input_is_named(
    long_night: Night, more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is exit 2 with a sentence."""
    assert 2 == run([*long_night.args, *more])
    out = capsys.readouterr()
    assert says in out.err + out.out


def test_json_lines_tell_each_event(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line; the window's turns among them."""
    assert 0 == run([*night.args, "--json-lines"])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"began", "sample", "told", "function"} <= {event["event"] for event in events}
    told = [event for event in events if event["event"] == "told" and event["instance"] is None]
    texts = [event["text"] for event in told]
    assert ["the window opened", "the window closed", "the watch ended: settled"] == [
        text.partition(" (")[0].partition(";")[0] for text in texts
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_seals_what_is_there(long_night: Night, number: int) -> None:
    """Exit 130; the last checkpoint vouches for the last line."""
    process = long_night.start()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert 130 == process.returncode
    trust = load_trust(long_night.home / "trust.json")
    signed = timeline_checkpoints(long_night.store, trust, WAVE, NAME)
    whole = read_timelines(long_night.store, WAVE, NAME, upto=signed.upto)
    assert long_night.reading() == whole


def test_ctrl_c_twice_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 130 without waiting for who does not answer; every line written before is whole."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    asked, over = threading.Event(), threading.Event()

    def hang() -> Iterator[bytes]:
        asked.set()
        over.wait(20)
        yield b"too late"

    hanging = TinyHttp(Lively(instead={"/nl/jsp/logon.jsp": Say(pieces=hang)}))
    with hanging as server, ExitStack() as stack:
        night = Night(tmp_path, server.url, SECOND, 300 * SECOND, too_slow="60s")
        process = night.start()
        stack.callback(process.kill)
        assert process.stdout is not None
        assert asked.wait(10)
        process.send_signal(signal.SIGINT)
        while b"interrupted: waiting" not in process.stdout.readline():
            assert process.poll() is None  # to a busy process two signals at once are one
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=15)
        over.set()
    assert 130 == process.returncode
    assert () == night.reading().problems
    assert night.timeline().samples


def test_the_end_of_a_killed_watch_is_vouched_for_by_the_next(long_night: Night) -> None:
    """Nobody signed its last lines; once a signed segment names the last of them, they count."""

    def signed() -> TimelineReading:
        trust = load_trust(long_night.home / "trust.json")
        upto = timeline_checkpoints(long_night.store, trust, WAVE, NAME).upto
        return read_timelines(long_night.store, WAVE, NAME, upto=upto)

    process = long_night.start()
    assert process.stdout is not None
    for _ in range(10):
        process.stdout.readline()
    process.kill()
    process.communicate()
    assert signed() != long_night.reading()
    process = long_night.start()
    process.terminate()
    process.communicate(timeout=20)
    assert signed() == long_night.reading()


def test_two_watches_of_one_vantage_do_not_mix(
    long_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second is refused while the first runs."""
    process = long_night.start()
    assert 2 == run(long_night.args)
    assert "another watch" in capsys.readouterr().err
    process.kill()
    process.communicate()
