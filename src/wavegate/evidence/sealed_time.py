# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the trusted timestamps of a bundle prove: when it was sealed, when captures existed.

A token over something else, or by nobody under the roots in hand, is refused. A capture whose
required token is missing, or on the wrong side of the window, is a Doubt. Without a root from
outside, tokens are read and prove nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wavegate.clock import format_instant
from wavegate.errors import InvalidError
from wavegate.estate.model import Estate
from wavegate.evidence.authorities import Authorities
from wavegate.evidence.envelope import SEE_BOUNDS, not_valid, read_unverified
from wavegate.evidence.manifest import SEAL
from wavegate.evidence.sealed import Sealed
from wavegate.evidence.sealed_claims import Claim
from wavegate.evidence.sealed_records import Doubt, Records
from wavegate.evidence.stamp_shelf import STAMPS, envelope_of, stamp_of
from wavegate.evidence.timestamp import TimestampError, Token, read_token, verify_token
from wavegate.evidence.trust import Trust
from wavegate.evidence.verdicts import Attempt, Verdicts
from wavegate.record.stamp import Stamp

_RECORDS = "records/"
_GIVE_ROOT = "the root certificate of its authority was not given (--tsa-root)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTime:
    """What is proven of time.

    at: when an authority saw the seal, None where that is not proven. tokens: how many there are.
    bare: the signed records that no authority saw by themselves.
    """

    at: datetime | None
    tokens: int
    bare: tuple[Claim, ...]
    proven: tuple[str, ...]
    unproven: tuple[str, ...]
    problems: tuple[str, ...]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Captured:
    """The timestamps over captures. vouched: by an authority under a root in hand.

    places: the captures that have such a one.
    """

    stamps: tuple[Stamp, ...]
    vouched: frozenset[str]
    places: frozenset[str]


def read_time(
    sealed: Sealed,
    records: Records,
    verdicts: Verdicts,
    estate: Estate,
    *,
    trust: Trust | None,
    authorities: Authorities,
) -> SealedTime:
    """Check every token of a bundle. Raises InvalidError."""
    roots = authorities.roots
    own = _vouched(sealed.tokens, sealed.payload, roots)
    _check_keys(sealed.keyids, tuple(own.values()), trust, SEAL)
    captured = _captured(sealed, records, roots, trust)
    first = min(own.values(), key=lambda token: token.at, default=None)
    return SealedTime(
        at=first.at if first else None,
        tokens=len(sealed.tokens) + len(captured.stamps),
        bare=tuple(claim for claim in records.claims if claim.where not in captured.places),
        proven=tuple(_proven(first, verdicts, captured)),
        unproven=tuple(_unproven(own, sealed, verdicts, captured)),
        problems=tuple(_problems(sealed, proven=first is not None)),
        doubts=tuple(_doubts(verdicts, estate, captured)),
    )


def _vouched(
    tokens: Mapping[str, bytes], payload: bytes, roots: tuple[x509.Certificate, ...]
) -> dict[str, Token]:
    """The tokens over a payload by an authority under a root.

    Raises TimestampError for one over something else, and where roots are given and none is.
    """
    for name, raw in tokens.items():
        read_token(raw, payload, where=name)
    found: dict[str, Token] = {}
    wrong: list[TimestampError] = []
    for name, raw in tokens.items() if roots else ():
        try:
            found[name] = verify_token(raw, payload, roots, where=name)
        except TimestampError as error:
            wrong.append(error)
    if wrong and not found:
        raise wrong[0]
    return found


def _captured(
    sealed: Sealed, records: Records, roots: tuple[x509.Certificate, ...], trust: Trust | None
) -> _Captured:
    claims = {claim.where: claim for claim in records.claims}
    groups: dict[str, dict[str, bytes]] = {}
    for name in sealed.under(f"{_RECORDS}{STAMPS}/"):
        groups.setdefault(_place(name, claims), {})[name] = sealed.small[name]
    stamps: list[Stamp] = []
    vouched: set[str] = set()
    places: set[str] = set()
    for place, tokens in groups.items():
        payload = read_unverified(sealed.small[place])
        good = _vouched(tokens, payload, roots)
        _check_keys(claims[place].keyids, tuple(good.values()), trust, place)
        vouched |= set(good)
        places |= {place} if good else set()
        for name, raw in tokens.items():
            stamps.append(stamp_of(name, claims[place].record, read_token(raw, payload)))
    return _Captured(stamps=tuple(stamps), vouched=frozenset(vouched), places=frozenset(places))


