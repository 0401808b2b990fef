# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A store damaged by hand: each damage is told, at the record it hit, and nothing is repaired."""

import base64
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import END, START, estate, instance
from tests.builders.migrations import queue_after, queue_before
from tests.builders.snapshots import snapshot, zone
from tests.builders.stores import HOUR, Desk
from tests.builders.timelines import every, timeline
from tests.builders.tiny_tsa import WITH_OPENSSL, Tsa
from tests.evidence.small_bundle import GOOD, KEY, OTHER_KEY, RUN, WAVE, mail, make

from wavegate.canonical import digest
from wavegate.evidence.diagnosis import Diagnosis, Grade
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.stamp_shelf import token_name
from wavegate.evidence.store_doctor import Examination, examine
from wavegate.evidence.trust import Trust, everything, load
from wavegate.record.local_store import LocalStore

SIGNED = f"signed/{WAVE}/acme-prod1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with every kind of thing in it, and a trust file beside it."""
    folder = tmp_path_factory.mktemp("whole")
    desk = Desk(folder, estate(instance("acme-prod1")))
    desk.plan("spf", "sound_evidence")
    before = snapshot("before", zone(START - HOUR))
    after = snapshot("after", zone(END + HOUR))
    desk.capture(before, after)
    desk.hear([mail(f"m{number}") for number in range(5)], START - HOUR, END + HOUR)
    desk.watch(timeline(every(step=timedelta(minutes=15))))
    desk.list_queue(queue_before(), queue_after())
    bundle = make(folder / "bundle", GOOD)
    for name in ("seal.dsse.json", "verdicts.json"):
        desk.store.create(f"gates/{WAVE}/{RUN}/{name}", (bundle / name).read_bytes())
    return folder


