# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What an insider or a bad disk does to evidence: plain file operations on store, bundle, extract.

Formats are those of docs/architecture.md, written down here a second time: the lab shares no code
with what it tries.
"""

import base64
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from wavegate.canonical import dumps
from wavegate.errors import InputError

ADDRESS = re.compile(rb"127\.\d{1,3}\.\d{1,3}\.\d{1,3}")
PAYLOAD = "application/vnd.in-toto+json"
HIDDEN = 12
"""So many samples are taken out of a timeline, if it holds so many."""
SELECTOR = "acc2._domainkey."
Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where evidence lies. key: the private key of the store. bundle, extract: once there are.

    sister, server: another instance and the name server ns4, where the lab calls them otherwise.
    names: what the tampering touched, under the words by which the catalogue calls it.
    """

    store: Path
    key: Path
    wave: str
    instance: str
    bundle: Path | None = None
    extract: Path | None = None
    sister: str = "acme-stage1"
    server: str = "127.53.1.4"
    names: tuple[tuple[str, str], ...] = ()

    def with_names(self, **names: str) -> "Place":
        """The place with more names; underscores stand for spaces."""
        more = tuple((name.replace("_", " "), text) for name, text in names.items())
        return replace(self, names=(*self.names, *more))


Tampering = Callable[[Place], Place]


def tamper(what: str, place: Place) -> Place:
    """Do one of the tamperings; where the evidence lies from now on, and what was touched.

    Raises InputError for an unknown one, or where there is nothing to do it to.
    """
    if what not in TAMPERINGS:
        raise InputError(f"unknown tampering {what!r}", cure=f"one of {', '.join(TAMPERINGS)}")
    return TAMPERINGS[what](place)


def byte_flipped(place: Place) -> Place:
    """One digit of one address of the `before` record, under its old name."""
    _, record = _filed(place, "before")
    path = _object(place.store, record)
    _overwrite(path, _other_address(path.read_bytes()))
    return place.with_names(the_record=record)


def resigned(place: Place) -> Place:
    """The `before` record changed, filed under its right digest, signed by somebody else's key."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    envelope, record = _filed(place, "before")
    changed = _other_address(_object(place.store, record).read_bytes())
    fresh = _put(place.store, changed)
    _file_again(envelope, fresh, stranger)
    return place.with_names(the_record=fresh, key_id=_keyid(stranger))


def same_record(place: Place) -> Place:
    """The envelope of `before` stands in the place of that of `after`."""
    before, record = _filed(place, "before")
    after, _ = _filed(place, "after")
    _overwrite(after, before.read_bytes())
    return place.with_names(the_digest=record)


def wrong_instance(place: Place) -> Place:
    """The `after` record is one of a sister instance, properly signed."""

    def sister(record: Body) -> Body:
        return {**record, "instance": place.sister}

    return _rewritten(place, "after", sister, instance=place.sister)


def asked_less(place: Place) -> Place:
    """The `after` record knows nothing of selector acc2 and of name server ns4."""

    def less(record: Body) -> Body:
        asked = record["observations"]
        return {**record, "observations": [o for o in asked if not _left_out(o, place.server)]}

    return _rewritten(place, "after", less)


def samples_hidden(place: Place) -> Place:
    """Samples that tell of a failure are taken out, the rest is numbered and chained anew."""
    journals = sorted((place.store / "timelines" / place.wave / place.instance).glob("*.jsonl"))
    if not journals:
        raise InputError("there is no timeline to take samples from", where=str(place.store))
    path = journals[0]
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    bad = [line for line in lines if line.get("kind") == "sample" and line.get("state") != "ok"]
    hidden = (bad or [line for line in lines if line.get("kind") == "sample"])[:HIDDEN]
    _overwrite(path, _chained([line for line in lines if line not in hidden]))
    return place.with_names(the_timeline=path.stem)


def verdict_edited(place: Place) -> Place:
    """One verdict of the sealed bundle says something else."""
    if place.bundle is None:
        raise InputError("there is no bundle to edit", cure="gate first")
    path = place.bundle / "verdicts.json"
    text = path.read_bytes()
    old, new = (b'"FAILED"', b'"PASSED"') if b'"FAILED"' in text else (b'"PASSED"', b'"FAILED"')
    _overwrite(path, text.replace(old, new, 1))
    return place.with_names(the_verdict_file=path.name)


def one_left_out(place: Place) -> Place:
    """An extract without one of the customer's instances; its MANIFEST lists what is left."""
    if place.extract is None:
        raise InputError("there is no extract to cut", cure="`wavegate report BUNDLE --customer`")
    for path in sorted(place.extract.rglob("*")):
        if path.is_file() and place.instance in path.relative_to(place.extract).parts:
            path.unlink()
    _strike(place.extract / "verdicts.json", place.instance)
    _list_again(place.extract)
    return place.with_names(the_instance=place.instance)


def moved(place: Place) -> Place:
    """The store is copied elsewhere, byte by byte and with new times; the copy is judged."""
    copy = place.store.with_name(f"{place.store.name}-moved")
    shutil.copytree(place.store, copy, copy_function=shutil.copyfile)
    return replace(place, store=copy)


TAMPERINGS: Mapping[str, Tampering] = {
    "byte-flipped": byte_flipped,
    "resigned": resigned,
    "same-record": same_record,
    "wrong-instance": wrong_instance,
    "asked-less": asked_less,
    "samples-hidden": samples_hidden,
    "verdict-edited": verdict_edited,
    "one-left-out": one_left_out,
    "moved": moved,
}


