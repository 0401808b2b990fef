# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The policy `keep` takes nothing from the verdicts: the same mail is judged alike, kept or not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.builders.estates import END, START
from tests.builders.stores import Desk
from tests.suites.test_suites import ALL, FAILING, LOADED_ONCE, Play

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
