# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""From a mailbox to a verdict: collected once, signed, frozen into a bundle, read back equal."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import END, NOW, START, WAVE, estate, instance, wave
from tests.builders.mailboxes import RECEIVER, message, report, row

from wavegate.cli.entry import run
from wavegate.estate.agreed import agreed_digest
from wavegate.estate.load import dump, load
from wavegate.estate.model import Estate, MailSource
from wavegate.evidence.dossier import Dossier
from wavegate.evidence.keys import default_signer
from wavegate.evidence.shelf import Shelf, open_shelf
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.trust import Trust, everything
from wavegate.observe.probe import Looked, Task
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import read_mails
from wavegate.run.capture import Request, take
from wavegate.run.collect import collect
from wavegate.run.freeze import Freezer
from wavegate.run.opening import Opened

NAME = "acme-prod1"
BEFORE, AFTER = START - timedelta(hours=2), END + timedelta(minutes=10)
SECONDS = 1705276800  # 2024-01-15, the day before the window


def sources(**other: object) -> tuple[MailSource, ...]:
    """A Maildir with a named receiver, and a folder of reports."""
    return (
        MailSource.model_validate({"maildir": "box", "trusted_receiver": RECEIVER} | other),
        MailSource(dmarc_reports="reports"),
    )


class World:
    """A folder with an estate file, its mailbox and its reports, and a store."""

    def __init__(self, folder: Path, signer: FileSigner) -> None:
        self.folder, self.signer = folder, signer
        self.said: list[str] = []
        for name in ("box/new", "box/cur", "reports"):
            (folder / name).mkdir(parents=True)
        self.name_sources(sources())

    def name_sources(self, mail: tuple[MailSource, ...]) -> None:
        """Write the estate file with these mail sources."""
        one = instance(NAME, mail=mail, url=None)
        (self.folder / "estate.json").write_bytes(dump(estate(one)))

    @property
    def estate(self) -> Estate:
        """The estate as it stands in its file."""
        return load(self.folder / "estate.json").estate

    def deliver(self, name: str, data: bytes) -> None:
        """A message arrives."""
        (self.folder / "box" / "new" / name).write_bytes(data)

    def collect(self) -> tuple[int, int]:
        """Collect; how many messages and reports were met and kept."""
        store = self.folder / "store"
        brought = collect(self.folder / "estate.json", store, self.signer, self.said.append)
        return sum(look.met for look in brought.looks), sum(look.kept for look in brought.looks)

    @property
    def store(self) -> LocalStore:
        """The store."""
        return LocalStore.open(self.folder / "store", create=True)

    def shelf(self, store: LocalStore | None = None) -> Shelf:
        """The wave's records as a gate reads them."""
        trust = Trust(keys=(everything(self.signer.public),))
        return open_shelf(store or self.store, self.estate, self.estate.wave(WAVE), trust, NOW)

    def dossier(self) -> Dossier:
        """What the instance is judged on."""
        return self.shelf().dossier(NAME)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with two messages and a report."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    found = World(tmp_path, default_signer(tmp_path / "home"))
    found.deliver("1", message(n=1, at=BEFORE, peer="192.0.2.10"))
    found.deliver("2", message(n=2, at=AFTER, peer="192.0.2.11"))
    (tmp_path / "reports" / "a.xml").write_bytes(
        report([row("192.0.2.10", 5), row("192.0.2.66", domain="other.example")], begin=SECONDS)
    )
    return found


def test_mails_of_a_mailbox_fall_into_their_phases(world: World) -> None:
    """A phase is told by the receiver's instant, not by when the mailbox was read."""
    assert (3, 3) == world.collect()
    found = world.dossier()
    assert ["192.0.2.10"] == [mail.peer for mail in found.mail_before]
    assert ["192.0.2.11"] == [mail.peer for mail in found.mail_after]
    assert found.mail_heard


def test_looking_again_records_nothing_twice(world: World) -> None:
    """Collecting is repeatable; only what is new is written down, and `new` to `cur` is no news."""
    world.collect()
    (world.folder / "box/new/1").rename(world.folder / "box/cur/1:2,S")
    world.deliver("3", message(n=3, at=AFTER))
    assert (4, 1) == world.collect()
    assert 3 == len(read_mails(world.store).messages)


def test_mailbox_is_no_sink_that_listened(world: World) -> None:
    """Reading a mailbox proves nothing about when somebody listened."""
    world.collect()
    found = world.dossier()
    assert ((), None) == (found.listening, found.mail_window)


def test_rows_about_other_domains_are_left_to_others(world: World) -> None:
    """An instance is judged on what a report says of its own domains."""
    world.collect()
    (found,) = world.dossier().reports
    assert ["192.0.2.10"] == [one.ip for one in found.rows]


def test_old_mail_is_not_collected(world: World) -> None:
    """What is older than any wave can use stays in the mailbox."""
    world.deliver("0", message(n=9, at=START - timedelta(days=30)))
    assert (4, 3) == world.collect()


