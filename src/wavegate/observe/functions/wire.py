# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One TCP connection of a probe, bounded in bytes and in total time."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wavegate import clock
from wavegate.estate.values import join_host_port
from wavegate.observe.functions.answer import Answer, Asked, silent
from wavegate.observe.functions.facing import Facing
from wavegate.observe.routes import raise_if_ours

MAX_LINE = 1_024


class Line:
    """A connection to read lines and exact numbers of bytes from, until its time is up."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until
        self._ahead = bytearray()

    def line(self) -> bytes:
        """The next line without its end. Raises TimeoutError, ConnectionError, ValueError."""
        while b"\n" not in self._ahead:
            if len(self._ahead) > MAX_LINE:
                raise ValueError("a line that does not end")
            self._more()
        found, _, rest = bytes(self._ahead).partition(b"\n")
        self._ahead = bytearray(rest)
        return found.rstrip(b"\r")

    def exactly(self, count: int) -> bytes:
        """So many bytes. Raises TimeoutError, ConnectionError."""
        while len(self._ahead) < count:
            self._more()
        found = bytes(self._ahead[:count])
        del self._ahead[:count]
        return found

    def send(self, data: bytes) -> None:
        """Send bytes. Raises TimeoutError, ConnectionError."""
        self._sock.settimeout(self._left())
        self._sock.sendall(data)

    def _more(self) -> None:
        self._sock.settimeout(self._left())
        got = self._sock.recv(4_096)
        if not got:
            raise ConnectionResetError("the connection was closed")
        self._ahead += got

    def _left(self) -> float:
        left = self._until - clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@contextmanager
def connected(host: str, port: int, seconds: float) -> Iterator[tuple[Line, socket.socket]]:
    """A connection that ends in time. Raises OSError."""
    until = clock.monotonic() + seconds
    with socket.create_connection((host, port), timeout=seconds) as sock:
        yield Line(sock, until), sock


def talk(facing: Facing, host: str, port: int, say: Callable[[Line], Answer]) -> Asked:
    """One conversation; whatever breaks it off is silence, or our own fault.

    Raises NoRouteError or InternalError for faults of this machine.
    """
    barred = facing.barred(host)
    if barred is not None:
        return (barred,)
    try:
        with connected(host, port, facing.seconds) as (line, _):
            return (say(line),)
    except socket.gaierror:
        return (silent("host name not found", looked_up=host),)
    except TimeoutError:
        return (silent("timeout"),)
    except ConnectionRefusedError:
        return (silent("connection refused"),)
    except OSError as error:
        raise_if_ours(error, join_host_port(host, port))
        return (silent("connection reset"),)
