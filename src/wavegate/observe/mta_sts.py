# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The MTA-STS policy file of a sender domain, as a sending server fetches it (RFC 8461 3.3).

From `https://mta-sts.<domain>/.well-known/mta-sts.txt`, over a trusted certificate, no redirect
followed. The host's addresses come from the same servers as everything else that is captured.
"""

import asyncio
import http.client
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from wavegate import clock
from wavegate.estate.policy import Policy
from wavegate.estate.values import join_host_port
from wavegate.observe.contact import REASON, barred
from wavegate.observe.http_client import AGENT, shared_context
from wavegate.observe.notes import Notes
from wavegate.observe.routes import NoRouteError, raise_if_ours
from wavegate.observe.time_limit import limit
from wavegate.observe.tls_look import why_untrusted
from wavegate.record.host_view import MAX_POLICY
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable

PATH = "/.well-known/mta-sts.txt"
LABEL = "mta-sts"
PORT = 443


class Fetch:
    """Fetches policies, each once per run. port, context: others than the web's only in tests."""

    def __init__(
        self,
        policy: Policy,
        *,
        port: int = PORT,
        context: Callable[[], ssl.SSLContext] = shared_context,
    ) -> None:
        self._policy = policy
        self._port = port
        self._context = context
        self._fetched: dict[str, asyncio.Task[Observation]] = {}

    async def into(self, notes: Notes, host: str, addresses: tuple[str, ...]) -> None:
        """Fetch the policy of a host that is at these addresses, and note the outcome.

        Raises InternalError for faults of this machine.
        """
        private = barred(addresses, self._policy)
        if private is not None:
            notes.leave_out(f"MTA-STS policy at {host}", f"{private} {REASON}")
            return
        if host not in self._fetched:
            self._fetched[host] = asyncio.create_task(self._fetch(host, addresses[0]))
        try:
            notes.observe(await asyncio.shield(self._fetched[host]))
        except NoRouteError as error:
            notes.leave_out(f"MTA-STS policy at {host}", error.reason)

    async def _fetch(self, host: str, address: str) -> Observation:
        at, began = clock.now(), clock.monotonic()
        seconds = self._policy.too_slow.total_seconds()
        outcome = await asyncio.to_thread(self._get, host, address, seconds)
        return Observation(
            kind="mta-sts",
            subject=f"https://{host}{PATH}",
            asked={"host": host},
            outcome=outcome,
            at=at,
            took_us=int((clock.monotonic() - began) * 1_000_000),
            vantage="",
        )

    def _get(self, host: str, address: str, seconds: float) -> Outcome:
        """Raises NoRouteError or InternalError for faults of this machine."""
        until = clock.monotonic() + seconds
        try:
            with (
                socket.create_connection((address, self._port), timeout=seconds) as sock,
                self._context().wrap_socket(sock, server_hostname=host) as secure,
            ):
                return _in_time(secure, host, until)
        except ssl.SSLCertVerificationError as error:
            return Absent(f"certificate not trusted: {why_untrusted(error)}")
        except ssl.SSLError as error:
            return Unreachable(f"TLS: {error.reason or 'failed'}")
        except TimeoutError:
            return Unreachable("timeout")
        except ConnectionRefusedError:
            return Unreachable("connection refused")
        except (http.client.HTTPException, ValueError):
            return Unreachable("no HTTP")
        except OSError as error:
            raise_if_ours(error, join_host_port(address, self._port))
            return Unreachable("connection reset")


def _in_time(secure: ssl.SSLSocket, host: str, until: float) -> Outcome:
    """One exchange, cut off when its time is up; time-outs per read bound no server that drips."""
    watched = limit(until, lambda: _shut(secure))
    try:
        return _exchange(secure, host)
    finally:
        watched.lift()


def _shut(secure: ssl.SSLSocket) -> None:
    with suppress(OSError, ValueError):
        socket.socket.shutdown(secure, socket.SHUT_RDWR)


def _exchange(secure: ssl.SSLSocket, host: str) -> Outcome:
    lines = (f"GET {PATH} HTTP/1.1", f"Host: {host}", f"User-Agent: {AGENT}", "Connection: close")
    secure.sendall("\r\n".join((*lines, "", "")).encode("ascii"))
    with http.client.HTTPResponse(secure, method="GET") as response:
        response.begin()
        if response.status >= 500 or response.status == 429:
            return Unreachable(f"HTTP {response.status}")
        if response.status != 200:
            return Absent(f"HTTP {response.status}")
        body = response.read(MAX_POLICY + 1)
    return Absent("longer than a policy may be") if len(body) > MAX_POLICY else Seen(body)
