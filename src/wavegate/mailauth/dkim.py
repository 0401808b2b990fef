# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""DKIM verification of received mail (RFC 6376, RFC 8301, RFC 8463), the same on any later day.

No clock: a signature's expiry is held against the instant of reception. Every signature of a
message is looked at. A result is `policy` where the arithmetic is right, but receivers are told
not to rely on it: SHA-1, a weak key, a testing flag, text outside of l=.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from dns.name import Name

from wavegate.mailauth.dkim_canon import (
    Field,
    Message,
    canonical_body,
    signed_octets,
    split_message,
)
from wavegate.mailauth.dkim_key import MIN_BITS, Key, State, parse_tags
from wavegate.mailauth.names import name_of, text_of

MAX_SIZE = 32 * 1024 * 1024
MAX_FIELDS = 2_000
MAX_SIGNATURES = 20
MAX_SIGNED = 1_000
_NUMBER = re.compile(r"\d{1,12}")
_KINDS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
_NEEDED = ("v", "a", "b", "bh", "d", "h", "s")
_CANONS = {"simple": False, "relaxed": True}

KeyOf = Callable[[Name], Key]
"""The name of a key, `<selector>._domainkey.<domain>`, to what is published there."""


class Outcome(StrEnum):
    """What became of one signature."""

    PASS = "pass"  # noqa: S105 - a result's name
    FAIL = "fail"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"
    EXPIRED = "expired"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One signature of a message and what became of it.

    index: from the top, 0 first. domain, selector: d= and s=, empty where unreadable.
    headers: h=, lower case, in order. bits: of the key.
    canonicalisation: c= as it takes effect.
    """

    index: int
    outcome: Outcome
    reason: str
    domain: str = ""
    selector: str = ""
    identity: str = ""
    headers: tuple[str, ...] = ()
    bits: int = 0
    canonicalisation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """What one signature covers, hashed, to verify it later without the body.

    octets: of the whole canonical body. body: SHA-256 of it up to l=. head: SHA-256 of the header
    fields that it covers; None: to be taken from the fields that were kept.
    """

    octets: int
    body: bytes
    head: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    """The tags of one signature, checked for form."""

    kind: str
    value: bytes
    body_hash: bytes
    domain: Name
    selector: str
    key_name: Name
    identity: str
    headers: tuple[str, ...]
    header_relaxed: bool
    body_relaxed: bool
    canonicalisation: str
    length: int | None
    expires: int | None


class _RefusedError(Exception):
    """Internal: the signature ends here with an outcome."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


class _Cover:
    """What the signatures of one message cover: of a whole one, or of one kept as hashes."""

    def __init__(self, message: Message, kept: Sequence[Hashes | None] | None = None) -> None:
        self.message = message
        self._kept = kept
        self._bodies: dict[bool, bytes] = {}

    def body(self, index: int, signature: _Signature) -> tuple[int, bytes]:
        """Octets of the canonical body, and SHA-256 of it up to l=."""
        if self._kept is not None:
            found = self._hashes(index)
            return found.octets, found.body
        relaxed = signature.body_relaxed
        if relaxed not in self._bodies:
            self._bodies[relaxed] = canonical_body(self.message.body, relaxed=relaxed)
        body = self._bodies[relaxed]
        return len(body), hashlib.sha256(body[: signature.length]).digest()

    def head(self, index: int, signature: _Signature, field: Field) -> bytes:
        """SHA-256 of the header fields that a signature covers, and of itself without b=."""
        kept = self._hashes(index).head if self._kept is not None else None
        if kept is not None:
            return kept
        relaxed = signature.header_relaxed
        octets = signed_octets(self.message, signature.headers, field, relaxed=relaxed)
        return hashlib.sha256(octets).digest()

    def _hashes(self, index: int) -> Hashes:
        found = (self._kept or ())[index : index + 1]
        if not found or found[0] is None:
            reason = "its body was not kept (policy keep.bodies), nor a hash for this signature"
            raise _RefusedError(Outcome.TEMPERROR, reason)
        return found[0]


