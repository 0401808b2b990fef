# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A store on S3: filled by push, gated and examined as the folder that it came from."""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.builders.estates import END, NOW, estate, instance, wave
from tests.builders.mailboxes import RECEIVER, message
from tests.builders.migrations import Migration
from tests.builders.nights import Nights, night
from tests.builders.snapshots import dns_seen, no_name
from tests.builders.stores import Desk
from tests.builders.tiny_s3 import TinyS3, tiny_s3

from wavegate import clock
from wavegate.cli.entry import run
from wavegate.cli.options import settings
from wavegate.errors import InputError, InternalError
from wavegate.estate.load import dump, load
from wavegate.estate.model import Window
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.store_doctor import examine
from wavegate.observe.probe import Looked, Task
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import read_mails
from wavegate.record.object_store import ObjectStore
from wavegate.record.store_place import AnyStore
from wavegate.run import gate, opening
from wavegate.run.capture import Request, take
from wavegate.run.collect import collect_into
from wavegate.run.nightly import Request as NightRequest
from wavegate.run.nightly import alone, nightly
from wavegate.run.push import push
from wavegate.run.suites import find_suites

pytestmark = pytest.mark.timeout(600)
PROMISES = ("dkim", "queued_mail", "sending_ips", "sending_window", "sound_evidence", "spf")


@pytest.fixture(scope="module")
def service() -> Iterator[TinyS3]:
    """One service for all of these tests."""
    with tiny_s3() as found, pytest.MonkeyPatch.context() as patch:
        found.lead(patch)
        yield found


@pytest.fixture(scope="module")
def shared(service: TinyS3) -> ObjectStore:
    """A bucket, opened once."""
    return ObjectStore.open(f"s3://{service.bucket()}/shared", create=True)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A healthy migration with all kinds of records and journals."""
    found = Migration()
    desk = Desk(tmp_path_factory.mktemp("desk"), found.estate)
    desk.plan(*PROMISES)
    found.file(desk)
    return desk


@pytest.fixture
def desk(original: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A copy of it."""
    shutil.copytree(original.folder, tmp_path / "desk")
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "desk/home"))
    return Desk(tmp_path / "desk", original.estate)


@pytest.fixture
def elsewhere(shared: ObjectStore) -> ObjectStore:
    """A new store in the bucket."""
    found = ObjectStore(shared.files, f"{shared.root}/{secrets.token_hex(4)}")
    found.files.pipe_file(f"{found.root}/FORMAT", b"wavegate-store 1\n")
    return found


def gated(desk: Desk, store: AnyStore, out: Path) -> tuple[bytes, str]:
    """verdicts.json of the wave at one instant, with a fixed word for the run's name."""
    place, folder = desk.folder / "estate.json", desk.folder / "store"
    opened = opening.open_wave(place, desk.wave, folder, create=False)
    suites = tuple(suite for suite in find_suites() if suite.promise.id in PROMISES)
    request = gate.Request(suites=suites, out=out)
    trust = opening.trust_for(desk.folder / "home/trust.json", desk.signer)
    there = replace(opened, store=store)
    found = gate.gate(there, request, desk.signer, trust, lambda _: None, at=NOW)
    told = (out / "verdicts.json").read_bytes()
    return told.replace(found.verdicts.run.encode(), b"RUN"), found.verdicts.decision


def test_same_records_same_bytes_out(desk: Desk, elsewhere: ObjectStore, tmp_path: Path) -> None:
    """From a folder and from S3 the gate says the same, to the last byte, and files it there."""
    push(desk.store, elsewhere)
    local = gated(desk, desk.store, tmp_path / "local")
    distant = gated(desk, elsewhere, tmp_path / "distant")
    assert local == distant
    assert "GO" == distant[1]
    assert any(name.endswith("seal.dsse.json") for name in elsewhere.names("gates/"))


