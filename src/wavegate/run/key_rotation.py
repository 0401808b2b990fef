# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb keys rotate: a new key in the place of an old one, which vouches for it.

Each step is kept before the next begins, and each can be found done: a rotation that broke off is
finished by giving the same command again. The old private key stays under another name, since only
a person can know whether it is needed any more.
"""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from wavegate import clock
from wavegate.clock import format_instant
from wavegate.errors import InputError, MissingError
from wavegate.evidence.authorities import load_roots
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.keys import make_key
from wavegate.evidence.rotation import (
    RotationPredicate,
    follow,
    open_rotation,
    rotation,
    sign_rotation,
)
from wavegate.evidence.signer import Signer
from wavegate.evidence.signer_choice import KeyChoice
from wavegate.evidence.timestamp import read_token
from wavegate.evidence.trust import Trust, TrustedKey, load
from wavegate.run.files import write_new
from wavegate.run.keys import fingerprint, private_of
from wavegate.run.signers import open_signer, secret
from wavegate.run.trust_file import changing, save_trust, token_of

_FOLLOW = "wavegate keys trust merge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """What takes the place of what.

    name: of a key under the home. old: another key instead, in a file, token or service. new: a key
    that is there already; otherwise one is made in the old one's place, under `passphrase`, a
    reference. out: where the rotation is written. tsa: URLs of timestamp authorities.
    """

    name: str = "default"
    old: KeyChoice = field(default_factory=KeyChoice)
    new: KeyChoice | None = None
    passphrase: str | None = None
    out: Path | None = None
    tsa: tuple[str, ...] = ()
    tsa_roots: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """A rotation that was made. stamped: when an authority saw it. kept: the old private key."""

    told: RotationPredicate
    path: Path
    trust: Path
    stamped: datetime | None
    private: str | None
    kept: Path | None

    def to_json(self) -> dict[str, object]:
        """The object of `--json`."""
        new = self.told.new.key.keyid
        return {
            "old": self.told.old.key.keyid,
            "new": new,
            "fingerprint": fingerprint(new),
            "at": format_instant(self.told.at),
            "rotation": str(self.path),
            "stamped": format_instant(self.stamped) if self.stamped else None,
            "trust": str(self.trust),
            "private": self.private,
            "kept": str(self.kept) if self.kept else None,
        }

    def text(self) -> str:
        """For a person."""
        old, new = self.told.old.key.keyid, self.told.new.key.keyid
        seen = f"stamped {format_instant(self.stamped)}" if self.stamped else "not stamped (--tsa)"
        lines = [
            f"key {old}",
            f"  ends at      {format_instant(self.told.at)}, and is replaced by",
            f"key {new}",
            f"  fingerprint  {fingerprint(new)}",
            f"  roles        {', '.join(sorted(self.told.new.roles))}",
            f"  rotation     {self.path}, signed by both, {seen}",
            f"  trust        {self.trust} knows both",
        ]
        lines += [f"  signs now    {self.private}"] if self.private else []
        lines += (
            [f"  old key      {self.kept}: destroy it once nothing needs it"] if self.kept else []
        )
        given = shlex.quote(str(self.path))
        return "\n".join([*lines, f"hand it out; each verifier: {_FOLLOW} {given} --trust THEIRS"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Key files that change places: the old key's, the next one's beside it."""

    private: Path

    @property
    def next(self) -> Path:
        """Where the new key lies until all else is done."""
        return self.private.with_name(f"{self.private.stem}.next.pem")

    def kept(self, keyid: str) -> Path:
        """Where the old key lies from then on."""
        return self.private.with_name(f"{self.private.stem}-{keyid[:12]}.pem")

    def swap(self, keyid: str) -> Path:
        """Put the next key in the old one's place; the private half last, which ends it."""
        kept = self.kept(keyid)
        for old, name in ((self.private, kept), (_public(self.private), _public(kept))):
            if old.exists() and not name.exists():
                os.link(old, name)
        if _public(self.next).exists():
            _public(self.next).replace(_public(self.private))
        self.next.replace(self.private)
        return kept


def _public(private: Path) -> Path:
    return private.with_suffix(".pub")


