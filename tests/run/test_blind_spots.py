# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What `plan` says that the evidence will not be able to show, and how it is cured."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import START, estate, instance, wave
from tests.builders.rates import before_side, rate_answers
from tests.builders.stores import Desk
from tests.builders.worlds import World

from wavegate.cli.entry import run
from wavegate.estate.load import dump
from wavegate.estate.model import Estate, Limit, Window
from wavegate.estate.policy import Policy
from wavegate.record.rates import SERIES

CREDENTIALS = {"operator": "env:NOBODY_SET_THIS", "password": "env:NOR_THIS"}
TIMED = (
    "throughput",
    "availability_after",
    "sending_window",
    "only_sending_disrupted",
    "queued_mail",
)
Spots = dict[str, list[tuple[str, str]]]


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], given: Estate) -> Spots:
    """The blind spots of a plan over this estate, by promise."""
    (tmp_path / "e.json").write_bytes(dump(given))
    args = ["plan", "--estate", str(tmp_path / "e.json"), "--wave", given.waves[0].name]
    assert 0 == run([*args, "--store", str(tmp_path / "store"), "--json"])
    found: Spots = {}
    for row in json.loads(capsys.readouterr().out)["cannot_show"]:
        found.setdefault(row["promise"], []).append((row["cannot_show"], row["cure"]))
    return found


def test_each_timed_promise_says_what_it_cannot_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From estate and policy alone, with a cure each; no secret is looked up for it."""
    monkeypatch.setenv("NOBODY_SET_THIS", "canary-4711")
    found = told(tmp_path, capsys, estate(instance(credentials=CREDENTIALS)))
    assert set(found) == {*TIMED, "sending_ips"}
    assert all(what and cure for rows in found.values() for what, cure in rows)
    assert "under 29 independent mails" in found["sending_ips"][0][0]
    assert "12 where they vary by 10%" in found["throughput"][0][0]
    assert "canary-4711" not in str(found)
    assert "--seed-runs 20" in found["throughput"][1][1]


def test_the_shortest_outage_follows_interval_and_confirm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Distance of two probes times `confirm`; a function of its own pace, one switched off."""
    one = instance(
        credentials=CREDENTIALS,
        functions={"sftp": False, "mirror_page": {"url": "/m", "every": "20s"}},
    )
    policy = Policy(probe_interval=timedelta(seconds=2), confirm=4)
    rows = [what for what, _ in told(tmp_path, capsys, estate(one, policy=policy))[TIMED[3]]]
    assert "an outage shorter than 8 s of tracking; 80 s of" not in rows[0]
    assert "8 s of tracking" in rows[0]
    assert "1.33 min of mirror_page" in rows[0]
    assert "anything of sftp: switched off" in rows
    assert any("seed_link (the estate names no seed link)" in row for row in rows)


@pytest.mark.parametrize(
    ("product", "policy", "word"),
    [
        ("campaign-v8", Policy(), "instance's own log"),
        ("campaign-v7", Policy(), "every queued message is a seed"),
        ("campaign-v7", Policy(lost_share=0.05), "needs 59 seeds"),
    ],
)
def test_a_v7_log_proves_no_delivery(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    product: str,
    policy: Policy,
    word: str,
) -> None:
    """Sent means relayed there: only seeds in the queue show that it came."""
    one = instance(product=product, credentials=CREDENTIALS)
    found = told(tmp_path, capsys, estate(one, policy=policy))
    assert word in found["queued_mail"][0][0]


def test_nobody_receives_and_nobody_logs_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a mail source or credentials, whole promises are blind, and that is said."""
    found = told(tmp_path, capsys, estate(instance(mail=())))
    assert ["anything: nobody receives its mail"] == [what for what, _ in found["dkim"]]
    assert "anything: the queue is listed in a session" in found["queued_mail"][0][0]


def test_planned_entries_and_limits_cure_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is cured is no longer told: a stop and a load step, a limit."""
    step = {"at": START + timedelta(days=2), "for": timedelta(hours=1)}
    one = instance(planned=[{"stop": "mta1", **step}, {"load": "x2", **step}])
    limit = Limit(
        promise="throughput", instances=("acme-prod1",), reason="no load", approved_by="me"
    )
    found = told(tmp_path, capsys, estate(one, limits=(limit,)))
    assert {"throughput", "availability_after"} & set(found) == set()


def test_a_short_window_asks_for_an_agreed_return(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody schedules a seed a second: then `resume_within` is to be set, and is then told."""
    short = wave(window=Window(start=START, end=START + timedelta(minutes=5)))
    found = told(tmp_path, capsys, estate(waves=(short,)))
    assert "resume_within" in found["sending_window"][1][1]
    agreed = Policy(resume_within=timedelta(minutes=3))
    (tmp_path / "agreed").mkdir()
    found = told(tmp_path / "agreed", capsys, estate(policy=agreed))
    assert "shorter than 3m" in found["sending_window"][1][0]


def test_a_captured_history_is_held_against_the_margin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planned again after a capture, `plan` says what this very baseline lacks."""
    desk = Desk(tmp_path / "desk", at=START)
    taken = World(phase="before", taken=START - timedelta(minutes=1)).snapshot()
    plain = [seen for seen in taken.observations if SERIES not in seen.asked]
    told_rates = rate_answers({"77": before_side(units=2)}, taken.began)
    desk.capture(replace(taken, observations=(*plain, *told_rates)))
    folder = desk.folder
    args = ["plan", "--estate", str(folder / "estate.json"), "--wave", desk.wave]
    args += ["--key", str(folder / "home/keys/default.pem"), "--store", str(folder / "store")]
    assert 0 == run([*args, "--json"])
    rows = json.loads(capsys.readouterr().out)["cannot_show"]
    (what, _) = (row["cannot_show"] for row in rows if row["promise"] == "throughput")
    assert "2 loaded units of 1d before, at least 3 are needed" in what


def test_the_text_tells_shared_spots_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six instances alike are one entry, with four of their names."""
    names = [f"acme-prod{n}" for n in range(1, 7)]
    given = estate(*map(instance, names), waves=(wave("2024-01-w1", *names),))
    (tmp_path / "e.json").write_bytes(dump(given))
    args = ["plan", "--estate", str(tmp_path / "e.json"), "--wave", "2024-01-w1"]
    assert 0 == run([*args, "--store", str(tmp_path / "store")])
    said = capsys.readouterr().out
    line = "sending_ips[acme-prod1, acme-prod2, acme-prod3, acme-prod4 and 2 more]"
    assert 1 == said.count(line)
    section = said.partition("not be able")[2].partition("needs a person")[0]
    assert max(map(len, section.splitlines())) <= 100