def _place(name: str, claims: Mapping[str, Claim]) -> str:
    envelope = envelope_of(name.removeprefix(_RECORDS))
    place = f"{_RECORDS}{envelope}"
    if envelope is None or place not in claims:
        raise InvalidError("a timestamp of no capture that is here", where=name)
    return place


def _check_keys(
    keyids: tuple[str, ...], tokens: tuple[Token, ...], trust: Trust | None, where: str
) -> None:
    """A key that had expired or was revoked when an authority saw its signature does not count."""
    if trust is None or not tokens:
        return
    for found in (trust.find(keyid) for keyid in keyids):
        if found is not None and not any(found.valid_at(token.at) for token in tokens):
            text = f"{not_valid(found, tokens[0].at)}; {tokens[0].authority} stamped it then"
            raise InvalidError(text, where=where, cure=SEE_BOUNDS)


def _problems(sealed: Sealed, *, proven: bool) -> Iterator[str]:
    if not sealed.statement.predicate.timestamps_required or proven:
        return
    if sealed.tokens:
        yield f"a trusted timestamp was required for this run, and {_GIVE_ROOT}"
    else:
        yield "a trusted timestamp was required for this run, and there is none"


def _used(verdicts: Verdicts) -> Iterator[tuple[str, Attempt]]:
    for instance, attempts in verdicts.attempts.items():
        yield from ((instance, attempt) for attempt in attempts if attempt.used)


def _supported(verdicts: Verdicts, attempt: Attempt, stamps: Iterable[Stamp]) -> bool:
    mine = [stamp for stamp in stamps if stamp.record == attempt.digest]
    window = verdicts.window
    if window is None:
        return bool(mine)
    return any(stamp.supports(attempt.phase, window.start, window.end) for stamp in mine)


def _doubts(verdicts: Verdicts, estate: Estate, captured: _Captured) -> Iterator[Doubt]:
    """Captures that a token contradicts, or that lack the token that was agreed to be required."""
    window = verdicts.window
    if window is None:
        return  # timestamps do not bind a night (design, "Nightly")
    known = {instance.name: instance for instance in estate.instances}
    for name, attempt in _used(verdicts):
        instance = known.get(name)
        demand = instance and estate.policy.timestamps_for(instance.environment)
        if _supported(verdicts, attempt, captured.stamps):
            continue
        wrong = [
            stamp
            for stamp in captured.stamps
            if stamp.record == attempt.digest
            and stamp.contradicts(attempt.phase, window.start, window.end)
        ]
        if wrong and (attempt.phase == "after" or demand == "required"):
            text = f"{attempt.phase} was stamped at {format_instant(wrong[0].at)}, on the wrong "
            text += "side of the window"
            yield Doubt(instance=name, where=f"{_RECORDS}{wrong[0].name}", text=text)
        elif demand == "required":
            text = f"{attempt.phase} {attempt.digest[:12]} has not the timestamp that was required"
            yield Doubt(instance=name, where=f"{_RECORDS}{STAMPS}", text=text)


def _proven(first: Token | None, verdicts: Verdicts, captured: _Captured) -> Iterator[str]:
    if first is not None:
        yield f"The seal existed by {first}."
    good = [stamp for stamp in captured.stamps if stamp.name in captured.vouched]
    used = [attempt for _, attempt in _used(verdicts)]
    count = sum(_supported(verdicts, attempt, good) for attempt in used)
    if count:
        names = ", ".join(sorted({stamp.authority for stamp in good}))
        yield (
            f"{count} of the {len(used)} captures that count carry a trusted timestamp, by {names}"
            + ("; each such `before` existed before the window opened." if verdicts.wave else ".")
        )


def _unproven(
    own: Mapping[str, Token], sealed: Sealed, verdicts: Verdicts, captured: _Captured
) -> Iterator[str]:
    if not (sealed.tokens or captured.stamps):
        yield "When anything was signed: no trusted timestamp is here, only the signer's own clock."
        return
    if not own:
        why = _GIVE_ROOT if sealed.tokens else "it has no trusted timestamp"
        yield f"When it was sealed: {why}."
    good = [stamp for stamp in captured.stamps if stamp.name in captured.vouched]
    left = sum(not _supported(verdicts, attempt, good) for _, attempt in _used(verdicts))
    if left:
        why = _GIVE_ROOT if captured.stamps and not good else "no trusted timestamp bears them out"
        yield f"When {left} of the captures that count were taken: {why}."
    odd = len(sealed.tokens) + len(captured.stamps) - len(own) - len(captured.vouched)
    if odd and (own or good):
        yield f"What {odd} other timestamps say: no root in hand is theirs."