def second_key(key: Path, trust: Path) -> Path:
    """Make another key beside the first, trusted in all its roles; its path."""
    new = ec.generate_private_key(ec.SECP256R1())
    path = key.with_name("second.pem")
    path.touch(mode=0o600)
    path.write_bytes(_private_pem(new))
    listed = json.loads(trust.read_text("utf-8"))
    public = new.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    listed.append({**listed[0], "keyid": _keyid(new), "key": public.decode("ascii")})
    trust.write_bytes(dumps(listed) + b"\n")
    return path


def other_tool(package: Path, folder: Path, version: str) -> Path:
    """A copy of the tool that calls itself another version; the folder to put on PYTHONPATH."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, folder / package.name, ignore=ignored)
    told = folder / f"{package.name}-{version}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {version}\n", encoding="utf-8"
    )
    return folder


# Records and their envelopes


def _envelopes(place: Place, phase: str | None = None) -> list[Path]:
    """The envelopes of an instance's records, or those of a phase, in their order."""
    folder = place.store / "signed" / place.wave / place.instance
    found = sorted(folder.glob("*.dsse.json"))
    return [p for p in found if phase in (None, _statement(p)["predicate"].get("phase"))]


def _filed(place: Place, phase: str) -> tuple[Path, str]:
    """The last envelope of a phase and its record. Raises InputError where there is none."""
    found = _envelopes(place, phase)
    if not found:
        raise InputError(f"{place.instance} has no {phase} record", where=str(place.store))
    return found[-1], _subject(found[-1])


def _statement(envelope: Path) -> Body:
    told = json.loads(envelope.read_bytes())
    statement: Body = json.loads(base64.b64decode(told["payload"]))
    return statement


def _subject(envelope: Path) -> str:
    (subject,) = _statement(envelope)["subject"]
    return str(subject["digest"]["sha256"])


def _object(store: Path, record: str) -> Path:
    return store / "objects" / record[:2] / record


def _put(store: Path, data: bytes) -> str:
    record = sha256(data).hexdigest()
    path = _object(store, record)
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(data)
    return record


def _rewritten(place: Place, phase: str, change: Callable[[Body], Body], **predicate: str) -> Place:
    """A phase's records changed and signed with the store's own key, as by a faulty tool.

    What names a changed record as the one before it names it by its new digest.
    """
    own = load_pem_private_key(place.key.read_bytes(), password=None)
    if not isinstance(own, ec.EllipticCurvePrivateKey):
        raise InputError("not an ECDSA key", where=str(place.key))
    _, last = _filed(place, phase)
    changed = set(_envelopes(place, phase))
    fresh: dict[str, str] = {}
    for envelope in _envelopes(place):
        old = _subject(envelope)
        body = json.loads(_object(place.store, old).read_bytes())
        body["previous"] = fresh.get(body["previous"], body["previous"])
        mine = envelope in changed
        new = _put(place.store, dumps(change(body) if mine else body))
        if new != old:
            more = {"previous": body["previous"], **(predicate if mine else {})}
            _file_again(envelope, new, own, **more)
            fresh[old] = new
    return place.with_names(the_record=fresh.get(last, last))


def _file_again(
    envelope: Path, record: str, key: ec.EllipticCurvePrivateKey, **predicate: str | None
) -> None:
    """The statement about another record, signed, in the place of the old one (DSSE 1.0.0)."""
    statement = _statement(envelope)
    name = f"objects/{record[:2]}/{record}"
    statement["subject"] = [{"name": name, "digest": {"sha256": record}}]
    statement["predicate"] |= predicate
    payload = dumps(statement)
    signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
    signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
    sealed = {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": PAYLOAD,
        "signatures": [{"keyid": _keyid(key), "sig": base64.b64encode(signature).decode("ascii")}],
    }
    _overwrite(envelope, dumps(sealed))


def _keyid(key: ec.EllipticCurvePrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(public).hexdigest()


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _overwrite(path: Path, data: bytes) -> None:
    """Other bytes under the same name, however it was protected."""
    path.chmod(0o600)
    path.write_bytes(data)


def _other_address(record: bytes) -> bytes:
    """The bytes with the last digit of the first address changed."""
    found = ADDRESS.search(record)
    if found is None:
        raise InputError("the record holds no address to change")
    place = found.end() - 1
    digit = b"1" if record[place : place + 1] != b"1" else b"2"
    return record[:place] + digit + record[place + 1 :]


def _left_out(observation: Body, server: str) -> bool:
    host, _, _ = str(observation["asked"].get("server", "")).rpartition(":")
    return str(observation["subject"]).startswith(SELECTOR) or host == server


# Timelines, verdicts, extracts


def _chained(lines: list[Body]) -> bytes:
    """The lines of a journal with new numbers, each bound to the one before."""
    whole, before = b"", None
    for number, line in enumerate(lines):
        told = dumps({**line, "n": number, "prev": before}) + b"\n"
        before = sha256(told).hexdigest()
        whole += told
    return whole


def _strike(path: Path, instance: str) -> None:
    """Take an instance out of verdicts, as if it had never been in the grid."""
    told = json.loads(path.read_bytes())
    told["cells"] = [cell for cell in told["cells"] if cell["instance"] != instance]
    told["instances"].pop(instance, None)
    _overwrite(path, dumps(told))


def _list_again(folder: Path) -> None:
    """The MANIFEST of what is there now, in the form of sha256sum."""
    path = folder / "MANIFEST"
    names = [line.partition("  ")[2] for line in path.read_text("utf-8").splitlines()]
    there = [name for name in names if (folder / name).is_file()]
    lines = (f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in there)
    _overwrite(path, "".join(lines).encode())
