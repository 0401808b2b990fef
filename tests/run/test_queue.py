# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest
from tests.builders.estates import START, WAVE, WINDOW, estate, instance, wave
from tests.builders.queue_campaign import QueueCampaign
from tests.builders.queues import look, row
from tests.builders.snapshots import dns_seen, no_name
from tests.builders.tiny_http import OPERATOR, PASSWORD, TinyHttp

from wavegate.errors import InvalidError
from wavegate.estate.load import dump, load
from wavegate.estate.model import Estate, MailSource
from wavegate.estate.policy import Policy
from wavegate.evidence.envelope import open_envelope
from wavegate.evidence.keys import default_signer
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.queue_shelf import compare_queue
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.statement import read
from wavegate.evidence.trust import Role, Trust, everything
from wavegate.observe.probe import Looked, Task
from wavegate.record.local_store import LocalStore
from wavegate.record.observation import Unreachable
from wavegate.record.queue_file import to_bytes
from wavegate.run.capture import Request, take
from wavegate.run.keeping import row_keeper as keeper
from wavegate.run.opening import Opened
from wavegate.run.queue import Looker, file_look, read_looks

DAY = "2024-01-16 21:00:00.000Z"
SENDING = (4001, 55, "DM1", "D1", 0, 3, "", DAY)
LOGS = [(7001, 4001, 6, "a@seed.example", DAY, ""), (7002, 4001, 6, "b@else.example", DAY, "")]
QUIET = dns_seen("y.example.", "A", no_name("y.example.", "A"))
SINK = (MailSource(sink=True, recipients=("*@seed.example",)),)


@pytest.fixture
def signer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileSigner:
    """The default key of a fresh home."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    return default_signer(tmp_path / "home")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """An empty store."""
    return LocalStore.open(tmp_path / "store", create=True)


def opened(tmp_path: Path, store: LocalStore, url: str) -> Opened:
    """A wave of one instance at that url."""
    (tmp_path / "operator").write_text(OPERATOR)
    (tmp_path / "password").write_text(PASSWORD)
    credentials = {"operator": "file:operator", "password": "file:password"}
    one = instance(url=url, credentials=credentials, mail=SINK, domains=(), sending_ips=())
    (tmp_path / "estate.json").write_bytes(dump(estate(one)))
    loaded = load(tmp_path / "estate.json")
    return Opened(loaded=loaded, wave=wave(), window=WINDOW, store=store)


def trust(signer: FileSigner) -> Trust:
    """Trusts that key in all roles."""
    return Trust(keys=(everything(signer.public),))


def test_filed_looks_are_read_back(store: LocalStore, signer: FileSigner) -> None:
    """Looks are numbered per moment, signed, and come back in time order without a flaw."""
    first, second = look([row(1)]), look([row(2)], at=START)
    third = look([row(1, status=1)], moment="after")
    filed = [file_look(store, one, signer, estate()) for one in (third, first, second)]
    prefix = f"queues/{WAVE}/acme-prod1/"
    names = ["after-000001", "before-000001", "before-000002"]
    assert [f"{prefix}{name}.dsse.json" for name in names] == [one.name for one in filed]
    found = read_looks(store, WAVE, "acme-prod1", trust(signer))
    assert ((), ("before", "before", "after")) == (
        found.flaws,
        tuple(one.moment for one in found.looks),
    )
    assert [first.rows, second.rows, third.rows] == [one.rows for one in found.looks]


def test_look_of_another_instance_is_a_flaw(store: LocalStore, signer: FileSigner) -> None:
    """A look that stands in another's folder, or whose key nobody trusts, does not count."""
    filed = file_look(store, look([row(1)]), signer, estate())
    elsewhere = f"queues/{WAVE}/globex-prod1/before-000001.dsse.json"
    store.create(elsewhere, store.read(filed.name))
    found = read_looks(store, WAVE, "globex-prod1", trust(signer))
    assert ((), ["wrong-instance"]) == (found.looks, [flaw.kind for flaw in found.flaws])
    stranger = read_looks(store, WAVE, "acme-prod1", Trust(keys=()))
    assert ["unknown-key"] == [flaw.kind for flaw in stranger.flaws]


def test_look_that_was_taken_away_leaves_a_gap(store: LocalStore, signer: FileSigner) -> None:
    """The second look of a moment without the first is told."""
    file_look(store, look([row(1)]), signer, estate())
    filed = file_look(store, look([row(2)]), signer, estate())
    (Path(store.place) / filed.name.replace("000002", "000001")).unlink()
    found = read_looks(store, WAVE, "acme-prod1", trust(signer))
    assert ["sequence"] == [flaw.kind for flaw in found.flaws]


