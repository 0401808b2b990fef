# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.builders import judged_here
from tests.builders.nights import Nights, agreed, dev, night
from tests.builders.pair import SECRETS, capture

from wavegate.cli.entry import run
from wavegate.estate.model import Customer, ExpectedChange, MailSource, SenderDomain
from wavegate.record.snapshot import Snapshot

pytestmark = pytest.mark.timeout(600)
THEIRS = "zebra-dev1"


def estate() -> Any:
    """Both customers' development instances, and a change that is expected of both."""
    domain = SenderDomain(name="news.zebra.example", primary=True)
    mail = (MailSource(sink=True, recipients=("*@seed.zebra.example",)),)
    zebra = dev(THEIRS, domains=(domain,), mail=mail, sending_ips=("192.0.2.77",))
    change = {"instances": ("acme-dev1", THEIRS), "promise": "spf", "from": "a", "to": "b"}
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01"}
    expected = ExpectedChange.model_validate({**change, "ticket": "CHG-1", "between": span})
    whole = agreed(dev(), zebra, expected_changes=(expected,))
    customers = tuple(Customer(name=n, secret=f"env:{n.upper()}_SECRET") for n in SECRETS)
    return whole.model_copy(update={"customers": customers})


def theirs(taken: Snapshot) -> Snapshot:
    """Of zebra, a look at their own name."""
    if taken.customer != "zebra":
        return taken
    return replace(taken, observations=capture(THEIRS, "after").observations)


def turned(taken: Snapshot) -> Snapshot:
    """Of zebra, a look that found nothing of what was there."""
    return replace(theirs(taken), observations=()) if taken.customer == "zebra" else taken


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The second night of both, after the first was accepted; zebra turned."""
    judged_here.use(monkeypatch)
    for name, secret in SECRETS.items():
        monkeypatch.setenv(f"{name.upper()}_SECRET", secret)
    nights = Nights(tmp_path, estate=estate(), wanted=theirs)
    nights.play(night(1))
    nights.accept(night(1, hours=7))
    nights.wanted = turned
    found = nights.play(night(2))
    assert found.gated is not None
    return found.gated.bundle


@pytest.mark.parametrize(("mine", "other"), [("acme", b"zebra"), ("zebra", b"acme")])
def test_a_night_is_handed_out_in_part(
    mine: str, other: bytes, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An extract of a night: complete, judged again alike, with the own part of baseline alone."""
    out = tmp_path / "extract"
    assert 0 == run(["report", str(bundle), "--customer", mine, "--out", str(out)])
    key = str(tmp_path / "home/keys/default.pub")
    claim = ("--customer", mine, "--secret", f"env:{mine.upper()}_SECRET", "--rejudge", "--json")
    capsys.readouterr()
    assert 0 == run(["verify", str(out), "--key", key, *claim])
    found = json.loads(capsys.readouterr().out)
    assert (None, True, True) == (found["wave"], found["complete"], found["rejudged"])
    assert [] == [path for path in out.rglob("*") if path.is_file() and met(path, other)]
    assert (out / "baseline.dsse.json").exists()


def met(path: Path, name: bytes) -> bool:
    """Whether a file names somebody, in base64 too."""
    data = path.read_bytes()
    inner = [
        base64.b64decode(text)
        for text in re.findall(rb"[A-Za-z0-9+/]{12,}={0,2}", data)
        if len(text) % 4 == 0
    ]
    return any(name in found.lower() for found in (data, str(path.name).encode(), *inner))
