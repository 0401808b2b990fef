# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Asking timestamp authorities over HTTP (RFC 3161 3.4): the only network client of evidence.

Bounded in time, bytes and number at once. An authority that fails three times in a row is not
asked again in this round. Whatever goes wrong is one sentence beside the authority's URL.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
from cryptography import x509

from wavegate import clock
from wavegate.evidence.timestamp import (
    MAX_TOKEN,
    Answer,
    Question,
    TimestampError,
    Token,
    ask_for,
    check_nonce,
    read_token,
    verify_token,
)

WITHIN = timedelta(seconds=10)
AT_ONCE = 4
GIVE_UP_AFTER = 3
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


def stamp(
    payloads: Sequence[bytes],
    urls: Sequence[str],
    roots: tuple[x509.Certificate, ...] = (),
    *,
    within: timedelta = WITHIN,
) -> tuple[tuple[Answer, ...], ...]:
    """Ask every authority for a token over each payload; the answers per payload, in their order.

    roots: with any, a token counts only if its chain ends there. within: the time for one answer.
    """
    if not payloads or not urls:
        return tuple(() for _ in payloads)
    return asyncio.run(_stamp(payloads, urls, roots, within))


@dataclass(slots=True, kw_only=True)
class _Desk:
    """One authority in one round."""

    url: str
    session: aiohttp.ClientSession
    roots: tuple[x509.Certificate, ...]
    within: timedelta
    failed: int = 0
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def ask(self, payload: bytes) -> Answer:
        """Its answer, or why there is none."""
        async with self.gate:
            if self.failed >= GIVE_UP_AFTER:
                return self._no(f"not asked again after {GIVE_UP_AFTER} failures in a row")
            question = ask_for(payload)
            sent = clock.now()
            try:
                raw = await self._post(question.raw)
                token = _check(raw, payload, question, self.roots)
            except TimestampError as error:
                self.failed += 1
                return self._no(error.message)
            self.failed = 0
            off = _off(token, sent, clock.now())
            return Answer(url=self.url, raw=raw, token=token, off=off)

    def _no(self, text: str) -> Answer:
        return Answer(url=self.url, problem=f"{self.url}: {text}")

    async def _post(self, data: bytes) -> bytes:
        seconds = self.within.total_seconds()
        try:
            async with (
                asyncio.timeout(seconds),
                self.session.post(self.url, data=data, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise TimestampError(f"it answered with HTTP status {response.status}")
                return await _body(response)
        except TimeoutError as error:
            raise TimestampError(f"no whole answer within {seconds:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise TimestampError(f"it cannot be asked: {text}") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    data = b""
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > MAX_TOKEN:
            raise TimestampError(f"it answered with more than {MAX_TOKEN} bytes")
    return data


async def _stamp(
    payloads: Sequence[bytes],
    urls: Sequence[str],
    roots: tuple[x509.Certificate, ...],
    within: timedelta,
) -> tuple[tuple[Answer, ...], ...]:
    headers = {"Content-Type": QUERY, "Accept": REPLY}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        desks = [_Desk(url=url, session=session, roots=roots, within=within) for url in urls]
        asked = [asyncio.gather(*(desk.ask(payload) for desk in desks)) for payload in payloads]
        return tuple(tuple(answers) for answers in await asyncio.gather(*asked))


def _check(
    raw: bytes, payload: bytes, question: Question, roots: tuple[x509.Certificate, ...]
) -> Token:
    if roots:
        return verify_token(raw, payload, roots, nonce=question.nonce)
    token = read_token(raw, payload)
    check_nonce(raw, question.nonce)
    return token


def _off(token: Token, sent: datetime, got: datetime) -> timedelta:
    """How far ahead (or behind, negative) its clock is of ours at least."""
    if token.at - token.accuracy > got:
        return token.at - token.accuracy - got
    if token.at + token.accuracy < sent:
        return token.at + token.accuracy - sent
    return timedelta()