def test_push_there_and_back_is_the_same_store(
    desk: Desk, elsewhere: ObjectStore, tmp_path: Path
) -> None:
    """Every record, name and journal comes back, read-only, mail for its owner alone."""
    first = push(desk.store, elsewhere)
    assert (0, ()) == (first.exit_code, first.differing)
    assert (first.records, 2) == (len(desk.store.digests()), len(first.journals))
    back = LocalStore.open(tmp_path / "back", create=True)
    push(elsewhere, back)
    assert contents(desk.store) == contents(elsewhere) == contents(back)
    (journal,) = (tmp_path / "back/mail").iterdir()
    assert 0o600 == journal.stat().st_mode & 0o777
    again = push(desk.store, elsewhere)
    assert (0, 0, {}) == (again.records, again.names, again.journals)


def contents(store: AnyStore) -> tuple[frozenset[str], dict[str, bytes]]:
    """All that a store holds."""
    return store.digests(), {name: store.read(name) for name in store.names("")}


def test_push_goes_on_where_a_journal_has_grown(desk: Desk, elsewhere: ObjectStore) -> None:
    """Only whole new lines are added, behind those that are there; a torn one waits."""
    (path,) = (desk.folder / "store/mail").iterdir()
    whole, name = path.read_bytes(), f"mail/{path.name}"
    lines = whole.splitlines(keepends=True)
    start = b"".join(lines[:3])
    for held, added in (
        (start + lines[3][:-1], start),
        (start + lines[3], lines[3]),
        (whole, b"".join(lines[4:])),
    ):
        path.write_bytes(held)
        assert len(added) == push(desk.store, elsewhere).journals[name]
        assert held[: held.rfind(b"\n") + 1] == elsewhere.read(name)
    assert 3 == sum(1 for key in elsewhere.files.find(f"{elsewhere.root}/mail"))
    path.write_bytes(start)
    assert 0 == push(desk.store, elsewhere).exit_code


def test_what_differs_is_left_and_told(desk: Desk, elsewhere: ObjectStore) -> None:
    """Two stores that took the same number for different things are not mixed silently."""
    plan = f"plans/{desk.wave}/000001.dsse.json"
    elsewhere.create(plan, b"another")
    (path,) = (desk.folder / "store/mail").iterdir()
    elsewhere.append(f"mail/{path.name}", b"another\n", offset=0)
    found = push(desk.store, elsewhere)
    assert (1, {plan, f"mail/{path.name}"}) == (found.exit_code, set(found.differing))
    assert f"DIFFERS {plan}" in found.text()
    assert b"another" == elsewhere.read(plan)


def test_damaged_record_is_not_pushed(desk: Desk, elsewhere: ObjectStore) -> None:
    """A record that does not match its digest is named, and is not copied under that digest."""
    record = min(desk.store.digests())
    path = desk.folder / "store/objects" / record[:2] / record
    path.chmod(0o600)
    path.write_bytes(b"damaged")
    with pytest.raises(Exception, match="do not match the digest"):
        push(desk.store, elsewhere)
    assert record not in elsewhere.digests()


Damage = Callable[[ObjectStore], str]


def overwritten(store: ObjectStore) -> str:
    """A record is overwritten by somebody who may write to the bucket."""
    record = min(store.digests())
    key = f"objects/{record[:2]}/{record}"
    store.files.pipe_file(f"{store.root}/{key}", b"forged")
    return key


def removed(store: ObjectStore) -> str:
    """A capture is deleted."""
    name = next(name for name in store.names("signed/") if name.endswith("000001.dsse.json"))
    store.files.rm(f"{store.root}/{name}")
    return name.replace("000001", "000002")


