# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A lab from start to end: files, phases, mail, other labs beside it, and nothing left over."""

import json
import stat
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from wavegate.clock import monotonic, now, parse_instant
from wavegate.errors import InputError, MissingError
from wavegate.lab import client
from wavegate.lab.running import Lab
from wavegate.lab.serve import running


class _Mail(Protocol):
    peer: str
    helo: str
    mail_from: str
    recipient: str
    raw: bytes


class _Sink(Protocol):
    mails: list[_Mail]


Listening = Callable[[str], AbstractContextManager[_Sink]]
SOON, SHORT = timedelta(seconds=5), timedelta(seconds=0.4)


def _sockets() -> int:
    """How many sockets this process holds."""
    return sum(_target(link).startswith("socket:") for link in Path("/proc/self/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return "gone"


def _received_by(mails: list[_Mail], instance: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for mail in mails:
        if f"{instance} news".encode() in mail.raw:
            found["new" if b"by irl1-lab1-mta-i-0" in mail.raw else "old"] += 1
    return found


def test_a_wave_is_played(tmp_path: Path, listening: Listening) -> None:
    """Mail from the old site, silence, mail from the new one, from the same addresses."""
    with (
        running("small", tmp_path, opens_in=SOON, window=SHORT) as lab,
        listening(lab.smtp) as sink,
    ):
        told = json.loads((tmp_path / "lab.json").read_text())
        opens = parse_instant(told["window"]["start"])
        closes = parse_instant(told["window"]["end"])
        before = client.phase(tmp_path, "before", patience=timedelta(seconds=4))
        window = client.phase(tmp_path, "window")
        assert opens <= window.at
        told_before = [mail for mail in sink.mails if b"acme-prod1 news" in mail.raw]
        after = client.phase(tmp_path, "after")
        assert closes <= after.at
        mails = list(sink.mails)
    assert (before.phase, window.phase, after.phase) == ("before", "window", "after")
    assert (after.undelivered, after.silent, after.writes) == ((), (), ())
    addresses = set(lab.world.agreed.instance("acme-prod1").sending_ips)
    later = [mail for mail in mails if b"acme-prod1 news" in mail.raw][len(told_before) :]
    assert {mail.peer for mail in later} == addresses
    assert _received_by(told_before, "acme-prod1").keys() == {"old"}
    assert _received_by(later, "acme-prod1").keys() == {"new"}


def test_the_files_that_outsiders_rely_on(tmp_path: Path) -> None:
    """lab.json has its keys, secrets are for the owner only, and the sink's port is free."""
    with running("clean", tmp_path, faults=("build-newer",)) as lab:
        told = json.loads((tmp_path / "lab.json").read_text())
        assert (told["phase"], told["wave"]) == ("before", lab.world.agreed.waves[0].name)
        assert Path(told["estate"]).samefile(tmp_path / "estate.yaml")
        assert told["dns"][0] == lab.dns.resolver
        account = told["instances"]["acme-prod1"]
        password = (tmp_path / "secrets" / "acme-prod1.password").read_text().strip()
        assert account["password"] == password
        assert account["url"].startswith("http://127.0.0.1:")
        assert told["faults"] == ["build-newer"]
        for name in ("lab.json", "secrets/acme-prod1.password"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_it_starts_within_two_seconds(tmp_path: Path) -> None:
    """A drill starts many labs."""
    started = monotonic()
    with running("clean", tmp_path):
        assert monotonic() - started < 2


def test_without_a_sink_it_says_who_could_not(tmp_path: Path) -> None:
    """`after` must not wait for ever, and must not claim delivery."""
    with running("small", tmp_path, opens_in=timedelta(seconds=0.2), window=SHORT):
        result = client.phase(tmp_path, "after", patience=timedelta(seconds=0.3))
    assert result.phase == "after"
    assert any("127.10.3.11 for news.acme.example" in line for line in result.undelivered)
    assert all("Connect" in line for line in result.undelivered if "not yet" not in line)


def test_a_phase_is_not_left_backwards(tmp_path: Path) -> None:
    """Asking again for a phase that is past changes nothing."""
    with running("small", tmp_path, opens_in=timedelta(), window=SHORT):
        client.phase(tmp_path, "after", patience=timedelta())
        again = client.phase(tmp_path, "window")
    assert again.phase == "after"


def test_the_estate_is_bent_only_afterwards(tmp_path: Path) -> None:
    """The fault that edits the estate file does so at the close, not before."""
    gone = "127.10.3.13"
    fault = ("estate-changed-between",)
    with running("small", tmp_path, faults=fault, opens_in=timedelta(), window=SHORT):
        before = gone in (tmp_path / "estate.yaml").read_text()
        result = client.phase(tmp_path, "after", patience=timedelta())
        after = gone in (tmp_path / "estate.yaml").read_text()
    assert (before, after) == (True, False)
    assert f"acme-prod1: {gone}" in result.silent


def test_labs_live_side_by_side(tmp_path: Path, listening: Listening) -> None:
    """Each has its own ports, and gets its own mail only."""
    folders = (tmp_path / "one", tmp_path / "two")
    with (
        running("small", folders[0]) as one,
        running("small", folders[1]) as two,
        listening(one.smtp) as first,
        listening(two.smtp) as second,
    ):
        for folder in folders:
            assert client.phase(folder, "before").undelivered == ()
        theirs = {flow.recipient for flow in one.flows.values()}
        others = {flow.recipient for flow in two.flows.values()}
        assert {mail.recipient for mail in first.mails} == theirs
        assert {mail.recipient for mail in second.mails} == others
        assert not theirs & others


def test_one_folder_holds_one_lab(tmp_path: Path) -> None:
    """A second lab in the folder of a living one is refused; a dead one's folder is free."""
    with running("small", tmp_path), pytest.raises(InputError, match="another lab"):
        _started(tmp_path)
    _started(tmp_path)


def _started(folder: Path) -> None:
    with running("small", folder):
        pass


def test_nothing_is_left_over(tmp_path: Path, listening: Listening) -> None:
    """No socket, no thread, whatever was going on."""
    sockets, threads = _sockets(), threading.active_count()
    with running("small", tmp_path) as lab, listening(lab.smtp):
        client.phase(tmp_path, "before")
    assert (_sockets(), threading.active_count()) == (sockets, threads)
    with pytest.raises(MissingError):
        client.status(tmp_path)


def test_a_failed_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab that comes up by half is taken down whole."""

    async def fail(*_: object) -> None:
        raise RuntimeError("half way")

    sockets, threads = _sockets(), threading.active_count()
    monkeypatch.setattr(Lab, "_send_mail", fail)
    with pytest.raises(RuntimeError, match="half way"):
        _started(tmp_path)
    assert (_sockets(), threading.active_count()) == (sockets, threads)
    assert not (tmp_path / "lab.json").exists()


def test_bad_input_is_told(tmp_path: Path) -> None:
    """A file for a folder, a window of nothing, a phase that is none, a folder without a lab."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="folder"):
        _started(file)
    with (
        pytest.raises(InputError, match="200ms"),
        running("small", tmp_path, window=timedelta()),
    ):
        pass
    with pytest.raises(InputError, match="unknown phase"):
        client.phase(tmp_path, "later")
    with pytest.raises(MissingError, match="no lab runs here"):
        client.status(tmp_path / "empty")


def test_mail_stops_before_the_opening(tmp_path: Path, listening: Listening) -> None:
    """Even if nobody moves the world, no mail of the wave leaves inside the window."""
    with (
        running("small", tmp_path, opens_in=timedelta(seconds=0.5), window=SHORT) as lab,
        listening(lab.smtp) as sink,
    ):
        opens = parse_instant(json.loads((tmp_path / "lab.json").read_text())["window"]["start"])
        client.phase(tmp_path, "window")
        assert now() >= opens
        moving = [mail for mail in sink.mails if b"acme-prod1 news" in mail.raw]
        client.phase(tmp_path, "after", patience=timedelta(seconds=5))
        later = [mail for mail in sink.mails if b"acme-prod1 news" in mail.raw]
    assert _received_by(moving, "acme-prod1")["new"] == 0
    assert _received_by(later, "acme-prod1")["old"] == len(moving)