def test_unreadable_place_is_told_and_costs_no_other(world: World) -> None:
    """A wrong path keeps its reason, down to the dossier, and the mailbox is read all the same."""
    world.name_sources((*sources(), MailSource(mbox="nothing", trusted_receiver=RECEIVER)))
    world.collect()
    told = {look.kind: look for look in world.dossier().mail_looks}
    assert [False, True] == [told["mbox"].whole, told["maildir"].whole]
    assert "cannot be read" in told["mbox"].problems[0]


def test_unnamed_receiver_is_told(world: World) -> None:
    """Without one nobody can say where the mail came from, so none of it counts."""
    world.name_sources((MailSource(maildir="box"),))
    assert (0, 0) == world.collect()
    found = world.dossier()
    assert not found.mail_heard
    assert "no trusted_receiver" in found.mail_looks[0].problems[0]


def test_bundle_reads_back_what_the_store_held(world: World) -> None:
    """Re-judging a bundle meets the same mails, looks and reports, but not what is others'."""
    world.collect()
    held = world.dossier()
    target = LocalStore.open(world.folder / "bundle", create=True)
    shelf = world.shelf()
    freezer = Freezer(shelf=shelf, target=target, signer=world.signer, at=NOW, vantage="here")
    freezer.freeze((NAME,))
    found = world.shelf(target).dossier(NAME)
    assert (held.mail_looks, held.reports) == (found.mail_looks, found.reports)
    assert held.mail_after == found.mail_after
    assert found.mail_heard


@pytest.mark.parametrize(
    "cut", [lambda data: data[: len(data) // 2], lambda data: data[:-2] + b"9\n"]
)
def test_tampered_collection_is_a_flaw(world: World, cut: Callable[[bytes], bytes]) -> None:
    """A journal of a collection is chained and signed as a sink's is."""
    world.collect()
    (journal,) = (world.folder / "store" / "mail").glob("*.jsonl")
    journal.write_bytes(cut(journal.read_bytes()))
    assert world.dossier().flaws


def test_bundle_with_reports_verifies_and_is_judged_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """What convicts by a report stands in the bundle, signed, and leads to the same verdict."""
    late = int((END + timedelta(hours=1)).timestamp())
    (world.folder / "reports" / "b.xml").write_bytes(
        report([row("198.51.100.7", 5)], begin=late, end=late + 3600, name="late")
    )
    world.collect()
    args = ["--estate", str(world.folder / "estate.json"), "--store", str(world.folder / "store")]
    assert 0 == run(["plan", *args, "--wave", WAVE])
    bundle = str(world.folder / "bundle")
    assert 1 == run(["gate", *args, "--wave", WAVE, "--out", bundle])
    key = str(world.folder / "home" / "keys" / "default.pub")
    assert 0 == run(["verify", bundle, "--key", key, "--rejudge"])
    told = json.loads((world.folder / "bundle" / "verdicts.json").read_bytes())
    (cell,) = (found for found in told["cells"] if found["promise"] == "sending_ips")
    assert ["198.51.100.7", "google.com", "late"] in [f["witness"] for f in cell["findings"]]
    capsys.readouterr()


class Silent:
    """A probe that asks nothing."""

    name = "silent"

    def questions(self, task: Task) -> list[str]:
        """Nothing."""
        del task
        return []

    def look(self, task: Task) -> Looked:
        """Nothing."""
        del task
        return Looked(observations=())


def test_capture_collects_too(world: World) -> None:
    """Whoever only captures and gates has the mail of the mailboxes all the same."""
    opened = Opened(
        loaded=load(world.folder / "estate.json"),
        wave=wave(),
        window=world.estate.wave(WAVE).window or pytest.fail("no window"),
        store=world.store,
    )
    request = Request(phase="after", because=None, force=False, vantage="here")
    with pytest.raises(Exception, match="nothing could be asked"):
        take(opened, request, [Silent()], world.signer, world.said.append)
    assert 2 == len(read_mails(world.store).messages)


def test_verb_tells_each_look(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object; exit 0 where all was read, 3 where a place could not be, 2 without any."""
    args = ["collect", "--estate", str(world.folder / "estate.json")]
    args += ["--store", str(world.folder / "store"), "--json"]
    assert 0 == run(args)
    told = json.loads(capsys.readouterr().out)
    assert ["maildir", "dmarc_reports"] == [look["source"] for look in told["looks"]]
    world.name_sources((*sources(), MailSource(eml="nothing", trusted_receiver=RECEIVER)))
    assert 3 == run(args)
    world.name_sources((MailSource(sink=True),))
    assert 2 == run(args)


def test_credentials_of_a_mailbox_are_not_agreed(world: World) -> None:
    """Another password is no other agreement; another receiver is."""
    agreed = agreed_digest(world.estate, WAVE, "acme")
    world.name_sources(sources(credentials={"password": "env:P"}, tls={"ca": "file:ca.pem"}))
    assert agreed == agreed_digest(world.estate, WAVE, "acme")
    world.name_sources(sources(trusted_receiver="mx.other.example"))
    assert agreed != agreed_digest(world.estate, WAVE, "acme")