def part_removed(store: ObjectStore) -> str:
    """The one part of a journal of mail is replaced by its second half."""
    (name,) = store.names("mail/")
    data = store.read(name)
    store.files.rm(f"{store.root}/{name}.part-{0:015d}")
    store.append(name, data[len(data) // 2 :], offset=len(data) // 2)
    return name


def foreign(store: ObjectStore) -> str:
    """Something lies among the objects that is none."""
    store.files.pipe_file(f"{store.root}/objects/notes.txt", b"x")
    return "objects/notes.txt"


@pytest.mark.parametrize("damage", [overwritten, removed, part_removed, foreign])
def test_doctor_names_what_was_damaged(
    damage: Damage,
    desk: Desk,
    elsewhere: ObjectStore,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A store in a bucket is examined as a folder is: by name, and nothing is repaired."""
    push(desk.store, elsewhere)
    name = damage(elsewhere)
    before = {key: elsewhere.files.cat_file(key) for key in elsewhere.files.find(elsewhere.root)}
    trust = ("--trust", str(desk.folder / "home/trust.json"))
    capsys.readouterr()
    code = run(["doctor", "--store", elsewhere.place, *trust, "--json"])
    told = json.loads(capsys.readouterr().out)["store"]["diagnoses"]
    (grade,) = {one["grade"] for one in told if one["name"].endswith(name)}
    expected = ("odd", 0) if damage is foreign else ("damaged", 3)
    assert expected == (grade, code), told
    after = {key: elsewhere.files.cat_file(key) for key in elsewhere.files.find(elsewhere.root)}
    assert before == after


def test_whole_store_elsewhere_is_fit(
    desk: Desk, elsewhere: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store that was pushed is whole there, and no disk is asked for its room."""
    push(desk.store, elsewhere)
    trust = ("--trust", str(desk.folder / "home/trust.json"))
    capsys.readouterr()
    assert 0 == run(["doctor", "--store", elsewhere.place, *trust])
    out = capsys.readouterr().out
    assert "whole: " in out
    assert "disk" not in out


@pytest.mark.parametrize(
    "verb",
    [
        ("sink", "--estate", "{estate}", "--listen", "127.0.0.1:0"),
        ("watch", "--estate", "{estate}", "--wave", "{wave}"),
        ("history",),
        ("forget", "--customer", "acme", "--by", "a", "--why", "b"),
    ],
)
def test_what_needs_a_folder_says_so(
    verb: tuple[str, ...],
    desk: Desk,
    elsewhere: ObjectStore,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What appends, indexes or deletes is refused on S3, with the command that gets around it."""
    names = {"estate": str(desk.folder / "estate.json"), "wave": desk.wave}
    args = [text.format(**names) for text in verb]
    capsys.readouterr()
    assert 2 == run([*args, "--store", elsewhere.place, "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert "needs a store on this machine" in error["message"]
    assert "wavegate push" in error["cure"]


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", 4, "cannot be reached"),
        ("AWS_ACCESS_KEY_ID", None, 3, "no access"),
    ],
)
def test_trouble_with_the_service_is_one_sentence(
    name: str,
    value: str | None,
    code: int,
    words: str,
    elsewhere: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Network gone and no credentials: the exit code tells them apart, and no traceback shows."""
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    capsys.readouterr()
    assert code == run(["doctor", "--store", elsewhere.place, "--json"])
    assert words in json.loads(capsys.readouterr().out)["error"]["message"]


def test_mailbox_is_collected_into_a_bucket(
    elsewhere: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collection's journal is shipped whole when it has ended; a second look brings nothing."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    (tmp_path / "box/new").mkdir(parents=True)
    (tmp_path / "box/cur").mkdir()
    (tmp_path / "box/new/1").write_bytes(message(n=1, at=END))
    box = {"maildir": "box", "trusted_receiver": RECEIVER}
    found = Migration().estate.model_copy(update={"instances": (instance(mail=(box,), url=None),)})
    (tmp_path / "estate.json").write_bytes(dump(found))
    loaded = load(tmp_path / "estate.json")
    signer: Any = opening.signer_for(None)
    assert isinstance(signer, FileSigner)
    said: list[str] = []
    for kept in (1, 0):
        brought = collect_into(elsewhere, loaded, loaded.estate.instances, signer, said.append)
        assert kept == sum(look.kept for look in brought.looks)
    reading = read_mails(elsewhere)
    assert (1, ()) == (len(reading.messages), reading.problems)
    assert [] == [line for line in said if "no checkpoint" in line]


def test_verbs_before_the_window_take_a_url(
    service: TinyS3,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Plan makes the store there, a second one is the next; capture and ready use it."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    soon = clock.now() + timedelta(days=1)
    window = Window(start=soon, end=soon + timedelta(hours=1))
    found = estate(instance(url=None, mail=()), waves=(wave(window=window),))
    found = found.model_copy(update={"resolvers": ("127.0.0.1:9",)})
    (tmp_path / "estate.json").write_bytes(dump(found))
    url = f"s3://{service.bucket()}/deep/er"
    named = ("--estate", str(tmp_path / "estate.json"), "--wave", found.waves[0].name)
    for _ in range(2):
        assert 0 == run(["plan", *named, "--store", url])
    opened = opening.open_wave(
        tmp_path / "estate.json", found.waves[0].name, Path(url), create=False
    )
    assert [f"plans/{found.waves[0].name}/00000{n}.dsse.json" for n in (1, 2)] == list(
        opened.store.names("plans/")
    )
    request = Request(phase="before", because=None, force=False, vantage="here")
    take(opened, request, [Silent()], opening.signer_for(None), lambda _: None)
    assert 1 == len(opened.store.names("signed/"))
    capsys.readouterr()
    assert 3 == run(["ready", *named, "--store", url, "--json"])
    assert "HOLD" in capsys.readouterr().out


class Silent:
    """A probe that sees one thing."""

    name = "silent"

    def questions(self, task: Task) -> tuple[str, ...]:
        """Nothing."""
        del task
        return ()

    def look(self, task: Task) -> Looked:
        """One name, which is not there."""
        del task
        heard = dns_seen("x.example.", "A", no_name("x.example.", "A"))
        return Looked(observations=(heard,))


def test_nights_go_on_in_a_bucket(
    elsewhere: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A baseline that was accepted in a folder holds on S3; a night is judged and filed there."""
    monkeypatch.setenv("WAVEGATE_HOME", str(tmp_path / "home"))
    nights = Nights(tmp_path / "nights")
    nights.play(night(1))
    nights.accept(night(1, hours=1))
    here = nights.store
    push(here, elsewhere)
    nights.look(night(2))
    push(here, elsewhere)
    away = replace(nights.opened, store=elsewhere)
    request = NightRequest(out=tmp_path / "run", now=lambda: night(2, minutes=1))
    found = nightly(away, request, lambda: (), nights.signer, nights.trust, lambda _: None)
    assert found.gated is not None
    assert "GO" == found.gated.verdicts.decision
    assert any(name.startswith("gates/nightly/") for name in elsewhere.names("gates/"))
    with alone(away), pytest.raises(InputError, match="another nightly is running"), alone(away):
        pass


def test_network_gone_on_the_way_loses_nothing(desk: Desk, elsewhere: ObjectStore) -> None:
    """A push that broke off is repeated, and whoever reads meanwhile meets no lone statement."""
    for allowed in (1, 3, 7):
        broken = replace(elsewhere, files=Breaking(elsewhere.files, allowed))
        with pytest.raises(InternalError, match="cannot be reached"):
            push(desk.store, broken)
        diagnosed = examine(elsewhere, None).diagnoses
        assert [] == [found for found in diagnosed if "is not in the store" in found.text]
    assert 0 == push(desk.store, elsewhere).exit_code
    assert contents(desk.store) == contents(elsewhere)


class Breaking:
    """A file system whose network is gone after so many writes."""

    def __init__(self, files: Any, allowed: int) -> None:
        self._files, self._left = files, allowed

    def pipe_file(self, *args: object, **more: object) -> None:
        """Write, or fail as the service's library does."""
        if not self._left:
            raise EndpointConnectionError(endpoint_url="http://s3.example")
        self._left -= 1
        self._files.pipe_file(*args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def test_settings_keep_a_url(tmp_path: Path) -> None:
    """A store in wavegate.toml is a URL or a folder beside the file."""
    for text, expected in (
        ("s3://bucket/x", "s3://bucket/x"),
        ("store", str(tmp_path / "store")),
    ):
        (tmp_path / "wavegate.toml").write_text(f'store = "{text}"\n', "utf-8")
        assert expected == settings(tmp_path)["store"]
