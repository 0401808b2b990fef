# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders import judged_here
from tests.builders.nights import Nights, night, zone
from tests.builders.tiny_http import Got, Say, TinyHttp
from tests.builders.worlds import DOMAIN, World

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.run import capture

pytestmark = pytest.mark.timeout(600)
POLICY = World(phase="after", zone=zone(f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=none"'))
Verb = Callable[..., int]


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A store without any night; what the verb captures is played, at the instant that is set."""
    judged_here.use(monkeypatch)
    found = Nights(tmp_path)
    monkeypatch.setattr(capture, "take", lambda *_: found.look(clock.now()))
    monkeypatch.chdir(tmp_path)
    return found


@pytest.fixture
def verb(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """The verb as it is typed, at an instant; the clock goes on a little at each look at it."""

    def at(n: int, *args: str, hours: float = 0) -> int:
        ticks = (night(n, hours=hours) + k * timedelta(seconds=20) for k in range(1000))
        monkeypatch.setattr(clock, "now", lambda: next(ticks))
        verb, rest = ["nightly"], list(args)
        if rest[:1] == ["accept"]:
            verb, rest = ["nightly", "accept"], rest[1:]
        return run([*verb, *nights.options(), *rest])

    return at


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def test_the_first_nights_as_a_person_sees_them(
    nights: Nights, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    """HOLD with the command to accept; the difference shown; then one line and nothing else."""
    assert 3 == verb(1)
    said = capsys.readouterr().out
    assert f"nightly accept --by NAME --why TEXT --estate {nights.folder}" in said
    assert 0 == verb(1, "accept", "--by", "ann", "--why", "as after the wave", hours=7)
    assert "baseline 1 signed by ann: as after the wave" in capsys.readouterr().out
    assert 0 == verb(2)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("GO   night of 2026-01-06: nothing changed, 8 cells of 1 instances")


def test_a_changed_night_tells_the_cause_with_before_and_after(
    nights: Nights, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    """What broke comes first, then each cause with the state before and after, and who must act."""
    verb(1)
    verb(1, "accept", "--by", "ann", "--why", "x", hours=7)
    nights.worlds["acme-dev1"] = POLICY
    capsys.readouterr()
    assert 1 == verb(2)
    said = capsys.readouterr().out
    for part in ("NO-GO", "broke      dmarc of acme-dev1", "before", "reject", "after", "none"):
        assert part in said
    assert 1 == verb(3)
    assert "unchanged since 2026-01-06T02:00" in capsys.readouterr().out


def test_a_night_is_reported_in_the_languages_asked_for(
    nights: Nights, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people who read German."""
    assert 3 == verb(1)
    assert 0 == verb(1, "accept", "--by", "ann", "--why", "as after the wave", hours=7)
    out = nights.folder / "night"
    asked = ("--language", "de", "--out", str(out))
    assert 0 == verb(2, *asked)
    assert '<html lang="de"' in (out / "report.html").read_text("utf-8")
    assert 2 == verb(3, "--language", "fr")
    assert "no texts in 'fr'" in capsys.readouterr().err


def test_json_has_changed_beside_the_decision(
    nights: Nights, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly one object; an alert goes by `changed`, not by exit 1 in every night."""
    assert 3 == verb(1, "--json")
    first = told(capsys)
    assert ("HOLD", False, None) == (first["decision"], first["changed"], first["baseline"])
    assert "wavegate nightly accept" in first["accept"]
    assert 0 == verb(1, "accept", "--by", "ann", "--why", "x", "--json", hours=7)
    signed = told(capsys)
    assert (1, "ann", 8) == (signed["version"], signed["by"], signed["cells"])
    nights.worlds["acme-dev1"] = POLICY
    seen = []
    for n in (2, 3):
        assert 1 == verb(n, "--json")
        found = told(capsys)
        seen.append((found["decision"], found["changed"], len(found["transitions"])))
    assert [("NO-GO", True, 1), ("NO-GO", False, 0)] == seen


def test_numbers_and_messages_leave_the_night(
    nights: Nights, verb: Verb, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The metrics are written; a bad address or place is refused before anything is looked at."""
    numbers = tmp_path / "night.prom"
    verb(1)
    verb(1, "accept", "--by", "ann", "--why", "x", hours=7)
    assert 0 == verb(2, "--metrics", str(numbers))
    text = numbers.read_text("utf-8")
    assert 'wavegate_nightly_cells{nightly="night",verdict="PASSED"} 8.0' in text
    before = nights.store.names("signed/")
    (tmp_path / "notify").write_text("no address")
    for wrong in (("--metrics", "night.txt"), ("--notify", f"file:{tmp_path / 'notify'}")):
        assert 2 == verb(3, *wrong)
    assert before == nights.store.names("signed/")
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["--estate", "--store"])
def test_what_is_needed_is_asked_for(
    nights: Nights, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verb needs an estate and a store, though the group alone does not."""
    args = nights.options()
    at = args.index(missing)
    assert 2 == run(["nightly", *args[:at], *args[at + 2 :]])
    assert missing in capsys.readouterr().err


def test_history_shows_the_nights_and_who_accepted(
    nights: Nights, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    """A letter a night with the flips, the baselines with names, and a name nobody knows told."""
    verb(1)
    verb(1, "accept", "--by", "ann", "--why", "x", hours=7)
    for n, world in enumerate((World(phase="after"), POLICY, World(phase="after")), 2):
        nights.worlds["acme-dev1"] = replace(world)
        verb(n)
    capsys.readouterr()
    options = ["--store", str(nights.folder / "store")]
    options += ["--trust", str(nights.home / "trust.json")]
    assert 0 == run(["history", *options])
    said = capsys.readouterr().out
    assert "PFP  2 flips" in " ".join(line for line in said.splitlines() if " dmarc " in line)
    assert "baseline 1" in said
    assert "accepted by ann: x" in said
    assert 0 == run(["history", *options, "--promise", "dmarc", "--json"])
    (cell,) = told(capsys)["cells"]
    assert ["PASSED", "FAILED", "PASSED"] == [point["verdict"] for point in cell["points"]]
    assert 2 == run(["history", *options, "--promise", "dmark", "--json"])
    assert "dmarc" in told(capsys)["error"]["cure"]


def test_a_webhook_hears_of_what_broke_and_of_nothing_else(
    nights: Nights, verb: Verb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the night to a real endpoint: a quiet night sends nothing, a change one message."""
    got: list[Any] = []

    def hear(found: Got) -> Say:
        got.append(json.loads(found.body))
        return Say(b"ok", kind="text/plain")

    with TinyHttp(hear) as server:
        (tmp_path / "notify").write_text(server.url.replace("http://", "json://") + "/hook")
        to = ("--notify", f"file:{tmp_path / 'notify'}")
        verb(1)
        verb(1, "accept", "--by", "ann", "--why", "x", hours=7)
        assert 0 == verb(2, *to)
        nights.worlds["acme-dev1"] = POLICY
        capsys.readouterr()
        assert 1 == verb(3, *to, "--json")
        sent = told(capsys)["notified"]
        assert 1 == verb(4, *to)
    (message,) = got
    assert "Wavegate nightly: acme: 1 broke" == message["title"]
    assert "BROKE: dmarc" in message["message"]
    assert [True] == [row["ok"] for row in sent]
