# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a verifier must refuse: each tampering as data, and whether stock tools can see it.

inside: done before sealing by a liar who holds the key. outside: done to a sealed bundle.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from tests.evidence.small_bundle import (
    AT,
    GOOD,
    KEY,
    NAMES,
    OTHER_KEY,
    WAVE,
    Edit,
    Recipe,
    described,
    edit_json,
    make,
    nothing,
    plan,
    snapshot,
)

from wavegate.canonical import digest, dumps, loads
from wavegate.clock import format_instant
from wavegate.evidence.envelope import PAYLOAD_TYPE, pae, read_unverified, sign
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.signer import FileSigner
from wavegate.evidence.statement import grid_subject, read, record_subject, write
from wavegate.record.local_store import LocalStore
from wavegate.record.snapshot import Phase, Snapshot

SEAL = "seal.dsse.json"
VERDICTS = "verdicts.json"
Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One tampering.

    says: a part of our refusal. stock: whether verify.sh refuses it too; None where that depends
    on the version of jq.
    """

    name: str
    says: str
    stock: bool | None
    inside: Edit = nothing
    outside: Edit = nothing
    recipe: Recipe = GOOD

    def make(self, folder: Path) -> Path:
        """The tampered bundle."""
        return make(folder, self.recipe, inside=self.inside, outside=self.outside)


def seal(change: Callable[[Json], object]) -> Edit:
    """Change the envelope of the seal."""
    return lambda folder: edit_json(folder / SEAL, change)


def signature(change: Callable[[Json], object]) -> Edit:
    """Change the one signature of the seal."""

    def edit(envelope: Json) -> None:
        entries = envelope["signatures"]
        assert isinstance(entries, list)
        change(entries[0])

    return seal(edit)


def resigned(
    change: Callable[[bytes], bytes], key: FileSigner = KEY, kind: str = PAYLOAD_TYPE
) -> Edit:
    """Change the payload's bytes and sign it again."""

    def edit(folder: Path) -> None:
        envelope = loads((folder / SEAL).read_bytes())
        assert isinstance(envelope, dict)
        payload = change(base64.b64decode(str(envelope["payload"])))
        signed = base64.b64encode(key.sign(pae(kind, payload))).decode()
        sealed = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": kind,
            "signatures": [{"keyid": key.keyid, "sig": signed}],
        }
        (folder / SEAL).write_bytes(dumps(sealed))

    return edit


def statement(change: Callable[[Json], object]) -> Edit:
    """Change the statement of the seal and sign it again."""

    def edit(payload: bytes) -> bytes:
        found = loads(payload)
        assert isinstance(found, dict)
        change(found)
        return dumps(found)

    return resigned(edit)


def raw(name: str, change: Callable[[bytes], bytes]) -> Edit:
    """Change the bytes of a file."""

    def edit(folder: Path) -> None:
        path = folder / name
        path.chmod(0o644)
        path.write_bytes(change(path.read_bytes()))

    return edit


def verdicts(change: Callable[[Json], object]) -> Edit:
    """Change verdicts.json."""
    return lambda folder: edit_json(folder / VERDICTS, change)


def manifest(change: Callable[[bytes], bytes]) -> Edit:
    """Change MANIFEST and the seal over it."""

    def edit(folder: Path) -> None:
        changed = change((folder / "MANIFEST").read_bytes())
        (folder / "MANIFEST").write_bytes(changed)
        statement(lambda found: _set_subject(found, "MANIFEST", digest(changed)))(folder)

    return edit


def _set_subject(found: Json, name: str, value: str) -> None:
    subjects = found["subject"]
    assert isinstance(subjects, list)
    for subject in subjects:
        if subject["name"] == name:
            subject["digest"] = {"sha256": value}


def _set_predicate(found: Json, **values: object) -> None:
    predicate = found["predicate"]
    assert isinstance(predicate, dict)
    predicate.update(values)