def test_signed_description_must_fit(store: LocalStore, signer: FileSigner) -> None:
    """A look that is not what its statement describes is refused, as `verify` refuses it."""
    one = look([row(1)])
    filed = file_look(store, one, signer, estate())
    opened_one = open_envelope(store.read(filed.name), trust(signer), Role.RECORD)
    signed = read(opened_one.payload, RecordPredicate).predicate
    compare_queue(to_bytes(one), signed, digest="d")
    with pytest.raises(InvalidError, match="not what its signed statement describes"):
        compare_queue(to_bytes(replace(one, moment="after")), signed, digest="d")


def test_capture_lists_the_queue(tmp_path: Path, store: LocalStore, signer: FileSigner) -> None:
    """A capture looks at the queue too: ours in plain, others as HMAC, told in a line."""
    said: list[str] = []
    with TinyHttp(QueueCampaign([SENDING], LOGS)) as server:
        one = opened(tmp_path, store, server.url)
        request = Request(phase="before", because=None, force=True, vantage="here")
        take(one, request, [_Quiet()], signer, said.append)
    found = read_looks(store, WAVE, "acme-prod1", trust(signer))
    assert ((), 1, "here") == (found.flaws, len(found.looks), found.looks[0].vantage)
    ours, theirs = (r.recipient for r in found.looks[0].rows)
    assert "a@seed.example" == ours
    assert ("hmac:", 69) == (theirs[:5], len(theirs))
    assert "acme-prod1: queue: 2 log rows of 1 deliveries" in "\n".join(said)
    (key,) = (tmp_path / "home" / "keys").glob("recipients-*")
    assert ("recipients-acme.key", 0o600) == (key.name, key.stat().st_mode & 0o777)


def test_capture_survives_a_queue_that_cannot_be_listed(
    tmp_path: Path, store: LocalStore, signer: FileSigner
) -> None:
    """A look that fails is filed as such and told; the snapshot stands."""
    said: list[str] = []
    with TinyHttp(QueueCampaign([SENDING], LOGS, expire=99)) as server:
        one = opened(tmp_path, store, server.url)
        request = Request(phase="before", because=None, force=True, vantage="here")
        taken = take(one, request, [_Quiet()], signer, said.append)
    assert 1 == len(taken)
    (found,) = read_looks(store, WAVE, "acme-prod1", trust(signer)).looks
    assert not found.complete
    assert "queue NOT LISTED" in said[-1]
    assert "XSV-350008" in said[-1]


def test_after_follows_what_before_knew(
    tmp_path: Path, store: LocalStore, signer: FileSigner
) -> None:
    """The look after asks for the deliveries of the look before, though they are done now."""
    campaign = QueueCampaign([SENDING], LOGS)
    with TinyHttp(campaign) as server:
        one = opened(tmp_path, store, server.url)
        looker = Looker(opened=one, signer=signer, vantage="here", say=lambda _: None)
        looker.look("before")
        campaign.become("nms:delivery", [(4001, 95, "DM1", "D1", 0, 3, "", "2024-01-01")])
        campaign.become("nms:broadLogRcp", [(r[0], 4001, 1, r[3], DAY, "") for r in LOGS])
        (filed,) = looker.look("after")
    assert [95] == [delivery.state for delivery in filed.look.deliveries]
    assert ["sent", "sent"] == [r.status_name for r in filed.look.rows]


def test_instances_without_credentials_are_not_asked(
    tmp_path: Path, store: LocalStore, signer: FileSigner
) -> None:
    """Without url or operator there is nothing to look at."""
    (tmp_path / "estate.json").write_bytes(dump(estate(instance(url=None))))
    one = Opened(loaded=load(tmp_path / "estate.json"), wave=wave(), window=WINDOW, store=store)
    assert () == Looker(opened=one, signer=signer, vantage="", say=print).look("window")


def test_plain_recipients_by_policy(signer: FileSigner) -> None:
    """The policy may keep recipients in plain; HMACs of one customer are stable."""
    del signer
    one = instance(mail=SINK)
    plain: Estate = estate(one, policy=Policy.model_validate({"keep": {"recipients": "plain"}}))
    assert "x@else.example" == keeper(plain, one)("<X@else.example>")
    hidden = keeper(estate(one), one)
    assert hidden("X@else.example") == keeper(estate(one), one)("x@else.example")
    assert hidden("x@else.example") != keeper(estate(one), instance("globex-prod1"))(
        "x@else.example"
    )
    assert ("", "y@seed.example") == (hidden(""), hidden("Y@seed.example"))


class _Quiet:
    """A probe that sees one thing."""

    name = "quiet"

    def questions(self, task: Task) -> tuple[str, ...]:
        """Nothing to tell."""
        del task
        return ()

    def look(self, task: Task) -> Looked:
        """One observation."""
        del task
        return Looked(observations=(dns_seen("x.example.", "A", Unreachable("timeout")), QUIET))
