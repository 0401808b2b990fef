# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb keys: making a key and showing what there is, its id worked out by anybody's openssl."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wavegate import clock
from wavegate.clock import format_instant
from wavegate.errors import InputError, MissingError
from wavegate.evidence.encrypted_key import ROUNDS, rounds_of
from wavegate.evidence.fields import NAME
from wavegate.evidence.keys import make_key
from wavegate.evidence.public_key import PublicKey
from wavegate.evidence.signer import is_encrypted
from wavegate.evidence.signer_choice import SERVICE, KeyChoice
from wavegate.evidence.trust import (
    USUAL,
    Role,
    Trust,
    TrustedKey,
    key_to_json,
    load,
    of_public_keys,
)
from wavegate.evidence.trust_changes import with_changed
from wavegate.run.signers import open_signer, secret
from wavegate.run.trust_file import changing, check_in, save_trust

_BLOCK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What to make. passphrase: a reference. valid_until: None: without an end."""

    name: str
    roles: tuple[Role, ...] = USUAL
    passphrase: str | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key as it is shown. signer: what holds its private half, and whether under a passphrase.

    place: where, None where only the public half is known. check: the command that works out the
    same id. trusted: its entry in the trust file, None where there is none.
    """

    name: str
    key: PublicKey
    signer: str
    place: str | None
    check: str
    trusted: TrustedKey | None
    now: datetime

    def to_json(self) -> dict[str, object]:
        """One of `keys` of `--json`."""
        found = self.trusted
        entry = key_to_json(found) if found else {}
        bounds = {name: entry.get(name) for name in ("valid_from", "valid_until", "revoked_at")}
        return {
            "name": self.name,
            "keyid": self.key.keyid,
            "fingerprint": fingerprint(self.key.keyid),
            "algorithm": self.key.algorithm,
            "signer": self.signer,
            "place": self.place,
            "public": self.key.pem,
            "check": self.check,
            "roles": sorted(found.roles) if found else [],
            **bounds,
            "valid": found is not None and found.valid_at(self.now),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"key {self.name}"
        yield f"  key id       {self.key.keyid}"
        yield f"  fingerprint  {fingerprint(self.key.keyid)}"
        yield f"  signer       {self.signer}" + (f": {self.place}" if self.place else "")
        if self.trusted is None:
            yield "  roles        none: the trust file does not know it"
        else:
            yield f"  roles        {', '.join(sorted(self.trusted.roles))}"
            ended = "" if self.trusted.valid_at(self.now) else ": NOT NOW"
            yield f"  valid        {self.trusted.bounds.removeprefix('valid ')}{ended}"
        yield f"  check        {self.check}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Some keys. hints: what to do next, or to mind."""

    keys: tuple[KeyRow, ...]
    trust: Path
    hints: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The object of `--json`."""
        keys = [row.to_json() for row in self.keys]
        return {"keys": keys, "trust": str(self.trust), "hints": list(self.hints)}

    def text(self) -> str:
        """For a person."""
        rows = [line for row in self.keys for line in row.lines()]
        return "\n".join([*rows, *self.hints]) or f"no key yet, and none in {self.trust}"


def fingerprint(keyid: str) -> str:
    """The id in blocks, to be read out on a telephone or printed in a contract."""
    return " ".join(keyid[at : at + _BLOCK] for at in range(0, len(keyid), _BLOCK))


def new_key(home: Path, request: NewKey, trust: Path) -> Shown:
    """Make a P-256 key under `home` and trust it in its roles, from now on.

    Raises InputError where a key of that name is there, MissingError for a passphrase that is not,
    InternalError where it cannot be written.
    """
    private = private_of(home, request.name)
    at = clock.now().replace(microsecond=0)
    if request.valid_until is not None and request.valid_until <= at:
        text = f"it would end at {format_instant(request.valid_until)}, before it begins"
        raise InputError(text, cure="give a later --valid-until")
    given = request.passphrase
    passphrase = None if given is None else secret(given, private, new=True)
    with changing(trust):
        known = load(trust) if trust.exists() else Trust(keys=())
        made = make_key(private, passphrase)
        entry = TrustedKey(
            key=made.public,
            roles=frozenset(request.roles),
            valid_from=at,
            valid_until=request.valid_until,
        )
        save_trust(trust, with_changed(known, entry))
    row = _of_file(private.with_suffix(".pub"), with_changed(known, entry))
    hints = [f"sign with it: --key {shlex.quote(str(private))}"]
    hints += [] if given else [_OPEN]
    hints.append("hand out its public half: wavegate keys trust export --out FILE")
    return Shown(keys=(row,), trust=trust, hints=tuple(hints))


_OPEN = "anybody who can read the file can sign: --passphrase REF would encrypt the key"


def private_of(home: Path, name: str) -> Path:
    """Where a key of that name lies. Raises InputError for what is no plain name."""
    if not NAME.fullmatch(name):
        text = f"{name!r} is not a plain name"
        raise InputError(text, cure="use letters, digits, `.`, `_` and `-`")
    return home / "keys" / f"{name}.pem"


def show_keys(
    home: Path, names: tuple[str, ...], trust: Path, passphrase: str | None = None
) -> Shown:
    """The keys named, or all under `home` and in the trust file. No private key file is opened.

    names: of keys under `home`, paths of public keys, or keys apart (`hsm:`, `awskms:`), which are
    asked for their public half; passphrase: a reference to the PIN. MissingError, InputError.
    """
    known = load(trust) if trust.exists() else Trust(keys=())
    if names:
        rows = tuple(_named(home, name, known, passphrase) for name in names)
        return Shown(keys=rows, trust=trust)
    files = [_of_file(path, known) for path in sorted((home / "keys").glob("*.pub"))]
    own = {row.key.keyid for row in files}
    others = [_of_trust(one, trust) for one in known.keys if one.key.keyid not in own]
    return Shown(keys=(*files, *others), trust=trust)


def _named(home: Path, name: str, known: Trust, passphrase: str | None) -> KeyRow:
    choice = KeyChoice(where=name, passphrase=passphrase)
    if choice.apart:
        return _apart(choice, known, home)
    if "/" in name or name.endswith(".pub"):
        return _of_file(Path(name), known)
    path = private_of(home, name).with_suffix(".pub")
    if not path.exists():
        there = ", ".join(sorted(found.stem for found in path.parent.glob("*.pub"))) or "none"
        raise MissingError(f"no key {name!r}", where=str(path.parent), cure=f"there are: {there}")
    return _of_file(path, known)


def _of_file(public: Path, known: Trust) -> KeyRow:
    key = of_public_keys([public]).keys[0].key
    private = public.with_suffix(".pem")
    signer, place = "only the public half is here", None
    if public.suffix == ".pub" and private.exists():
        signer, place = f"a file, {_guard(private)}", str(private)
    command = f"openssl pkey -pubin -in {shlex.quote(str(public))} -outform DER | sha256sum"
    return KeyRow(
        name=public.stem,
        key=key,
        signer=signer,
        place=place,
        check=command,
        trusted=known.find(key.keyid),
        now=clock.now(),
    )


def _guard(private: Path) -> str:
    """How a key file is kept from whoever finds it; the key itself is not opened."""
    try:
        data = private.read_bytes()
    except OSError:
        return "which you cannot read"
    rounds = rounds_of(data)
    if rounds is None:
        return "encrypted" if is_encrypted(data) else "not encrypted"
    weak = f": few, {ROUNDS:,} are usual now" if rounds < ROUNDS else ""
    return f"encrypted, {rounds:,} rounds{weak}"


def _apart(choice: KeyChoice, known: Trust, home: Path) -> KeyRow:
    place = choice.where or ""
    key = open_signer(choice, home).public
    kind = "a key service (AWS KMS)" if place.startswith(SERVICE) else "a token (PKCS#11)"
    return KeyRow(
        name=place,
        key=key,
        signer=kind,
        place=place,
        check=f"wavegate keys show {shlex.quote(place)} --json | jq -r '.keys[].public' "
        "| openssl pkey -pubin -outform DER | sha256sum",
        trusted=known.find(key.keyid),
        now=clock.now(),
    )


def _of_trust(found: TrustedKey, trust: Path) -> KeyRow:
    return KeyRow(
        name=found.key.keyid[:12],
        key=found.key,
        signer="only the public half is here",
        place=None,
        check=check_in(trust, found.key.keyid),
        trusted=found,
        now=clock.now(),
    )