def _signed(folder: Path, name: str, sequence: int) -> Path:
    return folder / f"records/signed/{WAVE}/{name}/{sequence:06d}.dsse.json"


def _object(folder: Path) -> Path:
    return min((folder / "records/objects").rglob("??????????*"))


def _swap_signed(folder: Path) -> None:
    first, second = (_signed(folder, name, 2) for name in NAMES)
    kept = first.read_bytes()
    for path, data in ((first, second.read_bytes()), (second, kept)):
        path.chmod(0o644)
        path.write_bytes(data)


def _remove_line(folder: Path) -> None:
    path = folder / "MANIFEST"
    victim = _object(folder).relative_to(folder).as_posix().encode()
    kept = [line for line in path.read_bytes().splitlines(keepends=True) if victim not in line]
    path.write_bytes(b"".join(kept))
    _object(folder).unlink()


def _link(folder: Path) -> None:
    target = folder.parent / "elsewhere"
    target.write_bytes((folder / "summary.md").read_bytes())
    (folder / "summary.md").unlink()
    (folder / "summary.md").symlink_to(target)


def _hard_link(folder: Path) -> None:
    (folder.parent / "outside").hardlink_to(folder / "summary.md")


def _linked_folder(folder: Path) -> None:
    (folder / "records").rename(folder.parent / "moved")
    (folder / "records").symlink_to(folder.parent / "moved")


def _foreign_object(folder: Path) -> None:
    LocalStore.open(folder / "records", create=False).put(b"{}")


def _second_name(folder: Path) -> None:
    path = _signed(folder, NAMES[0], 2)
    (path.parent / "000003.dsse.json").write_bytes(path.read_bytes())


def _other_description(folder: Path) -> None:
    """The signed statement of a capture tells another instant than the record."""
    name = NAMES[0]
    first = digest(snapshot(name, "before", 1, None).to_bytes())
    taken = snapshot(name, "after", 2, first)
    told = replace(described(taken), began=taken.began - timedelta(days=1))
    path = _signed(folder, name, 2)
    path.chmod(0o644)
    path.write_bytes(sign(write(record_subject(digest(taken.to_bytes())), told), KEY))


def _cell(found: Json, **values: object) -> None:
    cells = found["cells"]
    assert isinstance(cells, list)
    cells[0].update(values)


def _hide_attempt(found: Json) -> None:
    attempts = found["attempts"]
    assert isinstance(attempts, dict)
    attempts[NAMES[0]] = attempts[NAMES[0]][1:]


def _remove_capture(folder: Path) -> None:
    """The first capture of an instance never was: no record, no envelope, no attempt."""
    _signed(folder, NAMES[0], 1).unlink()
    record = digest(snapshot(NAMES[0], "before", 1, None).to_bytes())
    (folder / f"records/objects/{record[:2]}/{record}").unlink()
    edit_json(folder / VERDICTS, _hide_attempt)


WAIVER = {
    "reason": "never mind",
    "approved_by": "nobody",
    "until": format_instant(AT + timedelta(days=9)),
    "cause": None,
    "covers": None,
    "in_force": True,
}


def refiled(change: Callable[[Json], object]) -> Edit:
    """A frozen journal is changed and filed anew under its digest, before sealing.

    The signed statement still names the record as it was.
    """

    def edit(folder: Path) -> None:
        store = LocalStore.open(folder / "records", create=False)
        place = f"mails/{WAVE}/{NAMES[0]}/after.dsse.json"
        record = read(read_unverified(store.read(place)), RecordPredicate).only_digest()
        found = loads(store.get(record))
        assert isinstance(found, dict)
        change(found)
        (folder / f"records/objects/{record[:2]}/{record}").unlink()
        store.put(dumps(found))

    return edit


def _messages(found: Json) -> list[object]:
    messages = found["messages"]
    assert isinstance(messages, list)
    return messages


