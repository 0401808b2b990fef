# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The envelope (DSSE 1.0.0): signs bytes with their type, and opens only what a trusted key signed.

The payload is handed out as the very bytes that were verified. A key id in an envelope only tells
which trusted key to try; the algorithm is the trusted key's, never the envelope's. ECDSA
signatures are malleable: things are identified by the digest of a payload, never of an envelope.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant
from wavegate.errors import DamagedError, InvalidError
from wavegate.evidence.claimed import claimed
from wavegate.evidence.fields import Fields
from wavegate.evidence.signer import Signer
from wavegate.evidence.trust import Role, Trust, TrustedKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE = 256_000_000
MAX_SIGNATURES = 16
SEE_BOUNDS = "see valid_from, valid_until and revoked_at in the trust file"
_OURS = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"'
    + re.escape(PAYLOAD_TYPE).encode()
    + rb'","signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/=]*)"\}\]\}'
)
"""An envelope as `sign` writes it, which is what nearly all are: it needs no parser."""
_TAMPERED = "it was changed after it was signed; get it again from its source"


class EnvelopeError(InvalidError):
    """Not an envelope as we write it."""

    kind = "envelope"


class UnknownKeyError(InvalidError):
    """Signed by no key that is trusted for this."""

    kind = "unknown-key"


class BadSignatureError(InvalidError):
    """The signature is not that of the key it names."""

    kind = "bad-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A verified payload, and the trusted keys that signed it, each once."""

    payload: bytes
    keyids: tuple[str, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what is really signed (DSSE protocol, lengths in bytes)."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, *signers: Signer) -> bytes:
    """The canonical JSON bytes of an envelope over an in-toto payload, signed by each signer."""
    if not signers:
        raise ValueError("an envelope that nobody signs")
    message = pae(PAYLOAD_TYPE, payload)
    return dumps(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": one.keyid, "sig": base64.b64encode(one.sign(message)).decode("ascii")}
                for one in signers
            ],
        }
    )


def open_envelope(
    data: bytes,
    trust: Trust,
    role: Role,
    *,
    at: datetime | None = None,
    threshold: int = 1,
    where: str | None = None,
    timed: bool = True,
) -> Opened:
    """Verify an envelope and hand out its payload.

    at: an instant at which the signatures are proven to have existed; then the keys must have been
    valid. Without one, they must not have ended before what the payload says itself of when it was
    made; timed: False leaves that to the caller, who has timestamps to look at.
    threshold: how many different trusted keys must have signed. where: for messages.
    Raises EnvelopeError, UnknownKeyError or BadSignatureError.
    """
    if threshold < 1:
        raise ValueError("a threshold below one would trust anybody")
    try:
        payload, signatures = _parse(data)
    except (DamagedError, ValueError) as error:
        text = error.message if isinstance(error, DamagedError) else str(error)
        raise EnvelopeError(
            f"not a signed envelope: {text}", where=where, cure=_TAMPERED
        ) from error
    message = pae(PAYLOAD_TYPE, payload)
    signers = [
        keyid
        for keyid, signature in signatures
        if _counts(keyid, signature, message, trust.find(keyid), where=where)
    ]
    good = tuple(dict.fromkeys(signers))
    known = [found for found in trust.keys if found.key.keyid in good]
    own = claimed(payload) if timed and not at and any(one.bounded for one in known) else None
    ended = frozenset(one.key.keyid for one in known if not _in_time(one, at, own))
    _check_role(known, signatures, role, ended, at or own, threshold=threshold, where=where)
    return Opened(payload=payload, keyids=good)


def read_unverified(data: bytes) -> bytes:
    """The payload of an envelope that nobody vouches for: to tell what it claims, never to trust.

    Raises EnvelopeError.
    """
    try:
        return _parse(data)[0]
    except (DamagedError, ValueError) as error:
        raise _unreadable(error, None) from error


def _unreadable(error: DamagedError | ValueError, where: str | None) -> EnvelopeError:
    text = error.message if isinstance(error, DamagedError) else str(error)
    return EnvelopeError(f"not a signed envelope: {text}", where=where, cure=_TAMPERED)


def _parse(data: bytes) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    if len(data) > MAX_ENVELOPE:
        raise ValueError(f"larger than {MAX_ENVELOPE} bytes")
    ours = _OURS.fullmatch(data)
    if ours:
        payload, keyid, signature = (text.decode("ascii") for text in ours.groups())
        return _decode(payload), ((keyid, _decode(signature)),)
    fields = Fields(loads(data), "payload", "payloadType", "signatures")
    if fields.text("payloadType") != PAYLOAD_TYPE:
        raise ValueError(f"payloadType {fields.text('payloadType')[:80]!r}, not {PAYLOAD_TYPE!r}")
    entries = fields.items("signatures")
    if not 1 <= len(entries) <= MAX_SIGNATURES:
        raise ValueError(f"{len(entries)} signatures, expected 1 to {MAX_SIGNATURES}")
    return _decode(fields.text("payload")), tuple(_signature(entry) for entry in entries)


def _signature(entry: object) -> tuple[str, bytes]:
    fields = Fields(entry, "keyid", "sig")
    return fields.text("keyid"), _decode(fields.text("sig"))


def _decode(text: str) -> bytes:
    """Strict base64: what encodes back to the same text, and nothing else (RFC 4648 3.5)."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"base64: {error}") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise ValueError("base64: not the one encoding of its bytes")
    return data


def _counts(
    keyid: str, signature: bytes, message: bytes, found: TrustedKey | None, *, where: str | None
) -> bool:
    if found is None:
        return False
    if not found.key.verifies(signature, message):
        raise BadSignatureError(
            f"the signature is not that of key {keyid}", where=where, cure=_TAMPERED
        )
    return True


def not_valid(found: TrustedKey, at: datetime) -> str:
    """The sentence about a key that signed outside its validity."""
    return f"key {found.key.keyid} was not valid at {format_instant(at)}: it is {found.bounds}"


def check_valid(keyids: tuple[str, ...], trust: Trust, at: datetime, *, where: str) -> None:
    """Refuse what was signed, by its own word, when a key was not valid. UnknownKeyError."""
    for found in trust.keys:
        if found.key.keyid in keyids and not found.valid_at(at):
            raise UnknownKeyError(not_valid(found, at), where=where, cure=SEE_BOUNDS)


def _in_time(found: TrustedKey, at: datetime | None, own: datetime | None) -> bool:
    """Whether a key counts at a proven instant, or failing that at the one claimed."""
    if at is not None:
        return found.valid_at(at)
    return own is None or not found.ended_by(own)


def _check_role(
    known: list[TrustedKey],
    signatures: tuple[tuple[str, bytes], ...],
    role: Role,
    ended: frozenset[str],
    when: datetime | None,
    *,
    threshold: int,
    where: str | None,
) -> None:
    fit = [found for found in known if role in found.roles]
    valid = [found for found in fit if found.key.keyid not in ended]
    if len(valid) >= threshold:
        return
    if not known:
        named = ", ".join(repr(keyid[:64]) for keyid, _ in signatures)
        text = f"signed by {named}, which is no trusted key"
        cure = "give the signer's public key, got from outside the evidence"
    elif not fit:
        text = f"key {known[0].key.keyid} is not trusted for the role {role}"
        cure = "see the trust file"
    elif not valid and when is not None:
        text, cure = not_valid(fit[0], when), SEE_BOUNDS
    else:
        text, cure = f"signed by {len(valid)} of {threshold} keys", "let the others sign too"
    raise UnknownKeyError(text, where=where, cure=cure)
