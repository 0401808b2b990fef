# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A Campaign server as state: what it says of itself, its fronts, its options, its tables."""

from dataclasses import dataclass, replace
from typing import Literal

from wavegate.lab.campaign_functions import HEALTHY, STEADY, Functions, Rates

Value = str | int
DateForm = Literal["zone", "zulu", "slashes"]
Cover = Literal["none", "zone", "maintenance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """An application front behind the instance's name.

    local_host: what it calls itself in /r/test. build: its own build number where it differs.
    date: how it writes the date of /r/test.
    """

    local_host: str
    build: str | None = None
    date: DateForm = "zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A Campaign option: its text and its type number (6 string, 3 long, 7 datetime)."""

    name: str
    value: str
    type: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that ExecuteQuery reads.

    schema: `nms:delivery`. columns: paths such as `@id` or `indicators/@success`. labels: of
    enumerated columns: (column, value, internal name, label). rows: one value per column.
    weights: for how many rows each of them stands, with ids that count on; empty for one each.
    """

    schema: str
    columns: tuple[str, ...]
    labels: tuple[tuple[str, Value, str, str], ...] = ()
    rows: tuple[tuple[Value, ...], ...] = ()
    weights: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Secure:
    """How the TLS front before a server shakes hands.

    certificate: good; renewed, of the same names and issuer and a later end; expired, whose end is
    a moment after the opening; another, for somebody else's name. whole: it is sent with what was
    signed between it and the root. tls12: TLS 1.2 is spoken beside 1.3.
    """

    certificate: Literal["good", "renewed", "expired", "another"] = "good"
    whole: bool = True
    tls12: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignState:
    """One instance's Campaign server in one phase.

    version: shown by /r/test where not None. logon_build, logon_commit: what Logon says where it
    differs from /r/test. cover: `zone` hides the build from /r/test and refuses Logon for the
    caller's address; `rtest` hiding alone is rtest_hidden; `maintenance` answers everything with
    a static page. packages: `namespace:name`. skew: milliseconds its clock is ahead.
    queue: events pending in Message Center and its threshold. row_cap: how many rows a query brings
    at most, whatever was asked. secure: of the TLS front before tracked links and mirror page,
    None where there is none. functions, rates: how it behaves, and
    how fast it sends.
    """

    build: str
    commit: str
    release: str
    instance_name: str
    database_id: str
    major: int
    minor: int
    fronts: tuple[Front, ...]
    version: str | None = None
    source_ip_shown: bool = True
    logon_build: str | None = None
    logon_commit: str | None = None
    cover: Cover = "none"
    rtest_hidden: bool = False
    packages: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    tables: tuple[Table, ...] = ()
    skew: int = 0
    queue: tuple[int, int] = (7, 400)
    row_cap: int = 10_000
    secure: Secure | None = None
    functions: Functions = HEALTHY
    rates: Rates = STEADY

    def table(self, schema: str) -> Table:
        """The table of a schema. Raises KeyError."""
        for found in self.tables:
            if found.schema == schema:
                return found
        raise KeyError(schema)

    def built(self, build: str) -> "CampaignState":
        """The same server on another build, on every witness."""
        return replace(
            self, build=build, fronts=tuple(replace(front, build=None) for front in self.fronts)
        )
