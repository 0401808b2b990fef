# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.tiny_http import Got, Say, TinyHttp
from tests.builders.tiny_tsa import REPLY, WITH_OPENSSL, Tsa

from wavegate.evidence.authorities import load_roots
from wavegate.evidence.timestamp import MAX_TOKEN, verify_token
from wavegate.evidence.timestamp_client import GIVE_UP_AFTER, stamp

pytestmark = WITH_OPENSSL
PAYLOAD = b"payload"
SHORT = timedelta(seconds=0.3)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    """An authority."""
    return Tsa.make(tmp_path_factory.mktemp("tsa") / "tsa")


def problem_of(answer: Callable[[Got], Say], roots_of: Tsa | None = None) -> str:
    """The one sentence about an authority that answers so."""
    roots = load_roots([roots_of.root]).roots if roots_of else ()
    with TinyHttp(answer) as server:
        ((found,),) = stamp([PAYLOAD], [server.url], roots, within=SHORT)
        problem = found.problem or ""
        assert (None, True) == (found.raw, problem.startswith(server.url))
    assert "\n" not in problem
    return problem


def test_two_authorities(tsa: Tsa, tmp_path: Path) -> None:
    """Each is asked about each payload; the answers come in the order of payloads and policy."""
    other = Tsa.make(tmp_path / "other", name="other")
    with tsa.serve() as first, other.serve() as second:
        rows = stamp([b"a", b"b"], [first.url, second.url])
    assert [["tsa", "other"]] * 2 == [[a.token.authority for a in row if a.token] for row in rows]
    for payload, row in zip([b"a", b"b"], rows, strict=True):
        for answer, who in zip(row, (tsa, other), strict=True):
            verify_token(answer.raw or b"", payload, load_roots([who.root]).roots)
            assert timedelta() == answer.off


def test_one_of_two_is_down(tsa: Tsa) -> None:
    """The other one's token counts; what is wrong with the first is told."""
    with TinyHttp(lambda _: Say()) as gone:
        url = gone.url
    with tsa.serve() as server:
        ((down, up),) = stamp([PAYLOAD], [url, server.url], within=SHORT)
    assert (True, True) == ("cannot be asked" in (down.problem or ""), up.token is not None)


def test_garbage() -> None:
    """An answer that is no timestamp."""
    told = problem_of(lambda _: Say(b"<html>sign in</html>", kind="text/html"))
    assert "no RFC 3161 answer" in told


def test_error_and_redirect(tsa: Tsa) -> None:
    """A status other than 200; a redirect is not followed, it could lead anywhere."""
    assert "HTTP status 503" in problem_of(lambda _: Say(b"busy", status=503))
    with tsa.serve() as real:
        away = Say(status=307, headers={"Location": real.url})
        assert "HTTP status 307" in problem_of(lambda _: away)
        assert [] == real.got


def test_never() -> None:
    """An authority that never answers costs no more than the time that was given."""
    over = threading.Event()

    def answer(_: Got) -> Say:
        over.wait(20)
        return Say()

    def release(text: str) -> str:
        over.set()
        return text

    with TinyHttp(answer) as server:
        ((found,),) = stamp([PAYLOAD], [server.url], within=SHORT)
        assert "no whole answer within 0.3 s" in release(found.problem or "")


def test_drop_by_drop() -> None:
    """The time is for the whole answer: a byte now and then does not stretch it."""
    over = threading.Event()

    def drops() -> Iterator[bytes]:
        while not over.wait(0.05):
            yield b"0"

    told = problem_of(lambda _: Say(kind=REPLY, pieces=drops))
    over.set()
    assert "no whole answer within" in told


def test_endless() -> None:
    """An answer without end is cut off at the size that no token has."""

    def pieces() -> Iterator[bytes]:
        for _ in range(1_000):
            yield b"0" * 10_000

    assert f"more than {MAX_TOKEN} bytes" in problem_of(lambda _: Say(kind=REPLY, pieces=pieces))


def test_replayed_answer(tsa: Tsa) -> None:
    """A token over the same bytes, but given earlier to somebody else: the nonce tells."""
    old = tsa.stamp(PAYLOAD)
    assert "another request" in problem_of(lambda _: Say(old, kind=REPLY))
    assert "another request" in problem_of(lambda _: Say(old, kind=REPLY), tsa)


def test_unknown_authority(tsa: Tsa, tmp_path: Path) -> None:
    """With a root in hand, the token of another authority is not kept."""
    other = Tsa.make(tmp_path / "other")
    assert "no valid timestamp" in problem_of(tsa.answer, other)


def test_dead_authority_is_given_up(tsa: Tsa) -> None:
    """After some failures in a row it is not asked again: many captures do not wait for it."""
    with TinyHttp(lambda _: Say(status=500)) as dead, tsa.serve() as alive:
        rows = stamp([b"%d" % n for n in range(20)], [dead.url, alive.url])
        assert GIVE_UP_AFTER <= len(dead.got) < GIVE_UP_AFTER + 4
        assert 20 == len(alive.got)
    assert [True] * 20 == [row[1].token is not None for row in rows]
    assert "not asked again" in (rows[-1][0].problem or "")


def test_nothing_to_ask() -> None:
    """Without authorities, or payloads, nobody is asked."""
    assert ((), ()) == stamp([b"a", b"b"], [])
    assert () == stamp([], ["http://127.0.0.1:1"])
