# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How the functions of a Campaign server behave in a phase, and how fast it sends: frozen state."""

from dataclasses import dataclass, replace
from typing import Literal

Mirror = Literal["page", "empty", "unmarked", "slow"]
Redirect = Literal["target", "home", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """How each function behaves; the defaults are a healthy server.

    soap_fault: GetServerTime and GetOption answer a fault over HTTP 200. logon_refused: no new
    session is opened. sessions_dropped: those that are open are forgotten when the phase begins.
    blocked: every SOAP call is refused for the caller's address. throttled: so many SOAP calls are
    answered with 429, then none. redirect, clicks_recorded: where a seed link leads, and whether
    clicks reach the log. mirror, landing_marked: the pages. placeholder: the public resource has
    other bytes. stuck: what makes no progress although it is started: names of workflows, sms,
    push, inMail. failed, paused: names of workflows. report: whether reports are computed.
    events_taken, events_processed: whether real-time events are stored, and handled. inbound:
    whether the mail exchanger greets. host_key: the name of the key that SFTP shows, None where it
    cuts the line. dead_front: the place of a front that answers 502 only. logs_readable: whether
    the broad log can be queried. events_waiting: so many real-time events wait from before the
    window until mail leaves again. events_dropped: what waits when the phase begins is gone. blip:
    a span, in window lengths from the opening, in which seed links lead to an error. restart: one
    in which the mail exchanger does not greet. activity: of a campaign workflow that sends e-mail,
    whether its delivery waits or was done. bounce_seeds: mail to an address that bounces leaves
    once a period.
    ping_case: how ping says OK. console_redirects: the page to log on leads to another login.
    """

    soap_fault: bool = False
    logon_refused: bool = False
    sessions_dropped: bool = False
    blocked: bool = False
    throttled: int = 0
    redirect: Redirect = "target"
    clicks_recorded: bool = True
    mirror: Mirror = "page"
    landing_marked: bool = True
    placeholder: bool = False
    stuck: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    report: bool = True
    events_taken: bool = True
    events_processed: bool = True
    inbound: bool = True
    host_key: str | None = "the first"
    dead_front: int | None = None
    logs_readable: bool = True
    events_waiting: int = 0
    events_dropped: bool = False
    blip: tuple[float, float] | None = None
    restart: tuple[float, float] | None = None
    activity: Literal["", "waits", "done"] = ""
    bounce_seeds: bool = False
    ping_case: str = "OK"
    console_redirects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How fast an instance relays mail under load.

    per_minute: messages per announced minute, a sixtieth of the window. noise: relative standard
    deviation of a bucket. unsteady: the same of a whole unit. factor: how fast this phase is
    compared with that. burst: a faster pace in the first three quarters of a unit, None without.
    decay: the share lost from one unit to the next. flat: a load step changes nothing.
    errors_under_load: the share of temporary failures in a load step. idle: nobody has anything
    to send. arrives: the share of what is relayed that also leaves the spool in time. spent: after
    the burst nobody has anything to send. large: the share of messages over 300 kB, large_factor:
    how fast those are, beside the others. night: how much is offered in the first half of a unit;
    by_night_only: and nothing in the second. put_off: in one unit a receiver puts mail off, as its
    replies in the log tell. counted: the statistics are not made up, they count what really left.
    """

    per_minute: int = 1200
    noise: float = 0.04
    unsteady: float = 0.0
    factor: float = 1.0
    burst: float | None = None
    decay: float = 0.0
    flat: bool = False
    errors_under_load: float = 0.0
    idle: bool = False
    arrives: float = 1.0
    spent: bool = False
    large: float = 0.0
    large_factor: float = 1.0
    night: float = 1.0
    by_night_only: bool = False
    put_off: bool = False
    counted: bool = False

    def at(self, factor: float) -> "Rates":
        """The same server at another pace."""
        return replace(self, factor=factor)


HEALTHY = Functions()
STEADY = Rates()