def _waive(found: Json) -> None:
    _cell(found, waiver=WAIVER)
    found.update(decision="GO", decision_line="GO", why=[])
    found.update(instances=dict.fromkeys(NAMES, "GO"), customers={"acme": "GO"}, closed=True)


def _twice(data: bytes) -> bytes:
    return data.replace(b'{"payload"', b'{"payload":"AA==","payload"', 1)


def _high_bits(entry: Json) -> None:
    """Another base64 text of the same bytes: bits that the last group leaves over, or padding."""
    text = str(entry["sig"])
    body = text.rstrip("=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = body[:-1] + letters[letters.index(body[-1]) + 1] + "=" * (len(text) - len(body))
    entry["sig"] = text + "====" if body == text else twin


def _sign_plan(folder: Path, version: int) -> None:
    made = replace(plan(), version=version, at=plan().at - timedelta(days=1))
    path = folder / f"records/plans/{WAVE}/{version:06d}.dsse.json"
    path.unlink(missing_ok=True)
    path.write_bytes(sign(write(grid_subject(made), made), KEY))


def _later_plan(folder: Path) -> None:
    _sign_plan(folder, 2)


def _other_plan(folder: Path) -> None:
    _sign_plan(folder, 1)


def other_estate(name: str, phase: Phase, sequence: int, previous: str | None) -> Snapshot:
    """A snapshot `before` that was taken under another agreed estate."""
    taken = snapshot(name, phase, sequence, previous)
    return replace(taken, estate="00" * 32) if phase == "before" else taken


def _other_wave(recipe: Recipe) -> Recipe:
    def taken(name: str, phase: Phase, sequence: int, previous: str | None) -> Snapshot:
        return snapshot(name, phase, sequence, previous, "w2")

    return replace(recipe, snapshots=taken)


ENVELOPE = (
    Attack(
        name="1 payloadType swapped",
        says="payloadType",
        stock=True,
        outside=seal(lambda e: e.update(payloadType="text/plain")),
    ),
    Attack(
        name="1 payloadType foreign though signed",
        says="payloadType",
        stock=True,
        outside=resigned(lambda p: p, kind="application/json"),
    ),
    Attack(
        name="2 no signature",
        says="0 signatures",
        stock=True,
        outside=seal(lambda e: e.update(signatures=[])),
    ),
    Attack(
        name="2 no signatures field",
        says="missing",
        stock=True,
        outside=seal(lambda e: e.pop("signatures")),
    ),
    Attack(
        name="3 signature over another payload",
        says="is not that of key",
        stock=True,
        outside=seal(lambda e: e.update(payload=base64.b64encode(b"{}").decode())),
    ),
    Attack(
        name="4 unknown key",
        says="no trusted key",
        stock=True,
        recipe=replace(GOOD, seal_key=OTHER_KEY),
    ),
    Attack(
        name="4 trusted key id on a foreign signature",
        says="is not that of key",
        stock=True,
        recipe=replace(GOOD, seal_key=OTHER_KEY),
        outside=signature(lambda s: s.update(keyid=KEY.keyid)),
    ),
    Attack(
        name="4 foreign key id on a good signature",
        says="no trusted key",
        stock=True,
        outside=signature(lambda s: s.update(keyid=OTHER_KEY.keyid)),
    ),
    Attack(
        name="5 one key twice",
        says="2 signatures",
        stock=True,
        outside=seal(lambda e: e.update(signatures=[e["signatures"][0]] * 2)),  # type: ignore[index] # the list is ours
    ),
    Attack(
        name="7 algorithm chosen by the envelope",
        says="unknown field 'alg'",
        stock=True,
        outside=seal(lambda e: e.update(alg="none")),
    ),
    Attack(
        name="10 another predicate type",
        says="predicateType",
        stock=True,
        outside=statement(lambda s: s.update(predicateType="https://slsa.dev/provenance/v1")),
    ),
    Attack(
        name="10 a later version of our own type",
        says="predicateType",
        stock=True,
        outside=statement(
            lambda s: s.update(predicateType="https://wavegate.dev/predicate/seal/v2")
        ),
    ),
    Attack(
        name="10 an unknown field of ours",
        says="unknown field 'more'",
        stock=True,
        outside=statement(lambda s: _set_predicate(s, more=1)),
    ),
    Attack(
        name="10 a digest that is no digest",
        says="is not a SHA-256",
        stock=True,
        outside=statement(lambda s: _set_subject(s, "MANIFEST", "zz")),
    ),
    Attack(
        name="11 duplicate keys in the envelope",
        says="duplicate key",
        stock=True,
        outside=raw(SEAL, _twice),
    ),
    Attack(
        name="11 duplicate keys in the payload",
        says="duplicate key",
        stock=True,
        outside=resigned(lambda p: p.replace(b'{"_type"', b'{"_type":"x","_type"', 1)),
    ),
    Attack(
        name="14 byte order mark",
        says="not strict JSON",
        stock=True,
        outside=raw(SEAL, lambda data: b"\xef\xbb\xbf" + data),
    ),
    Attack(
        name="14 trailing data",
        says="not strict JSON",
        stock=True,
        outside=raw(SEAL, lambda data: data + b"{}"),
    ),
    Attack(
        name="14 trailing white space",
        says="canonical",
        stock=True,
        outside=raw(SEAL, lambda data: data + b"\n"),
    ),
    Attack(
        name="14 UTF-16",
        says="not strict JSON",
        stock=True,
        outside=raw(SEAL, lambda data: data.decode().encode("utf-16")),
    ),
    Attack(
        name="15 junk in base64",
        says="base64",
        stock=True,
        outside=seal(lambda e: e.update(payload=str(e["payload"])[:40] + "\n" + "AA==")),
    ),
    Attack(
        name="15 trailing bits in base64",
        says="base64",
        stock=True,
        outside=signature(_high_bits),
    ),
)

FILES = (
    Attack(
        name="16 a path out of the bundle",
        says="plain names",
        stock=True,
        outside=manifest(lambda data: b"00" * 32 + b"  ../evil\n" + data),
    ),
    Attack(
        name="16 an absolute path",
        says="plain names",
        stock=True,
        outside=manifest(lambda data: b"00" * 32 + b"  /etc/passwd\n" + data),
    ),
    Attack(
        name="16 a backslash",
        says="plain names",
        stock=True,
        outside=manifest(lambda data: b"00" * 32 + b"  C:\\evil\n" + data),
    ),
    Attack(name="17 symlink", says="a link", stock=True, outside=_link),
    Attack(name="17 symlinked folder", says="a link", stock=True, outside=_linked_folder),
    Attack(name="17 hard link", says="hard link", stock=True, outside=_hard_link),
    Attack(
        name="17 pipe",
        says="a link, device or pipe",
        stock=True,
        outside=lambda folder: os.mkfifo(folder / "pipe"),
    ),
    Attack(
        name="19 names that differ in case only",
        says="one file on some disks",
        stock=True,
        outside=lambda folder: (folder / "Summary.md").write_bytes(b"x"),
    ),
    Attack(
        name="20 a look-alike name",
        says="plain names",
        stock=True,
        outside=lambda folder: (folder / "summ\u0430ry.md").write_bytes(b"x"),
    ),
    Attack(
        name="20 a name with a line break",
        says="plain names",
        stock=True,
        outside=lambda folder: (folder / "a\nb").write_bytes(b"x"),
    ),
    Attack(
        name="21 unlisted file",
        says="not listed",
        stock=True,
        outside=lambda folder: (folder / "records/RUN").write_bytes(b"x"),
    ),
    Attack(
        name="21 a seal that hides deeper",
        says="not listed",
        stock=True,
        outside=lambda folder: (folder / "records" / SEAL).write_bytes(b"x"),
    ),
    Attack(
        name="21 a report that is not sealed",
        says="does not vouch for junit.xml",
        stock=True,
        outside=lambda folder: (folder / "junit.xml").write_bytes(b"x"),
    ),
    Attack(
        name="22 record removed",
        says="missing: records/objects",
        stock=True,
        outside=lambda folder: _object(folder).unlink(),
    ),
    Attack(
        name="22 record removed with its line",
        says="changed after",
        stock=True,
        outside=_remove_line,
    ),
    Attack(
        name="22 file doubled in MANIFEST",
        says="twice or out of order",
        stock=True,
        outside=manifest(lambda data: data[: data.index(b"\n") + 1] + data),
    ),
    Attack(
        name="22 MANIFEST cut",
        says="cut off",
        stock=True,
        outside=manifest(lambda data: data[:-1]),
    ),
    Attack(
        name="27 line endings of a file",
        says="line endings",
        stock=True,
        outside=raw("summary.md", lambda data: data.replace(b"\n", b"\r\n")),
    ),
    Attack(
        name="27 line endings of MANIFEST",
        says="line endings",
        stock=True,
        outside=raw("MANIFEST", lambda data: data.replace(b"\n", b"\r\n")),
    ),
    Attack(
        name="41 report swapped",
        says="changed after",
        stock=True,
        outside=raw("report.html", lambda _: b"<title>GO</title>"),
    ),
    Attack(
        name="41 report removed",
        says="sealed, but not here",
        stock=True,
        outside=lambda folder: (folder / "report.html").unlink(),
    ),
    Attack(
        name="34 no seal",
        says="no seal",
        stock=True,
        outside=lambda folder: (folder / SEAL).unlink(),
    ),
)

LIES = (
    Attack(
        name="11 duplicate keys in verdicts",
        says="duplicate key",
        stock=False,
        inside=raw(VERDICTS, lambda d: b'{"at":"x",' + d[1:]),
    ),
    Attack(
        name="12 float in verdicts",
        says="not an integer",
        stock=False,
        inside=raw(VERDICTS, lambda d: d.replace(b'"open":0', b'"open":1e400', 1)),
    ),
    Attack(
        name="12 NaN in verdicts",
        says="not an integer",
        stock=False,
        inside=raw(VERDICTS, lambda d: d.replace(b'"open":0', b'"open":NaN', 1)),
    ),
    Attack(
        name="12 number of 5,000 digits",
        says="beyond 2\\*\\*53",
        stock=False,
        inside=raw(VERDICTS, lambda d: d.replace(b'"open":0', b'"open":' + b"9" * 5000, 1)),
    ),
    Attack(
        name="13 nesting",
        says="nested deeper",
        stock=True,
        inside=raw(VERDICTS, lambda d: d[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ),
    Attack(
        name="14 lone surrogate in verdicts",
        says="surrogates",
        stock=None,
        inside=raw(VERDICTS, lambda d: d.replace(b'"not drilled"', b'"\\ud800"')),
    ),
    Attack(
        name="14 verdicts in UTF-16",
        says="not strict JSON",
        stock=True,
        inside=raw(VERDICTS, lambda d: d.decode().encode("utf-16")),
    ),
    Attack(
        name="20 a look-alike instance",
        says="not a plain name",
        stock=False,
        inside=verdicts(lambda v: _cell(v, instance="\u0430cme-prod1")),
    ),
    Attack(
        name="22 record removed before sealing",
        says="not here|not in the bundle",
        stock=False,
        inside=lambda folder: _object(folder).unlink(),
    ),
    Attack(
        name="22 object that nothing names",
        says="no signed statement names",
        stock=False,
        inside=_foreign_object,
    ),
    Attack(
        name="22 capture removed whole",
        says="capture before it is missing",
        stock=False,
        inside=_remove_capture,
    ),
    Attack(
        name="22 attempt left out of the verdicts",
        says="not listed",
        stock=False,
        inside=verdicts(_hide_attempt),
    ),
    Attack(
        name="23 records swapped between instances",
        says="signed as snapshot",
        stock=False,
        inside=_swap_signed,
    ),
    Attack(
        name="23 one record under two names",
        says="signed as snapshot 000002",
        stock=False,
        inside=_second_name,
    ),
    Attack(
        name="23 statement tells other than the record",
        says="not what its signed statement describes",
        stock=False,
        inside=_other_description,
    ),
    Attack(
        name="24 records of another wave",
        says="signed as snapshot",
        stock=False,
        recipe=_other_wave(GOOD),
    ),
    Attack(
        name="24 verdicts of another run",
        says="run 'other'",
        stock=True,
        inside=verdicts(lambda v: v.update(run="other")),
    ),
    Attack(
        name="24 plan for another estate",
        says="not the one of the plan",
        stock=False,
        recipe=replace(GOOD, plan=replace(plan(), agreed={"acme": "00" * 32})),
    ),
    Attack(
        name="24 another estate",
        says="another estate",
        stock=False,
        inside=raw("estate.json", lambda d: d.replace(b"T23:00", b"T23:30")),
    ),
    Attack(
        name="24 a later plan was signed",
        says="a later version of the plan",
        stock=False,
        inside=_later_plan,
    ),
    Attack(
        name="24 another plan than the records' own",
        says="not the plan in the bundle's records",
        stock=False,
        inside=_other_plan,
    ),
    Attack(
        name="24 records under another estate",
        says="taken under another agreed estate",
        stock=False,
        recipe=replace(GOOD, snapshots=other_estate),
    ),
    Attack(
        name="24 plan made after the opening",
        says="after the window had opened",
        stock=False,
        recipe=replace(GOOD, plan=replace(plan(), late=True)),
    ),
    Attack(
        name="25 a frozen journal cut before sealing",
        says="no signed statement names",
        stock=False,
        inside=refiled(lambda found: _messages(found).pop()),
    ),
    Attack(
        name="26 a line of a frozen journal doubled before sealing",
        says="no signed statement names",
        stock=False,
        inside=refiled(lambda found: _messages(found).append(_messages(found)[0])),
    ),
    Attack(
        name="33 verdict on an absent record",
        says="which is not here",
        stock=False,
        inside=verdicts(lambda v: _cell(v, records=["00" * 32])),
    ),
    Attack(
        name="33 another suite digest",
        says="suites",
        stock=False,
        outside=statement(lambda s: _set_predicate(s, suites="00" * 32)),
    ),
    Attack(
        name="33 decision flipped",
        says="is not what the cells force",
        stock=False,
        recipe=replace(GOOD, bad=((NAMES[0], "spf"),)),
        inside=verdicts(lambda v: v.update(decision="GO", decision_line="GO")),
    ),
    Attack(
        name="34 missing cell",
        says="planned, but not in the verdicts",
        stock=False,
        recipe=replace(GOOD, drop=((NAMES[0], "sound_evidence"),)),
    ),
    Attack(
        name="34 no cell at all",
        says="is not what the cells force",
        stock=False,
        inside=verdicts(lambda v: v.update(cells=[], causes=[])),
    ),
    Attack(
        name="34 no plan",
        says="the plan is missing",
        stock=False,
        inside=lambda folder: (folder / "plan.dsse.json").unlink(),
    ),
    Attack(
        name="35 waiver that the estate does not say",
        says="is waived, which the estate does not say",
        stock=False,
        recipe=replace(GOOD, bad=((NAMES[0], "spf"),)),
        inside=verdicts(_waive),
    ),
    Attack(
        name="4 records signed by an unknown key",
        says="no trusted key",
        stock=False,
        recipe=replace(GOOD, record_key=OTHER_KEY),
    ),
    Attack(
        name="flaws that the verdicts do not own up to",
        says="the gate met a flaw",
        stock=False,
        recipe=replace(GOOD, flaw="digest"),
    ),
)

ATTACKS = (*ENVELOPE, *FILES, *LIES)
