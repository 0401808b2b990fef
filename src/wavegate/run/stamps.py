# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Trusted timestamps for captures and seals: asked of every authority that the policy names.

Tokens are kept as they came. That one is missing costs neither the record nor the decision: it is
told, and `sound_evidence` and `verify` say what it means.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wavegate.errors import InternalError
from wavegate.evidence.authorities import Authorities
from wavegate.evidence.bundle import add_tokens
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.manifest import SEAL, SEAL_TOKENS
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.stamp_shelf import stamp_of, token_name
from wavegate.evidence.statement import read
from wavegate.evidence.timestamp import Answer
from wavegate.record.stamp import Stamp
from wavegate.record.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What the authorities said to one capture. problems: a sentence for each that gave none."""

    stamps: tuple[Stamp, ...] = ()
    problems: tuple[str, ...] = ()


def stamp_captures(
    store: Store,
    places: Sequence[str],
    urls: Sequence[str],
    known: Authorities,
    say: Callable[[str], None],
) -> tuple[Stamped, ...]:
    """Ask for tokens over the signed captures at these places and keep them beside them."""
    if not urls or not places:
        return tuple(Stamped() for _ in places)
    from wavegate.evidence.timestamp_client import stamp  # noqa: PLC0415 - takes half a second

    say(f"asking {len(urls)} timestamp authorities about {len(places)} captures")
    payloads = [read_unverified(store.read(place)) for place in places]
    answers = stamp(payloads, urls, known.roots)
    _tell([answer for row in answers for answer in row], say)
    rows = zip(places, payloads, answers, strict=True)
    return tuple(_keep(store, place, payload, row) for place, payload, row in rows)


def _keep(store: Store, place: str, payload: bytes, answers: Sequence[Answer]) -> Stamped:
    record = read(payload, RecordPredicate).only_digest()
    stamps: list[Stamp] = []
    problems: list[str] = []
    for number, answer in enumerate(answers, 1):
        if answer.raw is None or answer.token is None:
            problems.append(answer.problem or f"{answer.url}: no token")
            continue
        name = token_name(place, number)
        store.create(name, answer.raw)
        stamps.append(stamp_of(name, record, answer.token))
    return Stamped(stamps=tuple(stamps), problems=tuple(problems))


def stamp_seal(
    folder: Path,
    urls: Sequence[str],
    known: Authorities,
    say: Callable[[str], None],
    *,
    required: bool,
) -> int:
    """Put tokens over a bundle's seal beside it; how many there are."""
    answers: tuple[Answer, ...] = ()
    if urls:
        from wavegate.evidence.timestamp_client import stamp  # noqa: PLC0415 - as above

        payload = read_unverified((folder / SEAL).read_bytes())
        (answers,) = stamp([payload], urls[: len(SEAL_TOKENS)], known.roots)
    _tell(answers, say)
    tokens = [answer.raw for answer in answers if answer.raw is not None]
    if required and not tokens:
        say("the seal has not the trusted timestamp that is required: verify will end with 3")
    try:
        add_tokens(folder, tokens)
    except OSError as error:
        raise InternalError(f"a token cannot be written: {error.strerror}") from error
    return len(tokens)


def _tell(answers: Sequence[Answer], say: Callable[[str], None]) -> None:
    """Each kind of trouble once."""
    for problem in dict.fromkeys(answer.problem for answer in answers if answer.problem):
        say(f"no timestamp: {problem}")
    for url, off in {answer.url: answer.off for answer in answers if answer.off}.items():
        side = "ahead of" if off.total_seconds() > 0 else "behind"
        say(f"{url}: its clock is {abs(off.total_seconds()):g} s {side} ours")
