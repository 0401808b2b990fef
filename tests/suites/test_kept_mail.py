# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The policy `keep` takes nothing from the verdicts: the same mail is judged alike, kept or not."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.builders.estates import END, START
from tests.builders.pair import gating
from tests.builders.stores import Desk
from tests.suites.test_suites import ALL, FAILING, LOADED_ONCE, Play

from wavegate.cli.entry import run
from wavegate.estate.model import Estate
from wavegate.estate.policy import Keep
from wavegate.plugin.wire import read_cells
from wavegate.record.queue import QueueLook
from wavegate.run.keeping import mail_keeper, row_keeper
from wavegate.verdict import Judgement

assert LOADED_ONCE
WHOLE, HEADER_ONLY = Keep(bodies=True), Keep(bodies=False)
BY_MAIL = ("dkim", "queued_mail", "sending_ips", "sending_window", "dmarc")


@dataclass
class Kept(Play):
    """A migration of which mails and queue are written down by a policy."""

    keep: Keep = WHOLE

    @property
    def policy(self) -> Estate:
        """The estate with that policy; what was agreed stays the same, and so do all digests."""
        found = self.estate.policy.model_copy(update={"keep": self.keep})
        return self.estate.model_copy(update={"policy": found})

    def file(self, desk: Desk) -> None:
        """File all of it, mails and looks as sink and capture keep them."""
        found = self.estate.instance(self.instance)
        desk.capture(*(world.snapshot(found) for world in (self.before, self.after)))
        mails = (*self.before.mails(), *self.after.mails(), *self.more_mails)
        keep = mail_keeper(self.policy)
        desk.hear(map(keep, mails), START - self.heard[0], END + self.heard[1])
        desk.watch(*self.timelines)
        desk.list_queue(*(self._kept(look) for look in self.looks))

    def _kept(self, look: QueueLook) -> QueueLook:
        keep = row_keeper(self.policy, self.estate.instance(self.instance))
        rows = tuple(replace(row, recipient=keep(row.recipient)) for row in look.rows)
        return replace(look, rows=rows)

    def cells(self, pytester: pytest.Pytester, folder: Path) -> dict[str, Judgement]:
        """What each suite says."""
        self.run(ALL, pytester, folder)
        cells = read_cells((pytester.path / "out.json").read_bytes())
        return {promise: cell.judgement for (_, promise), cell in cells.items()}


def kept(play: Play, keep: Keep) -> Kept:
    """The same migration under a policy."""
    names = ("estate", "before", "after", "timelines", "looks", "more_mails", "heard")
    return Kept(keep=keep, **{name: getattr(play, name) for name in names})


PLAYS = [pytest.param(FAILING[name], "hmac", id=f"{name}-fails") for name in BY_MAIL]
HEALTHY = [pytest.param(Play, recipients, id=recipients) for recipients in ("hmac", "plain")]


@pytest.mark.parametrize(("play", "recipients"), [*HEALTHY, *PLAYS])
def test_verdicts_do_not_depend_on_what_is_kept(
    play: Callable[[], Play],
    recipients: str,
    pytester: pytest.Pytester,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All suites say the same of the same mail, to the last finding, without its bodies."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "keys"))
    whole, header = (
        kept(play(), Keep.model_validate({"recipients": recipients, "bodies": bodies}))
        for bodies in (True, False)
    )
    expected = whole.cells(pytester, tmp_path / "whole")
    assert len(ALL) == len(expected)
    assert expected == header.cells(pytester, tmp_path / "header")


def test_hidden_recipients_change_no_verdict(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A healthy migration passes each promise, whether recipients are legible or not."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "keys"))
    verdicts = []
    for number, recipients in enumerate(("hmac", "plain")):
        keep = Keep.model_validate({"recipients": recipients, "bodies": False})
        cells = kept(Play(), keep).cells(pytester, tmp_path / str(number))
        verdicts.append({name: found.verdict for name, found in cells.items()})
    assert verdicts[1] == verdicts[0]


@pytest.mark.timeout(600)
def test_bundle_of_kept_mail_is_whole_and_names_no_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Gated, sealed, judged again and handed out: all holds, and no byte of it names a reader."""
    desk = Desk(tmp_path / "desk", Kept().estate)
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "desk/home"))
    desk.plan(*ALL)
    Kept(keep=HEADER_ONLY).file(desk)
    out, key = tmp_path / "bundle", str(tmp_path / "desk/home/keys/default.pub")
    run(gating(desk, out))
    capsys.readouterr()
    assert 0 == run(["verify", str(out), "--key", key])
    extract = tmp_path / "extract"
    assert 0 == run(["report", str(out), "--customer", "acme", "--out", str(extract)])
    assert 0 == run(["verify", str(extract), "--key", key, "--rejudge"])
    judged = json.loads((out / "verdicts.json").read_bytes())["cells"]
    passed = {cell["promise"] for cell in judged if cell["verdict"] == "PASSED"}
    assert {"dkim", "queued_mail", "sending_ips", "spf"} <= passed
    for folder in (desk.folder / "store", out, extract):
        named = [path for path in folder.rglob("*") if path.is_file() and names_reader(path)]
        assert [] == named


def names_reader(path: Path) -> bool:
    """Whether a seed's address stands in a file, or in what is packed in it."""
    return any(re.search(rb"[\w.-]+@seed\.example", part) for part in readable(path.read_bytes()))


def readable(data: bytes) -> Iterator[bytes]:
    """The bytes of a file without hidden recipients, and what is base64 in them."""
    yield re.sub(rb"hmac[:-][0-9a-f]{64}@seed\.example", b"", data)
    for run_of in re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", data):
        if len(run_of) % 4 == 0:
            yield from readable(base64.b64decode(run_of))