@pytest.fixture
def desk(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    shutil.copytree(whole, tmp_path / "desk")
    return tmp_path / "desk"


def trust_of(folder: Path) -> Trust:
    """The keys that signed in it."""
    own = load(folder / "home/trust.json")
    return Trust(keys=(*own.keys, everything(KEY.public)))


def looked_at(folder: Path, trust: Trust | None = None) -> Examination:
    """What is found in it."""
    store = LocalStore.open(folder / "store", create=False)
    return examine(store, trust or trust_of(folder))


def bad(folder: Path) -> list[Diagnosis]:
    """What is damaged."""
    return [one for one in looked_at(folder).diagnoses if one.grade is Grade.DAMAGED]


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of a file, as a hand does."""
    path.chmod(0o644)
    path.write_bytes(change(path.read_bytes()))


def flipped(data: bytes) -> bytes:
    """One bit in the middle of some bytes turned over."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def record_of(folder: Path, name: str) -> str:
    """The digest of the record that a signed statement is about."""
    store = LocalStore.open(folder / "store", create=False)
    text = store.read(f"{name}.dsse.json")
    payload = json.loads(base64.b64decode(json.loads(text)["payload"]))
    return str(payload["subject"][0]["digest"]["sha256"])


def object_of(folder: Path, name: str) -> Path:
    """The object of a signed statement."""
    record = record_of(folder, name)
    return folder / "store/objects" / record[:2] / record


def test_whole_store_is_well(whole: Path) -> None:
    """Nothing is told of a store in which all is as it was written."""
    found = looked_at(whole)
    assert ((), False) == (found.diagnoses, found.damaged)
    assert (4, 2) == (found.objects, found.journals)


def test_without_trust_nothing_is_made_up(whole: Path) -> None:
    """Where no trust file is at hand the bytes are looked at all the same."""
    store = LocalStore.open(whole / "store", create=False)
    assert () == examine(store, None).diagnoses


@dataclass(frozen=True)
class Harm:
    """A damage done by hand. name: of the file that must be named; says: a part of what is told."""

    what: str
    do: Callable[[Path], object]
    name: str
    says: str
    about: str | None = None


def _swap(folder: Path) -> None:
    first, second = (folder / f"store/{SIGNED}/00000{n}.dsse.json" for n in (1, 2))
    kept = first.read_bytes()
    edit(first, lambda _: second.read_bytes())
    edit(second, lambda _: kept)


def _link(folder: Path) -> None:
    path = folder / f"store/{SIGNED}/000002.dsse.json"
    path.rename(folder / "elsewhere")
    path.symlink_to(folder / "elsewhere")


def _journal(folder: Path) -> Path:
    return next((folder / "store/mail").glob("*.jsonl"))


def _timeline(folder: Path) -> Path:
    return next((folder / "store/timelines").rglob("*.jsonl"))


def _without_line(path: Path, number: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    edit(path, lambda _: b"".join(lines[:number] + lines[number + 1 :]))


GATE = f"gates/{WAVE}/{RUN}"
HARMS = (
    Harm(
        "a byte of a record",
        lambda f: edit(object_of(f, f"{SIGNED}/000001"), flipped),
        "objects/",
        "do not match the digest",
        "snapshot before 1 of acme-prod1",
    ),
    Harm(
        "a record emptied",
        lambda f: edit(object_of(f, f"{SIGNED}/000002"), lambda _: b""),
        "objects/",
        "its 0 bytes do not match",
        "snapshot after 2 of acme-prod1",
    ),
    Harm(
        "a record deleted",
        lambda f: object_of(f, f"{SIGNED}/000002").unlink(),
        f"{SIGNED}/000002.dsse.json",
        "is not in the store",
        "snapshot after 2 of acme-prod1",
    ),
    Harm(
        "a signature",
        lambda f: edit(f / f"store/{SIGNED}/000001.dsse.json", flipped),
        f"{SIGNED}/000001.dsse.json",
        "",
    ),
    Harm(
        "the first capture's statement deleted",
        lambda f: (f / f"store/{SIGNED}/000001.dsse.json").unlink(),
        f"{SIGNED}/000002.dsse.json",
        "what comes before it is missing",
    ),
    Harm("two statements swapped", _swap, f"{SIGNED}/000001.dsse.json", "in another's place"),
    Harm("a statement replaced by a link", _link, f"{SIGNED}/000002.dsse.json", "link"),
    Harm(
        "the plan cut",
        lambda f: edit(f / f"store/plans/{WAVE}/000001.dsse.json", lambda d: d[:-9]),
        f"plans/{WAVE}/000001.dsse.json",
        "",
    ),
    Harm(
        "a look at the queue renamed",
        lambda f: (f / f"store/queues/{WAVE}/acme-prod1/before-000001.dsse.json").rename(
            f / f"store/queues/{WAVE}/acme-prod1/before-000002.dsse.json"
        ),
        f"queues/{WAVE}/acme-prod1/before-000002.dsse.json",
        "in another's place",
    ),
    Harm(
        "a line of mail edited",
        lambda f: edit(_journal(f), lambda d: d.replace(b"192.0.2.10", b"192.0.2.99", 1)),
        "mail/",
        "does not follow",
    ),
    Harm("a line of mail deleted", lambda f: _without_line(_journal(f), 2), "mail/", "not follow"),
    Harm(
        "a line of the timeline deleted",
        lambda f: _without_line(_timeline(f), 3),
        f"timelines/{WAVE}/acme-prod1/",
        "does not follow",
    ),
    Harm(
        "the timeline cut before its signed end",
        lambda f: edit(_timeline(f), lambda d: b"".join(d.splitlines(keepends=True)[:-2])),
        f"timelines/{WAVE}/acme-prod1/",
        "is not the signed one, or was cut off",
    ),
    Harm(
        "the verdicts of a gate edited",
        lambda f: edit(f / f"store/{GATE}/verdicts.json", lambda d: d + b" "),
        f"{GATE}/verdicts.json",
        "not the sealed one",
        f"the seal of run {RUN}",
    ),
    Harm(
        "the verdicts of a gate deleted",
        lambda f: (f / f"store/{GATE}/verdicts.json").unlink(),
        f"{GATE}/verdicts.json",
        "not in the store",
    ),
    Harm(
        "a pipe among the objects",
        lambda f: os.mkfifo(f / "store/objects/pipe"),
        "objects/pipe",
        "link, device or pipe",
    ),
)


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.what)
def test_damage_is_named(harm: Harm, desk: Path) -> None:
    """Each damage is told at the file it hit, with the record it is, and a cure."""
    harm.do(desk)
    found = [one for one in bad(desk) if one.name.startswith(harm.name) and harm.says in one.text]
    assert found, [str(one) for one in looked_at(desk).diagnoses]
    assert harm.about is None or harm.about in (found[0].about or "")
    assert found[0].cure


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.what)
def test_nothing_is_repaired(harm: Harm, desk: Path) -> None:
    """A diagnosis leaves every byte, mode and name as it was."""
    harm.do(desk)
    first = _state(desk / "store")
    looked_at(desk)
    assert first == _state(desk / "store")


