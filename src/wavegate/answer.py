# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What the DNS said to one question: found, no such name, no data, or unknown.

An error to look is `Unknown` and never an absence. `NoSuchName` (NXDOMAIN, RFC 8020) and `NoData`
(RFC 2308) are kept apart because DMARC's `np` needs the difference.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dns.name import Name
from dns.rdata import Rdata


@dataclass(frozen=True, slots=True)
class Found:
    """At least one resource record. chain: the CNAME targets that were followed, in order."""

    rdatas: tuple[Rdata, ...]
    chain: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class NoSuchName:
    """NXDOMAIN from a server that is responsible for the name."""

    chain: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class NoData:
    """The name exists, but has no record of this type."""

    chain: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody could tell: timeout, SERVFAIL, REFUSED, lame, never asked; reason says which."""

    reason: str


Answer = Found | NoSuchName | NoData | Unknown

Lookup = Callable[[Name, str], Answer]
"""An absolute name and a type such as "TXT" to an answer; CNAMEs are followed. Never raises."""
