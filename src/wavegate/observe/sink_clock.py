# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The clock of the receiving side: the sink's greeting tells its time. No mail is sent.

Mail is dated by the sink, so that its clock decides what left within the window. Asked are the
sinks that the estate places (`listen:`). That one is not reached is no fault of the instance: it
is left out, with the reason.
"""

import ipaddress
import socket
from collections.abc import Iterator, Sequence

from wavegate import clock
from wavegate.estate.model import Instance, MailSource
from wavegate.estate.values import split_host_port
from wavegate.observe.functions.wire import Line, connected
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Task
from wavegate.record.observation import Observation, Seen

CLOCK = "clock of the sink"
UNKNOWN_PEER = b"PROXY UNKNOWN\r\n"
"""Said to a sink that takes us for a proxy: nobody stands behind (PROXY protocol 1, 2.1)."""
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read from the estate, not bound


class SinkClockProbe:
    """Hears the greeting of each sink that the estate places."""

    name = "sink"

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked, in words."""
        return tuple(f"{CLOCK} at {source.listen}" for source in _sinks(task.instance))

    def look(self, task: Task) -> Looked:
        """Ask everything about one instance."""
        notes = Notes(task.vantage)
        self.look_into(task, notes)
        return notes.looked()

    def look_into(self, task: Task, notes: Notes) -> None:
        """Ask everything, noting as it goes, until `notes.stopped` is set."""
        seconds = task.estate.policy.too_slow.total_seconds()
        for source in _sinks(task.instance):
            if not notes.stopped.is_set():
                _ask(source, notes, seconds)


def _sinks(instance: Instance) -> Iterator[MailSource]:
    return (source for source in instance.mail if source.sink and source.listen)


def _ask(source: MailSource, notes: Notes, seconds: float) -> None:
    place = str(source.listen)
    host, port = split_host_port(place, default=25)
    at, began = clock.now(), clock.monotonic()
    try:
        with connected(_ANYWHERE.get(host, host), port, seconds) as (line, sock):
            greeting = _greeting(source, line, sock)
    except (OSError, ValueError) as error:
        notes.leave_out(f"{CLOCK} at {place}", f"no greeting was heard ({type(error).__name__})")
        return
    notes.observe(
        Observation(
            kind="smtp",
            subject=f"{CLOCK} at {place}",
            asked={"server": place},
            heard={},
            outcome=Seen(greeting),
            at=at,
            took_us=int((clock.monotonic() - began) * 1_000_000),
            vantage="",
        )
    )


def _greeting(source: MailSource, line: Line, sock: socket.socket) -> bytes:
    """The one line of the greeting (RFC 5321 4.2). Raises OSError or ValueError."""
    own = ipaddress.ip_address(sock.getsockname()[0])
    if any(own in ipaddress.ip_network(network) for network in source.proxy_from):
        line.send(UNKNOWN_PEER)
    found = line.line()
    line.send(b"QUIT\r\n")
    return found