def rotate_key(home: Path, request: Rotate, trust: Path, say: Callable[[str], None]) -> Rotated:
    """Let a new key take an old one's place, in a statement that both sign.

    Raises MissingError (no old key, no timestamp where authorities were named), InputError (a key
    that is not trusted, has ended or was revoked: it cannot vouch for another).
    """
    place = _place_of(home, request)
    with changing(trust):
        known = load(trust)
        old = open_signer(_old(place, request), home)
        entry = _trusted(old, known, trust, home)
        new = _new_signer(place, request, home)
        path = request.out or home / "rotations" / f"{new.keyid[:16]}.dsse.json"
        told = _told(path, entry, (old, new), known)
        stamped = _stamp(path, request, say)
        save_trust(trust, follow(told, known).trust)
        kept = place.swap(old.keyid) if place and request.new is None else None
    signs = request.new.where if request.new else str(place.private) if place else None
    return Rotated(told=told, path=path, trust=trust, stamped=stamped, private=signs, kept=kept)


def _place_of(home: Path, request: Rotate) -> _Place | None:
    """The old key's file; None where it lies apart. Raises MissingError, InputError."""
    if request.old.apart:
        if request.new is None:
            text = "a new key cannot be made there from here"
            cure = "make one in the token or service, and name it with --to"
            raise InputError(text, where=request.old.where, cure=cure)
        return None
    where = request.old.where
    private = Path(where) if where else private_of(home, request.name)
    if not private.exists():
        raise MissingError(
            "there is no key to rotate: without the old key nothing vouches for a new one",
            where=str(private),
            cure="restore it; if it is lost, make another (wavegate keys new), revoke the old one "
            "and hand out the new fingerprint as you did the first",
        )
    return _Place(private=private)


def _old(place: _Place | None, request: Rotate) -> KeyChoice:
    where = str(place.private) if place else request.old.where
    return KeyChoice(where=where, passphrase=request.old.passphrase)


def _trusted(old: Signer, known: Trust, trust: Path, home: Path) -> TrustedKey:
    """The old key's entry. Raises InputError where it cannot vouch for another."""
    found = known.find(old.keyid)
    if found is None:
        made = home / "rotations" / f"{old.keyid[:16]}.dsse.json"
        cure = f"{_FOLLOW} {made if made.exists() else 'KEY.pub'} --trust {trust}"
        text = f"key {old.keyid} is not in the trust file, so nobody could follow its rotation"
        raise InputError(text, where=str(trust), cure=cure)
    if found.revoked_at:
        raise InputError(
            f"key {old.keyid} was revoked at {format_instant(found.revoked_at)}: a key that others "
            "may have cannot vouch for another",
            cure="make a new one (wavegate keys new) and hand its fingerprint out another way",
        )
    return found


def _new_signer(place: _Place | None, request: Rotate, home: Path) -> Signer:
    if request.new is not None or place is None:
        return open_signer(request.new or KeyChoice(), home)
    given, path = request.passphrase, place.next
    if path.exists():
        return open_signer(KeyChoice(where=str(path), passphrase=given), home)
    return make_key(path, None if given is None else secret(given, path, new=True))


def _told(
    path: Path, entry: TrustedKey, pair: tuple[Signer, Signer], known: Trust
) -> RotationPredicate:
    """The rotation that is there from an attempt that broke off, or a new one, signed by both."""
    old, new = pair
    if path.exists():
        found = open_rotation(path.read_bytes(), known, where=str(path))
        if (found.old.key.keyid, found.new.key.keyid) == (old.keyid, new.keyid):
            return found
        raise InputError("holds the rotation of other keys", where=str(path), cure="give another")
    at = clock.now()
    if not entry.valid_at(at):
        text = f"key {old.keyid} is not valid now: it is {entry.bounds}"
        raise InputError(text, cure="a key that has ended cannot vouch for another: make a new one")
    if old.keyid == new.keyid:
        raise InputError("a key cannot take its own place", cure="name another with --to")
    told = rotation(entry, TrustedKey(key=new.public, roles=entry.roles), at)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new(path, sign_rotation(told, old, new))
    return told


def _stamp(path: Path, request: Rotate, say: Callable[[str], None]) -> datetime | None:
    """Ask the authorities that were named, until one has stamped it. Raises MissingError."""
    payload, token = read_unverified(path.read_bytes()), token_of(path)
    if token.exists():
        return read_token(token.read_bytes(), payload, where=str(token)).at
    if not request.tsa:
        return None
    from wavegate.evidence.timestamp_client import stamp  # noqa: PLC0415 - takes half a second

    (answers,) = stamp([payload], request.tsa, load_roots(request.tsa_roots).roots)
    for answer in answers:
        if answer.raw is not None and answer.token is not None:
            write_new(token, answer.raw)
            return answer.token.at
        say(f"no timestamp: {answer.problem}")
    raise MissingError(
        "no authority stamped the rotation, which is kept; the old key still signs",
        where=str(path),
        cure="give the same command again later, or without --tsa",
    )
