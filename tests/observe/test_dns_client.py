# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The DNS client over real sockets: what counts as an answer, and what is only silence."""

import asyncio
import socket
from collections.abc import Sequence

import dns.message
import dns.name
import pytest
from tests.builders.tiny_dns import Handler, TinyDns, Transport, reply

from wavegate.errors import InternalError
from wavegate.observe.dns_client import SILENT_AFTER, DnsClient, DnsLimits, Heard
from wavegate.observe.dns_wire import Question, outcome, rcode
from wavegate.observe.routes import NoRouteError, raise_if_ours
from wavegate.record.observation import Absent, Outcome, Seen, Unreachable

PATIENT = DnsLimits(timeout=5, tries=2)
HASTY = DnsLimits(timeout=0.05, tries=2)
ASKED = Question(dns.name.from_text("news.acme.example."), "TXT")
TEXT = 'news.acme.example. TXT "v=spf1 -all"'


def ask(
    handler: Handler, *, limits: DnsLimits = PATIENT, tcp: bool = True, recursion: bool = False
) -> tuple[Heard, list[str]]:
    """One question to a scripted server."""

    async def one(server: str) -> Heard:
        async with DnsClient(limits) as client:
            return await client.ask(server, ASKED, recursion=recursion)

    with TinyDns(handler, tcp=tcp) as world:
        return asyncio.run(one(world.server)), world.asked


def result(heard: Heard, role: str = "authoritative") -> Outcome:
    """The outcome without its bytes."""
    if heard.wire is None or heard.failure:
        return Unreachable(heard.failure or "")
    found = outcome(heard.wire, role)
    return type(found)(found.reason) if isinstance(found, Absent | Unreachable) else Seen(b"")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ({"answers": (TEXT,)}, Seen(b"")),
        ({}, Absent("NODATA")),
        ({"rcode": "NXDOMAIN"}, Absent("NXDOMAIN")),
        ({"rcode": "SERVFAIL"}, Unreachable("SERVFAIL")),
        ({"rcode": "REFUSED", "flags": ""}, Unreachable("REFUSED")),
        ({"rcode": "NOTIMP"}, Unreachable("NOTIMP")),
        ({"flags": ""}, Unreachable("lame")),
        ({"flags": "", "answers": (TEXT,)}, Unreachable("lame")),
        ({"flags": "", "rcode": "NXDOMAIN"}, Unreachable("lame")),
        ({"flags": "", "authority": ("acme.example. NS ns.other.example.",)}, Unreachable("lame")),
    ],
)
def test_each_answer_has_its_outcome(made: dict[str, object], expected: Outcome) -> None:
    """An absence needs a responsible server; everything else that is no answer is unreachable."""
    answers = made.pop("answers", ())
    heard, _ = ask(lambda query, _: reply(query, *answers, **made))  # type: ignore[arg-type, misc] # a table of keyword arguments
    assert result(heard) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ({"flags": "RA"}, Absent("NODATA")),
        ({"flags": "RA", "rcode": "NXDOMAIN"}, Absent("NXDOMAIN")),
        ({"flags": "RA", "authority": ("example. NS ns.example.",)}, Unreachable("lame")),
    ],
)
def test_a_resolver_needs_no_aa(made: dict[str, object], expected: Outcome) -> None:
    """A resolver looked it up, so its absence counts; a referral shows that it did not."""
    heard, _ = ask(lambda query, _: reply(query, **made), recursion=True)  # type: ignore[arg-type] # a table of keyword arguments
    assert result(heard, "resolver") == expected