def _state(root: Path) -> dict[str, tuple[int, str]]:
    found = {}
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        plain = path.is_file() and not path.is_symlink()
        found[str(path)] = (mode, digest(path.read_bytes()) if plain else "")
    return found


def test_crash_leaves_are_harmless(desk: Path) -> None:
    """What a crash leaves behind is told, and is no damage."""
    store = desk / "store"
    (store / "objects/ab").mkdir(exist_ok=True)
    (store / "objects/ab/.new-00").write_bytes(b"half")
    LocalStore.open(store, create=False).put(b"never signed")
    edit(_journal(desk), lambda data: data + b'{"half":')
    found = looked_at(desk)
    assert {Grade.HARMLESS} == {one.grade for one in found.diagnoses}
    assert (3, False) == (len(found.diagnoses), found.damaged)


def test_odd_is_no_damage(desk: Path) -> None:
    """A record that can be written, a stranger's file, a key nobody trusts: told, not damaged."""
    object_of(desk, f"{SIGNED}/000001").chmod(0o644)
    (desk / "store/objects/notes.txt").write_text("mine")
    found = looked_at(desk, Trust(keys=(everything(OTHER_KEY.public),)))
    assert {Grade.ODD} == {one.grade for one in found.diagnoses}
    assert any("no trusted key" in one.text for one in found.diagnoses)


@WITH_OPENSSL
def test_timestamps_are_looked_at(desk: Path) -> None:
    """A token over its capture is well; one that was changed is damage, one of nothing is odd."""
    store = LocalStore.open(desk / "store", create=False)
    place = f"{SIGNED}/000001.dsse.json"
    payload = read_unverified(store.read(place))
    stamped = token_name(place, 1)
    store.create(stamped, Tsa.make(desk / "tsa").stamp(payload, "-sha256", "-cert"))
    assert () == looked_at(desk).diagnoses
    edit(desk / "store" / stamped, lambda data: data[:-9])
    (told,) = bad(desk)
    assert (stamped, True) == (told.name, "no RFC 3161 answer" in told.text)
    (desk / "store" / stamped).unlink()
    store.create(token_name(f"{SIGNED}/000009.dsse.json", 1), b"x")
    (odd,) = looked_at(desk).diagnoses
    assert (Grade.ODD, "a timestamp beside no capture") == (odd.grade, odd.text)


def test_worst_comes_first(desk: Path) -> None:
    """A person reads the damage before what is merely odd."""
    (desk / "store/objects/notes.txt").write_text("mine")
    edit(object_of(desk, f"{SIGNED}/000002"), flipped)
    grades = [one.grade for one in looked_at(desk).diagnoses]
    assert [Grade.DAMAGED, Grade.ODD] == list(dict.fromkeys(grades))
