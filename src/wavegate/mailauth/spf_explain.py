# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""check_host for one client, with the explanation that a failing sender is shown (RFC 7208 6.2)."""

from dataclasses import dataclass

from wavegate.answer import Lookup
from wavegate.mailauth import spf_record
from wavegate.mailauth.spf import evaluate_client, scope_of, texts
from wavegate.mailauth.spf_macro import Depends, Scope, Sender, expand, to_name, well_formed
from wavegate.mailauth.spf_record import Record, Result
from wavegate.mailauth.spf_result import Piece, Voids


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result for one client. explanation: the domain's own text, None for the default."""

    result: Result
    piece: Piece
    explanation: str | None


def check_host(sender: Sender, lookup: Lookup, *, voids: Voids = Voids.PER_QUESTION) -> Check:
    """The result for the client of a sender, taken from the evaluation over sets.

    Raises ValueError where the sender has no client address.
    """
    pieces = evaluate_client(sender, lookup, voids=voids).pieces
    piece = pieces[0]
    text = _explanation(piece, sender, lookup) if piece.result is Result.FAIL else None
    return Check(result=piece.result, piece=piece, explanation=text)


def _explanation(piece: Piece, sender: Sender, lookup: Lookup) -> str | None:
    """The text behind `exp` of the record that decided; an include's own is ignored."""
    path, through = piece.because.path, piece.because.through
    redirected = 0
    while redirected < len(through) and through[redirected].startswith("redirect="):
        redirected += 1
    owner = path[redirected]
    chosen = spf_record.choose(texts(lookup(owner, "TXT")))
    record = spf_record.parse(chosen[0]) if chosen else None
    if not isinstance(record, Record) or record.explanation is None:
        return None
    scope = scope_of(sender, owner, lookup)
    target = expand(record.explanation, scope)
    name = None if isinstance(target, Depends) else to_name(target)
    found = () if name is None else texts(lookup(name, "TXT"))
    return _expanded(found[0], scope) if len(found) == 1 else None


def _expanded(text: bytes, scope: Scope) -> str | None:
    if not all(0x20 <= octet <= 0x7E for octet in text):
        return None
    plain = text.decode("ascii")
    if not well_formed(plain, explanation=True):
        return None
    expanded = expand(plain, scope)
    return None if isinstance(expanded, Depends) else expanded