def hashes(raw: bytes) -> tuple[Hashes | None, ...]:
    """What each signature of a message covers, hashed, top to bottom, as `verify` needs it.

    None: the signature cannot be read, or it is beyond the bounds.
    """
    message = split_message(raw, most_fields=MAX_FIELDS) if len(raw) <= MAX_SIZE else None
    if message is None:
        return ()
    fields = [field for field in message.fields if field.name == "dkim-signature"]
    cover = _Cover(message)
    return tuple(_hashes(n, field, cover) for n, field in enumerate(fields[:MAX_SIGNATURES]))


def _hashes(index: int, field: Field, cover: _Cover) -> Hashes | None:
    try:
        signature = _signature(parse_tags(field.value.decode("ascii", "replace")) or {})
    except _RefusedError:
        return None
    octets, body = cover.body(index, signature)
    return Hashes(octets=octets, body=body, head=cover.head(index, signature, field))


def verify(
    raw: bytes,
    key_of: KeyOf,
    received: datetime,
    *,
    kept: Sequence[Hashes | None] | None = None,
) -> tuple[Verified, ...]:
    """Verify every signature of a message. received: the instant that x= is held against.

    kept: of a message of which only the header is there, what `hashes` found in it when it was
    whole. Never raises. Empty: the message is unsigned. A message over 32 MiB or 2,000 header
    fields is one `temperror`: nobody looked.
    """
    if len(raw) > MAX_SIZE:
        return (_unread("the message is larger than 32 MiB"),)
    message = split_message(raw, most_fields=MAX_FIELDS)
    if message is None:
        return (_unread(f"the message has more than {MAX_FIELDS} header fields"),)
    fields = [field for field in message.fields if field.name == "dkim-signature"]
    cover = _Cover(message, kept)
    return tuple(
        _verify_one(index, field, cover, key_of, received)
        for index, field in enumerate(fields[:MAX_SIGNATURES])
    )


def _unread(reason: str) -> Verified:
    return Verified(index=0, outcome=Outcome.TEMPERROR, reason=reason)


def _verify_one(
    index: int,
    field: Field,
    cover: _Cover,
    key_of: KeyOf,
    received: datetime,
) -> Verified:
    tags = parse_tags(field.value.decode("ascii", "replace")) or {}
    signature: _Signature | None = None
    key: Key | None = None
    try:
        signature = _signature(tags)
        key = key_of(signature.key_name)
        uncovered = _check_body(signature, *cover.body(index, signature))
        _check_key(signature, key)
        _check_value(signature, key, cover.head(index, signature, field))
        _check_policy(signature, key, received, uncovered)
        outcome, reason = Outcome.PASS, "verifies"
    except _RefusedError as refused:
        outcome, reason = refused.outcome, refused.reason
    return Verified(
        index=index,
        outcome=outcome,
        reason=reason,
        domain=text_of(signature.domain) if signature else tags.get("d", "").lower(),
        selector=signature.selector if signature else tags.get("s", "").lower(),
        identity=signature.identity if signature else "",
        headers=signature.headers if signature else (),
        bits=key.bits if key else 0,
        canonicalisation=signature.canonicalisation if signature else "",
    )


