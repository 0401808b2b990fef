# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The MTA-STS policy file, fetched as RFC 8461 3.3 says, over real TLS on loopback."""

import asyncio
import socket
import ssl
import time

import pytest
import trustme
from tests.builders.tiny_tcp import TinyTcp

from wavegate.estate.policy import Policy
from wavegate.observe.http_client import own_context
from wavegate.observe.mta_sts import PATH, Fetch
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked
from wavegate.record.host_view import MAX_POLICY, policy_lines
from wavegate.record.observation import Absent, Outcome, Seen, Unreachable

HOST = "mta-sts.news.acme.example"
BODY = b"version: STSv1\r\nmode: enforce\r\nmx: inbound.news.acme.example\r\nmax_age: 604800\r\n"
LOOPBACK = Policy.model_validate({"reachable_private": ("127.0.0.0/8",), "too_slow": "1s"})


def fetched(
    says: bytes,
    *,
    policy: Policy = LOOPBACK,
    strange: bool = False,
    drip: bool = False,
) -> tuple[Looked, list[bytes]]:
    """What a fetch brings from a server that says this; and what the server was asked."""
    ca, asked = trustme.CA(), list[bytes]()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(HOST).configure_cert(context)

    def talk(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as secure:
            asked.append(secure.recv(4_096))
            if not drip:
                secure.sendall(says)
            while drip:
                secure.sendall(b"x")
                time.sleep(0.05)

    pem = (trustme.CA() if strange else ca).cert_pem.bytes().decode()
    notes = Notes("here")
    with TinyTcp(talk) as server:
        fetch = Fetch(policy, port=server.port, context=lambda: own_context(pem))

        async def twice() -> None:
            await fetch.into(notes, HOST, ("127.0.0.1",))
            await fetch.into(notes, HOST, ("127.0.0.1",))

        asyncio.run(twice())
    return notes.looked(), asked


def outcome(says: bytes, **other: bool) -> Outcome:
    """The one outcome."""
    (found,) = fetched(says, **other)[0].observations  # type: ignore[arg-type] # flags only
    assert ("mta-sts", f"https://{HOST}{PATH}") == (found.kind, found.subject)
    return found.outcome


def answer(status: str, body: bytes = b"") -> bytes:
    """An HTTP response."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_the_file_is_kept_as_it_came_and_fetched_once() -> None:
    """From the well-known place, by the host's own name; instances share the fetch."""
    looked, asked = fetched(answer("200 OK", BODY))
    assert [Seen(BODY)] == [o.outcome for o in looked.observations]
    (request,) = asked
    assert request.startswith(f"GET {PATH} HTTP/1.1\r\nHost: {HOST}\r\n".encode())


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (answer("404 Not Found"), Absent("HTTP 404")),
        (answer("301 Moved", b"elsewhere"), Absent("HTTP 301")),
        (answer("503 Busy"), Unreachable("HTTP 503")),
        (b"nonsense\r\n\r\n", Unreachable("no HTTP")),
        (answer("200 OK", bytes(MAX_POLICY + 1)), Absent("longer than a policy may be")),
    ],
)
def test_what_is_no_policy_has_its_outcome(says: bytes, expected: Outcome) -> None:
    """A redirect is not followed; a server in trouble is no absence."""
    assert expected == outcome(says)


def test_a_certificate_that_is_not_trusted_is_no_policy() -> None:
    """RFC 8461 3.3: a sender must not take the policy then."""
    found = outcome(answer("200 OK", BODY), strange=True)
    assert isinstance(found, Absent)
    assert found.reason.startswith("certificate not trusted: ")


def test_a_server_that_drips_ends_in_time() -> None:
    """The whole exchange is bounded, not each read."""
    began = time.monotonic()
    assert isinstance(outcome(b"", drip=True), Unreachable)
    assert time.monotonic() - began < 5


def test_a_private_address_is_not_contacted() -> None:
    """The DNS does not send us into a private network."""
    looked, asked = fetched(answer("200 OK", BODY), policy=Policy())
    assert ([], ()) == (asked, looked.observations)
    assert "reachable_private" in looked.left_out[0].reason


def test_lines_of_a_policy() -> None:
    """Keys and MX in one spelling, in an order of their own; anything else is no policy."""
    expected = (
        "max_age: 604800",
        "mode: enforce",
        "mx: inbound.news.acme.example",
        "version: STSv1",
    )
    assert expected == policy_lines(BODY)
    assert () == policy_lines(b"<html>not here</html>")
    assert () == policy_lines(b"\xff" * 100)
