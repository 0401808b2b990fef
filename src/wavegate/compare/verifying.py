# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Verifying the DKIM signatures of a received mail, whole or kept as header and hashes."""

from wavegate.mailauth.dkim import Hashes, KeyOf, Verified, verify
from wavegate.record.message import Received, SignedPart


def verify_received(mail: Received, key_of: KeyOf) -> tuple[Verified, ...]:
    """Every signature of a mail, as `mailauth.dkim.verify` finds it. Never raises."""
    if mail.gist is None or mail.gist.whole:
        return verify(mail.raw, key_of, mail.ended)
    kept = tuple(None if part is None else _hashes(part) for part in mail.gist.signed)
    return verify(mail.raw, key_of, mail.ended, kept=kept)


def _hashes(part: SignedPart) -> Hashes:
    return Hashes(
        octets=part.octets,
        body=bytes.fromhex(part.body),
        head=None if part.head is None else bytes.fromhex(part.head),
    )
