# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The hosts of an instance: certificate and TLS versions of each https host, the SFTP host key.

Nothing is logged on to. Which hosts: those that the estate's urls name, and its SFTP host.
"""

import socket
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta

from wavegate import clock
from wavegate.errors import MissingError
from wavegate.estate.secrets import resolve
from wavegate.estate.values import join_host_port, split_host_port
from wavegate.observe.functions import sftp
from wavegate.observe.functions.answer import Answer, Lacking
from wavegate.observe.functions.certificate import https_hosts
from wavegate.observe.functions.facing import Facing
from wavegate.observe.functions.wire import talk
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Task
from wavegate.observe.routes import NoRouteError, raise_if_ours
from wavegate.observe.tls_look import VERSIONS, context_of, shown
from wavegate.record.observation import Absent, Kind, Observation, Outcome, Seen, Unreachable

HOST_KEY = "host key"
_REFUSED = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "HANDSHAKE_FAILURE", "NO_PROTOCOLS")
"""What OpenSSL calls the alerts by which a server refuses a version (RFC 8446 6.2)."""


class HostProbe:
    """Looks at the hosts that the estate names."""

    name = "hosts"

    def questions(self, task: Task) -> Sequence[str]:
        """What will be asked, in words."""
        facing = _facing(task)
        hosts = (
            f"{version} of {_shown(*place)}"
            for place in https_hosts(facing)
            for version in VERSIONS
        )
        host = facing.given(sftp.NAME).host
        return (*hosts, *([f"{HOST_KEY} of {host}"] if host else []))

    def look(self, task: Task) -> Looked:
        """Ask everything about one instance."""
        notes = Notes(task.vantage)
        self.look_into(task, notes)
        return notes.looked()

    def look_into(self, task: Task, notes: Notes) -> None:
        """Ask everything, noting as it goes, until `notes.stopped` is set."""
        facing = _facing(task)
        try:
            trust = _trust(task)
        except MissingError as error:
            notes.leave_out(
                f"TLS of {task.instance.name}", f"tls.ca cannot be used: {error.message}"
            )
            return
        for host, port in https_hosts(facing):
            if not notes.stopped.is_set():
                _Tls(facing, notes, host, port).look(trust)
        if facing.given(sftp.NAME).host and not notes.stopped.is_set():
            _host_key(facing, notes)


def _facing(task: Task) -> Facing:
    return Facing(estate=task.estate, instance=task.instance, window=timedelta(), base=task.base)


def _trust(task: Task) -> str | None:
    """The instance's own trust as PEM, None for the system's. Raises MissingError."""
    tls = task.instance.tls
    return None if tls is None else resolve(tls.ca, task.base)


def _shown(host: str, port: int) -> str:
    return host if port == 443 else join_host_port(host, port)


class _Tls:
    """One https host."""

    def __init__(self, facing: Facing, notes: Notes, host: str, port: int) -> None:
        self._facing = facing
        self._notes = notes
        self._host = host
        self._port = port

    def look(self, trust: str | None) -> None:
        """Shake hands in each version, each an observation of its own."""
        place = _shown(self._host, self._port)
        barred = self._facing.barred(self._host)
        if barred is not None and barred.forbidden:
            self._notes.leave_out(f"TLS of {place}", barred.detail)
            return
        for version in VERSIONS:
            try:
                context = context_of(trust, version)
                self._note(version, place, context, barred)
            except (ssl.SSLError, ValueError):
                self._notes.leave_out(f"{version} of {place}", "tls.ca cannot be used")
            except NoRouteError as error:
                self._notes.leave_out(f"{version} of {place}", error.reason)

    def _note(
        self, version: str, place: str, context: ssl.SSLContext, barred: Answer | None
    ) -> None:
        at, began = clock.now(), clock.monotonic()
        heard: dict[str, str] = {}
        outcome = Unreachable(barred.detail) if barred else self._outcome(context, heard)
        self._notes.observe(
            _observation(
                "tls",
                f"{place} {version}",
                outcome,
                at,
                began,
                asked={"host": self._host, "port": str(self._port), "version": version},
                heard=heard,
            )
        )

    def _outcome(self, context: ssl.SSLContext, heard: dict[str, str]) -> Outcome:
        """Raises NoRouteError or InternalError for faults of this machine."""
        try:
            found = shown(self._host, self._port, self._facing.seconds, context)
        except ssl.SSLError as error:
            reason = str(error.reason or "failed")
            refused = any(word in reason for word in _REFUSED)
            return Absent("refused") if refused else Unreachable(f"TLS: {reason}")
        except TimeoutError:
            return Unreachable("timeout")
        except socket.gaierror:
            return Unreachable("host name not found")
        except ConnectionRefusedError:
            return Unreachable("connection refused")
        except OSError as error:
            raise_if_ours(error, join_host_port(self._host, self._port))
            return Unreachable("connection reset")
        heard["trusted"] = found.untrusted or "yes"
        return Seen(found.der)


def _host_key(facing: Facing, notes: Notes) -> None:
    host, port = split_host_port(facing.given(sftp.NAME).host or "", default=sftp.PORT)
    place = join_host_port(host, port)
    at, began = clock.now(), clock.monotonic()
    try:
        found = talk(facing, host, port, sftp.host_key)
    except NoRouteError as error:
        notes.leave_out(f"{HOST_KEY} of {place}", error.reason)
        return
    answer = found.reason if isinstance(found, Lacking) else found[0]
    if isinstance(answer, str) or not answer.counts:
        notes.leave_out(
            f"{HOST_KEY} of {place}", answer if isinstance(answer, str) else answer.detail
        )
        return
    key = answer.value
    notes.observe(
        _observation(
            "ssh",
            f"{place} {HOST_KEY}",
            Seen(key.encode("ascii")) if key else Unreachable(answer.detail),
            at,
            began,
            asked={"host": host, "port": str(port)},
        )
    )


def _observation(
    kind: Kind,
    subject: str,
    outcome: Outcome,
    at: datetime,
    began: float,
    *,
    asked: dict[str, str],
    heard: dict[str, str] | None = None,
) -> Observation:
    return Observation(
        kind=kind,
        subject=subject,
        asked=asked,
        heard=heard or {},
        outcome=outcome,
        at=at,
        took_us=int((clock.monotonic() - began) * 1_000_000),
        vantage="",
    )