def _signature(tags: dict[str, str]) -> _Signature:
    missing = [tag for tag in _NEEDED if not tags.get(tag)]
    _need(not missing, f"no {', '.join(missing)}= in the signature")
    _need(tags["v"] == "1", "v= is not 1")
    if tags["a"].lower() == "rsa-sha1":
        raise _RefusedError(Outcome.POLICY, "rsa-sha1 is refused (RFC 8301)")
    kind = _KINDS.get(tags["a"].lower())
    domain = name_of(tags["d"])
    key_name = name_of(f"{tags['s']}._domainkey.{tags['d']}")
    headers = tuple(name.lower() for name in tags["h"].split(":"))
    if kind is None or domain is None or key_name is None:
        raise _RefusedError(Outcome.PERMERROR, "unknown a=, or no names in d= and s=")
    _need("from" in headers and len(headers) <= MAX_SIGNED, "From is not signed")
    _need("dns/txt" in tags.get("q", "dns/txt").split(":"), "unknown q=")
    header, _, body = tags.get("c", "simple/simple").lower().partition("/")
    _need({header, body or "simple"} <= set(_CANONS), "unknown c=")
    return _Signature(
        kind=kind,
        value=_base64(tags["b"]),
        body_hash=_base64(tags["bh"]),
        domain=domain,
        selector=tags["s"].lower(),
        key_name=key_name,
        identity=_identity(tags, domain),
        headers=headers,
        header_relaxed=_CANONS[header],
        body_relaxed=_CANONS[body or "simple"],
        canonicalisation=f"{header}/{body or 'simple'}",
        length=_number(tags, "l"),
        expires=_expiry(tags),
    )


def _need(condition: bool, reason: str) -> None:
    if not condition:
        raise _RefusedError(Outcome.PERMERROR, reason)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _RefusedError(Outcome.PERMERROR, "b= or bh= is no base64") from error


def _number(tags: dict[str, str], tag: str) -> int | None:
    if tag not in tags:
        return None
    _need(_NUMBER.fullmatch(tags[tag]) is not None, f"{tag}= is no number")
    return int(tags[tag])


def _expiry(tags: dict[str, str]) -> int | None:
    made, expires = _number(tags, "t"), _number(tags, "x")
    _need(made is None or expires is None or made < expires, "x= is not after t=")
    return expires


def _identity(tags: dict[str, str], domain: Name) -> str:
    """The domain of i=, lower case; it must be d= or below it (RFC 6376 3.5)."""
    identity = name_of(tags["i"].rpartition("@")[2]) if "i" in tags else domain
    if identity is None or not identity.is_subdomain(domain):
        raise _RefusedError(Outcome.PERMERROR, "i= is not below d=")
    return text_of(identity)


def _check_body(signature: _Signature, octets: int, hashed: bytes) -> int:
    """Hold the body against bh=; returns how many octets of it l= leaves unsigned."""
    length = octets if signature.length is None else signature.length
    _need(length <= octets, "l= is longer than the body")
    if hashed != signature.body_hash:
        raise _RefusedError(Outcome.FAIL, "the body is not the one signed")
    return octets - length


def _check_key(signature: _Signature, key: Key) -> None:
    if key.state is State.UNKNOWN:
        raise _RefusedError(Outcome.TEMPERROR, f"the key is not known: {key.reason}")
    _need(key.state is State.KEY, f"the key is {key.describe()}")
    _need(key.kind == signature.kind, f"a {key.kind} key for a {signature.kind} signature")
    _need(key.sha256, "the key record does not admit sha256 (h=)")
    _need(key.email, "the key record is not for e-mail (s=)")
    same = signature.identity == text_of(signature.domain)
    _need(same or not key.strict, "the key record has t=s, and i= is not d=")


def _check_value(signature: _Signature, key: Key, hashed: bytes) -> None:
    try:
        public = key.public
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature.value, hashed)
        elif public is not None:
            public.verify(signature.value, hashed, PKCS1v15(), Prehashed(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise _RefusedError(Outcome.FAIL, "the signature is not of this key") from error


def _check_policy(signature: _Signature, key: Key, received: datetime, uncovered: int) -> None:
    if signature.expires is not None and received.timestamp() > signature.expires:
        raise _RefusedError(Outcome.EXPIRED, "received after x=")
    if key.kind == "rsa" and key.bits < MIN_BITS:
        raise _RefusedError(Outcome.POLICY, f"an RSA key of {key.bits} bits is refused (RFC 8301)")
    if key.testing:
        raise _RefusedError(
            Outcome.POLICY, "the key record has t=y: the signature counts for nothing"
        )
    if uncovered:
        raise _RefusedError(Outcome.POLICY, "l= leaves text at the end unsigned")
