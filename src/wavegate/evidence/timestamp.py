# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 timestamps: what to ask, what a token says, and whether a trusted authority said it.

No network here; `timestamp_client` asks. The imprint is the SHA-256 of the bytes that were signed
(the payload), never of a signature or an envelope, which have twins.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rfc3161_client import (
    Accuracy,
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    TimeStampTokenInfo,
    VerifierBuilder,
    decode_timestamp_response,
)

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.errors import InvalidError

T = TypeVar("T")
MAX_TOKEN = 64 << 10
"""A token with the certificates of its authority has 1 to 10 kB."""
SHA256 = "2.16.840.1.101.3.4.2.1"
STRONG = frozenset({SHA256, "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3"})
UNSTATED = timedelta(seconds=1)
"""The accuracy of a token that states none: genTime may be cut to whole seconds."""
_CURE = "get the token again, or ask another authority"


class TimestampError(InvalidError):
    """A token that is none, is over something else, or is not by a trusted authority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request. raw: DER, to be posted. nonce: what the answer must repeat."""

    raw: bytes
    nonce: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a token says. policy: the authority's, as a dotted number. serial: its number there."""

    at: datetime
    accuracy: timedelta
    authority: str
    policy: str
    serial: int

    def __str__(self) -> str:
        seconds = self.accuracy.total_seconds()
        return f"{format_instant(self.at)} (within {seconds:g} s), says {self.authority}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an authority said. url: its own. raw, token: what is kept; None with a problem.

    off: how far its clock is from ours, at least; zero where they may agree.
    """

    url: str
    raw: bytes | None = field(default=None, repr=False)
    token: Token | None = None
    problem: str | None = None
    off: timedelta = timedelta()


def ask_for(payload: bytes) -> Question:
    """A request for a token over the SHA-256 of a payload, with a nonce and certificates."""
    builder = TimestampRequestBuilder().data(payload).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    return Question(raw=request.as_bytes(), nonce=request.nonce)


def read_token(raw: bytes, payload: bytes, *, where: str | None = None) -> Token:
    """What a token over a payload says; who said it is not shown (see `verify_token`).

    Raises TimestampError where it is no token, not granted, over other bytes, by a weak hash, or
    by a certificate that may not stamp or had expired.
    """
    with _refusing(where):
        response = _decode(raw)
        info = response.tst_info
        _check_imprint(info, payload)
        signer = _signer(response)
        _check_signer(signer, info.gen_time)
        return Token(
            at=info.gen_time,
            accuracy=_accuracy(info),
            authority=_name(signer),
            policy=info.policy.dotted_string,
            serial=info.serial_number,
        )


def verify_token(
    raw: bytes,
    payload: bytes,
    roots: tuple[x509.Certificate, ...],
    *,
    nonce: int | None = None,
    where: str | None = None,
) -> Token:
    """What a token says, once its signature and chain to one of the roots hold at its instant.

    nonce: of the request, on receipt. Raises TimestampError.
    """
    token = read_token(raw, payload, where=where)
    with _refusing(where):
        response = _decode(raw)
        _check_nonce(response, nonce)
        builder = VerifierBuilder(roots=list(roots))
        builder.build().verify_message(response, payload)
    return token


def check_nonce(raw: bytes, nonce: int | None, *, where: str | None = None) -> None:
    """Whether a token answers this very request. Raises TimestampError."""
    with _refusing(where):
        _check_nonce(_decode(raw), nonce)


def _check_nonce(response: TimeStampResponse, nonce: int | None) -> None:
    if nonce is not None and response.tst_info.nonce != nonce:
        raise ValueError("the token answers another request (nonce)")


@contextmanager
def _refusing(where: str | None) -> Iterator[None]:
    """One sentence for whatever a decoder makes of hostile bytes."""
    try:
        yield
    except TimestampError:
        raise
    except Exception as error:  # the decoders raise many kinds on hostile bytes
        text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise TimestampError(f"no valid timestamp: {text}", where=where, cure=_CURE) from error


def _decode(raw: bytes) -> TimeStampResponse:
    if len(raw) > MAX_TOKEN:
        raise ValueError(f"larger than {MAX_TOKEN} bytes")
    response = _or(lambda: decode_timestamp_response(raw), "this is no RFC 3161 answer")
    if response.status != PKIStatus.GRANTED:
        said = "; ".join(response.status_string) or f"status {response.status}"
        raise ValueError(f"the authority refused: {said}")
    return response


def _or(look: Callable[[], T], text: str) -> T:
    try:
        return look()
    except ValueError as error:
        raise ValueError(text) from error


def _check_imprint(info: TimeStampTokenInfo, payload: bytes) -> None:
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != SHA256:
        raise ValueError(f"its hash is {imprint.hash_algorithm.dotted_string}, not SHA-256")
    if imprint.message.hex() != digest(payload):
        raise ValueError("it is the timestamp of something else")


def _signer(response: TimeStampResponse) -> x509.Certificate:
    """The certificate in the token that its one signature names."""
    signed = response.signed_data
    weak = {found.dotted_string for found in signed.digest_algorithms} - STRONG
    if weak:
        raise ValueError(f"it is signed over a weak hash ({min(weak)})")
    signers = list(signed.signer_infos)
    if len(signers) != 1:
        raise ValueError(f"{len(signers)} signatures where a token has one")
    named = (signers[0].issuer, signers[0].serial_number)
    for data in signed.certificates:
        found = x509.load_der_x509_certificate(data)
        if (found.issuer, found.serial_number) == named:
            return found
    raise ValueError("it does not hold the certificate of its authority")


def _check_signer(signer: x509.Certificate, at: datetime) -> None:
    """RFC 3161 2.3: one purpose, critical; valid when it stamped."""
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise ValueError("its certificate is not for timestamps") from error
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ValueError("its certificate is not for timestamps alone (critical timeStamping)")
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        raise ValueError(
            f"its certificate had expired, or was not yet valid, at {format_instant(at)}"
        )


def _accuracy(info: TimeStampTokenInfo) -> timedelta:
    found: Accuracy | None = info.accuracy  # optional in RFC 3161 2.4.2
    if found is None:
        return UNSTATED
    return timedelta(
        seconds=found.seconds or 0, milliseconds=found.millis or 0, microseconds=found.micros or 0
    )


def _name(signer: x509.Certificate) -> str:
    """The authority's common name, or its whole name; in plain letters."""
    common = signer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(common[0].value) if common else signer.subject.rfc4514_string()
    return text.encode("ascii", "backslashreplace").decode("ascii")[:200]