def test_recursion_is_desired_of_resolvers_only() -> None:
    """An authoritative server is asked without RD, a resolver with it; both with EDNS 1232."""
    seen: list[tuple[bool, int]] = []

    def remember(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        seen.append((bool(query.flags & dns.flags.RD), query.payload))
        return reply(query)

    ask(remember)
    ask(remember, recursion=True)
    assert seen == [(False, 1232), (True, 1232)]


def test_silence_is_a_timeout_after_bounded_tries() -> None:
    """A lost datagram is retried, a silent server is left after the tries."""
    heard, asked = ask(lambda *_: None, limits=HASTY)
    assert (heard.failure, heard.tries, len(asked)) == ("timeout", 2, 2)


def test_one_lost_datagram_changes_nothing() -> None:
    """Ordinary loss is settled by the retry."""
    count = iter(range(9))

    def lossy(query: dns.message.Message, transport: Transport) -> bytes | None:
        del transport
        return None if next(count) == 0 else reply(query, TEXT)

    heard, _ = ask(lossy, limits=DnsLimits(timeout=0.2, tries=9))
    assert result(heard) == Seen(b"")


def forged(query: dns.message.Message, wire: bytes) -> Sequence[bytes]:
    """Datagrams that must not count, before the one that must."""
    other = dns.message.make_query("other.example.", "TXT")
    other.id = query.id
    wrong_id = bytes([wire[0] ^ 1]) + wire[1:]
    question_back = query.to_wire()
    return (b"", b"\x00", b"garbage", wrong_id, reply(other), question_back, wire)


def test_forged_and_late_answers_never_count() -> None:
    """Garbage, another id, another question, an echoed query: all ignored, the true one taken."""
    heard, _ = ask(lambda query, _: forged(query, reply(query, TEXT)))
    assert (result(heard), heard.ignored) == (Seen(b""), 6)


def test_only_forgeries_are_silence() -> None:
    """Without the true answer the outcome is a timeout, and tells of what was ignored."""
    heard, _ = ask(lambda query, _: forged(query, reply(query))[2:5], limits=HASTY)
    assert (heard.failure, heard.ignored) == ("timeout", 6)


def test_letter_case_does_not_matter() -> None:
    """A server that echoes the question in other letters answers it."""

    def shouting(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        return reply(query, TEXT).replace(b"news\x04acme", b"NeWs\x04aCmE")

    heard, _ = ask(shouting)
    assert result(heard) == Seen(b"")


def test_truncation_is_completed_over_tcp() -> None:
    """TC over UDP leads to TCP, whose bytes are kept."""

    def big(query: dns.message.Message, transport: Transport) -> bytes:
        return reply(query, flags="AA TC") if transport == "udp" else reply(query, TEXT)

    heard, asked = ask(big)
    assert (result(heard), heard.transport, len(asked)) == (Seen(b""), "tcp", 2)


def test_truncation_without_tcp_is_unreachable() -> None:
    """Half an answer is none; the truncated bytes are kept."""
    heard, _ = ask(lambda query, _: reply(query, flags="AA TC"), tcp=False)
    assert (heard.failure, heard.wire is not None) == ("truncated, no TCP", True)


def test_tcp_that_says_nothing_is_unreachable() -> None:
    """A connection that is closed without an answer is no TCP."""

    def shy(query: dns.message.Message, transport: Transport) -> bytes | None:
        return reply(query, flags="AA TC") if transport == "udp" else None

    heard, _ = ask(shy)
    assert heard.failure == "truncated, no TCP"


def test_formerr_is_retried_without_edns() -> None:
    """An old server that knows no EDNS still answers."""

    def old(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        return reply(query, rcode="FORMERR") if query.edns >= 0 else reply(query, TEXT)

    heard, asked = ask(old)
    assert (result(heard), heard.edns, len(asked)) == (Seen(b""), False, 2)


def test_formerr_twice_is_told() -> None:
    """A server that never understands is unreachable with its own word."""
    heard, _ = ask(lambda query, _: reply(query, rcode="FORMERR"))
    assert result(heard) == Unreachable("FORMERR")


def test_an_error_without_a_question_counts() -> None:
    """REFUSED may come without the question; NOERROR may not."""

    def bare(code: bytes) -> Handler:
        return lambda query, _: query.id.to_bytes(2, "big") + b"\x80" + code + b"\0" * 8

    heard, _ = ask(bare(b"\x05"))
    assert heard.wire is not None
    assert rcode(heard.wire) == 5
    heard, _ = ask(bare(b"\x00"), limits=HASTY)
    assert heard.failure == "timeout"


def test_a_closed_port_is_refused() -> None:
    """Nobody listening is told apart from silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{taken.getsockname()[1]}"

    async def one() -> Heard:
        async with DnsClient(HASTY) as client:
            return await client.ask(server, ASKED, recursion=False)

    assert asyncio.run(one()).failure == "connection refused"


def test_a_silent_server_gets_fewer_datagrams() -> None:
    """After six unanswered questions each further one costs one datagram, not all tries."""

    async def many(server: str) -> list[int]:
        async with DnsClient(DnsLimits(timeout=0.02, tries=3)) as client:
            count = SILENT_AFTER + 2
            return [(await client.ask(server, ASKED, recursion=False)).tries for _ in range(count)]

    with TinyDns(lambda *_: None) as world:
        assert asyncio.run(many(world.server)) == [3] * SILENT_AFTER + [1, 1]


def test_many_questions_share_one_socket() -> None:
    """Hundreds of questions in flight are told apart by id; idle sockets are given back."""

    async def many(server: str) -> set[str]:
        async with DnsClient(DnsLimits(timeout=5, sockets=0)) as client:
            names = [dns.name.from_text(f"n{i}.example.") for i in range(200)]
            asks = (client.ask(server, Question(name, "TXT"), recursion=False) for name in names)
            found = await asyncio.gather(*asks)
            assert client._opened == 0
            return {dns.message.from_wire(h.wire or b"").answer[0].to_text() for h in found}

    def echo(query: dns.message.Message, transport: Transport) -> bytes:
        del transport
        return reply(query, f'{query.question[0].name} TXT "{query.question[0].name}"')

    with TinyDns(echo) as world:
        assert asyncio.run(many(world.server)) == {
            f'n{i}.example. 300 IN TXT "n{i}.example."' for i in range(200)
        }


@pytest.mark.parametrize(
    ("number", "error"),
    [("ENETUNREACH", NoRouteError), ("EAFNOSUPPORT", NoRouteError), ("EMFILE", InternalError)],
)
def test_our_own_faults_are_told_apart(number: str, error: type[Exception]) -> None:
    """No route and no sockets left are faults of this machine, never observations."""
    import errno

    with pytest.raises(error):
        raise_if_ours(OSError(getattr(errno, number), "x"), "[2001:db8::1]:53")
