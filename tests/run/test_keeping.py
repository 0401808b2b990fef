# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What stands in a store of people and their mail, by policy, and under whose key."""

import base64
import re
from pathlib import Path

import pytest
from tests.builders.estates import END, START, estate, instance
from tests.builders.mailboxes import RECEIVER, message
from tests.builders.mails import mail
from tests.builders.running_sink import running

from wavegate.estate.load import dump
from wavegate.estate.model import Estate, MailSource
from wavegate.estate.policy import Keep, Policy
from wavegate.evidence.keys import default_signer, recipients_key
from wavegate.observe.queue_probe import without_addresses
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import read_mails
from wavegate.record.message import Received
from wavegate.record.recipient import hidden_at
from wavegate.run.collect import collect
from wavegate.run.keeping import mail_keeper, row_keeper

BOX = MailSource(maildir="box", trusted_receiver=RECEIVER)
READER = "seed@seed.example"


def agreed(*mail: MailSource, **keep: object) -> Estate:
    """Acme and globex, who send from domains of their own, under a policy."""
    policy = Policy(timestamps="optional", keep=Keep.model_validate(keep))
    others = {"domains": ({"name": "news.globex.example", "selectors": ("g",)},)}
    one = instance("acme-prod1", mail=mail or (BOX,), url=None)
    return estate(one, instance("globex-prod1", **others, mail=mail or (BOX,)), policy=policy)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where keys are made."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def collected(folder: Path, found: Estate) -> tuple[Received, ...]:
    """The mails of a mailbox, as a store holds them after collecting under an estate."""
    (folder / "box" / "new").mkdir(parents=True)
    (folder / "box" / "cur").mkdir()
    (folder / "box/new/1").write_bytes(message(n=1, at=START))
    (folder / "box/new/2").write_bytes(message(n=2, at=END, domain="news.globex.example"))
    (folder / "estate.json").write_bytes(dump(found))
    signer = default_signer(folder / "home")
    collect(folder / "estate.json", folder / "store", signer, lambda _: None)
    return read_mails(LocalStore.open(folder / "store", create=False)).messages


def stored(folder: Path) -> bytes:
    """Every byte of a store, and what is base64 in it."""
    found = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    packed = re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", found)
    return found + b"".join(base64.b64decode(run + b"=" * (-len(run) % 4)) for run in packed)


def test_reader_stands_nowhere_in_the_store(tmp_path: Path, home: Path) -> None:
    """With hidden recipients and no bodies, no byte of the store holds a reader's address."""
    one, other = collected(tmp_path, agreed(bodies=False))
    assert READER.encode() not in stored(tmp_path / "store")
    assert b"hello 1" not in stored(tmp_path / "store")
    for one_mail, customer in ((one, "acme"), (other, "globex")):
        assert (hidden_at(READER, recipients_key(home, customer)),) == one_mail.recipients
    assert one.recipients != other.recipients


def test_whole_mail_keeps_its_header(tmp_path: Path, home: Path) -> None:
    """With bodies the envelope is hidden, and the message is what was received, as is said."""
    one, _ = collected(tmp_path, agreed())
    assert (hidden_at(READER, recipients_key(home, "acme")),) == one.recipients
    assert "Delivered-To: seed@seed.example" in one.raw.decode()


def test_seeds_of_the_estate_are_legible(tmp_path: Path, home: Path) -> None:
    """An address that the estate names as its own is no person's, and needs no key."""
    seeds = MailSource(maildir="box", trusted_receiver=RECEIVER, recipients=("*@seed.example",))
    one, _ = collected(tmp_path, agreed(seeds, bodies=False))
    assert (READER,) == one.recipients
    assert [] == list((home / "keys").glob("recipients-*"))


def test_pattern_that_takes_anybody_makes_nobody_a_seed(tmp_path: Path, home: Path) -> None:
    """`*@*` names no domain of ours, so people stay hidden, and are still told apart by domain."""
    anybody = MailSource(maildir="box", trusted_receiver=RECEIVER, recipients=("*@*",))
    one, _ = collected(tmp_path, agreed(anybody))
    assert one.recipients[0].startswith("hmac:")
    assert one.recipients[0].endswith("@seed.example")
    assert home.exists()


def test_plain_recipients_by_policy(tmp_path: Path, home: Path) -> None:
    """Who wants addresses legible says so in the policy; no key is made then."""
    one, _ = collected(tmp_path, agreed(recipients="plain", bodies=False))
    assert (READER,) == one.recipients
    assert [] == list((home / "keys").glob("recipients-*"))


def test_queue_and_mail_speak_of_the_same_reader(home: Path) -> None:
    """A recipient in the log and in a mail has the same HMAC, whoever's case."""
    found = agreed()
    row = row_keeper(found, found.instance("acme-prod1"))("Anna@people.example")
    assert row == hidden_at("anna@people.example", recipients_key(home, "acme")).partition("@")[0]


def test_reply_in_the_log_names_nobody(home: Path) -> None:
    """The reason of a failure repeats the address; it is hidden there as in its row."""
    found = agreed()
    keep = row_keeper(found, found.instance("acme-prod1"))
    told = without_addresses("550 5.1.1 <Anna@people.example>: no such user", keep)
    assert f"550 5.1.1 <{keep('anna@people.example')}>: no such user" == told
    plain = row_keeper(agreed(recipients="plain"), found.instance("acme-prod1"))
    assert "to Anna@people.example" == without_addresses("to Anna@people.example", plain)
    assert home.exists()


def test_sink_keeps_by_policy(tmp_path: Path, home: Path) -> None:
    """What a sink receives is written down by policy, before it is acknowledged."""
    with running(tmp_path, keep=mail_keeper(agreed(MailSource(sink=True), bodies=False))) as sink:
        sink.send()
        (one,) = sink.mails()
    assert (hidden_at("x@seed.example", recipients_key(home, "acme")),) == one.recipients
    assert b"body" not in one.raw
    assert one.gist is not None
    assert len(b"body") < one.size - len(one.raw)


def test_senders_are_told_apart_and_worked_out_once(home: Path) -> None:
    """Each customer's mail has its own key, strangers' another, whatever came before."""
    keep = mail_keeper(agreed(MailSource(sink=True)))
    domains = ("news.acme.example", "news.globex.example", "stranger.example")
    for _ in range(2):
        found = [keep(mail(domain=name, recipient="a@b.example")).recipients for name in domains]
        keys = [recipients_key(home, customer) for customer in ("acme", "globex", "")]
        assert [(hidden_at("a@b.example", key),) for key in keys] == found
