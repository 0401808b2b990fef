# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a snapshot's recorded Campaign answers say: /r/test, Logon, options, queries. Pure.

What an instance hides from this caller is None or `NotSeen` and never a change (/r/test shows
build, host and instance only to callers in a security zone with `allowDebug`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

from lxml import etree

from wavegate.record.observation import Absent, Observation, Seen, Unreachable
from wavegate.record.safe_xml import attribute, children, find, local_name, parse
from wavegate.record.snapshot import Snapshot
from wavegate.record.soap import Fault, NotSoap, Reply, read

R_TEST = "/r/test"
LOGON = "xtk:session#Logon"
BEARER_LOGON = "xtk:session#BearerTokenLogon"
LOGONS = (LOGON, BEARER_LOGON)
"""The calls that open a session; their replies are alike."""
USER_INFO = "xtk:session#GetUserInfo"
OPTION = "xtk:session#GetOption"
QUERY = "xtk:queryDef#ExecuteQuery"

_DATE = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?"
    r"\s*(Z|[+-]\d\d(?::?\d\d)?)?"
)


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Something that could not be read, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redir:
    """One answer to `GET /r/test`; a field is None where the instance hides it.

    date: the server's clock, UTC. zone_known: False where the server printed no zone (the older
    documented form with slashes), and the date was read as if it were UTC. source_ip: the
    caller's own address as the server saw it, no sending IP. status: `OK`.
    """

    status: str | None
    build: str | None
    sha1: str | None
    version: str | None
    instance: str | None
    host: str | None
    local_host: str | None
    source_ip: str | None
    date: datetime | None
    zone_known: bool
    source: Observation

    @property
    def hidden(self) -> bool:
        """Whether the answer shows neither build nor version."""
        return self.build is None and self.version is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """What Logon tells of the server; a field is None where it is not told.

    installed_packages: `namespace:name`. server_date: the server's clock at Logon, UTC.
    """

    build_number: str | None
    release_name: str | None
    commit_id: str | None
    instance_name: str | None
    database_id: str | None
    server_date: datetime | None
    installed_packages: frozenset[str]
    source: Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionValue:
    """A Campaign option. type: 1 byte, 2 short, 3 long, 6 string, 7 date, 12 memo, 15 boolean.

    An option that does not exist has the empty value and type 0.
    """

    value: str
    type: int
    source: Observation

    @property
    def exists(self) -> bool:
        """Whether the instance has such an option."""
        return self.type != 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a query: its element name and its attributes."""

    element: str
    values: Mapping[str, str]


class CampaignView:
    """The Campaign side of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._all = tuple(o for o in snapshot.observations if o.kind in ("http", "soap"))
        self.redir: tuple[Redir, ...] = tuple(self._redirs())
        self.logon: ServerInfo | NotSeen = self._logon()
        self.options: Mapping[str, OptionValue | NotSeen] = MappingProxyType(self._options())
        self.problems: tuple[str, ...] = tuple(sorted(self._problems()))

    def _of(self, action: str) -> tuple[Observation, ...]:
        return tuple(o for o in self._all if o.asked.get("action") == action)

    @property
    def redir_asked(self) -> tuple[Observation, ...]:
        """Every look at /r/test, answered or not."""
        return tuple(o for o in self._all if o.kind == "http" and o.subject.endswith(" " + R_TEST))

    def _redirs(self) -> Iterator[Redir]:
        for observation in self.redir_asked:
            if isinstance(observation.outcome, Seen):
                found = read_redir(observation.outcome.value)
                if not isinstance(found, NotSeen):
                    yield _redir(found, observation)

    def _logon(self) -> ServerInfo | NotSeen:
        found = tuple(o for o in self._all if o.asked.get("action") in LOGONS)
        if not found:
            return NotSeen("Logon was not tried")
        action = found[-1].asked.get("action", LOGON)
        reply = _reply(found[-1], action.partition("#")[2])
        if isinstance(reply, NotSeen):
            return reply
        server = find(reply.element, "serverInfo")
        if server is None:
            return NotSeen("the Logon reply has no serverInfo")
        return _server_info(server, reply.element, found[-1])

    def _options(self) -> dict[str, OptionValue | NotSeen]:
        return {o.asked.get("option", ""): _option(o) for o in self._of(OPTION)}

    def rows(self, schema: str) -> tuple[Row, ...] | NotSeen:
        """All rows recorded for a schema such as `xtk:workflow`, over all pages."""
        pages = [o for o in self._of(QUERY) if o.asked.get("schema") == schema]
        if not pages:
            return NotSeen(f"{schema} was not queried")
        found: list[Row] = []
        for page in pages:
            reply = _reply(page, "ExecuteQuery")
            if isinstance(reply, NotSeen):
                return reply
            found.extend(query_rows(reply))
        return tuple(found)

    @property
    def packages(self) -> frozenset[str] | NotSeen:
        """The installed packages, as Logon tells, or else GetUserInfo."""
        if isinstance(self.logon, ServerInfo) and self.logon.installed_packages:
            return self.logon.installed_packages
        for observation in self._of(USER_INFO):
            reply = _reply(observation, "GetUserInfo")
            if isinstance(reply, Reply) and find(reply.element, "userInfo") is not None:
                return _packages(reply.element)
        return NotSeen("neither Logon nor GetUserInfo told the packages")

    def _problems(self) -> Iterator[str]:
        for observation in self._all:
            match observation.outcome:
                case Unreachable(reason):
                    yield f"{observation.subject}: {reason}"
                case Seen(value) if observation.subject.endswith(" " + R_TEST):
                    found = read_redir(value)
                    if isinstance(found, NotSeen):
                        yield f"{observation.subject}: {found.reason}"
                case Seen() if observation.kind == "soap":
                    answer = read(observation.outcome.value)
                    if not isinstance(answer, Reply):
                        yield f"{observation.subject}: {_why_not(answer)}"
                case Seen() | Absent():
                    pass


def read_redir(data: bytes) -> etree._Element | NotSeen:
    """The `<redir/>` element of an /r/test body, or why it is none. Never raises."""
    try:
        root = parse(data)
    except ValueError as error:
        return NotSeen(str(error))
    if local_name(root) != "redir":
        return NotSeen(f"XML <{local_name(root)}>, not <redir>")
    return root


def _redir(root: etree._Element, source: Observation) -> Redir:
    text = attribute(root, "date")
    date, zone_known = server_date(text)
    return Redir(
        status=attribute(root, "status"),
        build=attribute(root, "build"),
        sha1=attribute(root, "sha1"),
        version=attribute(root, "version"),
        instance=attribute(root, "instance"),
        host=attribute(root, "host"),
        local_host=attribute(root, "localHost"),
        source_ip=attribute(root, "sourceIP"),
        date=date,
        zone_known=zone_known,
        source=source,
    )


def server_date(text: str | None) -> tuple[datetime | None, bool]:
    """A server's date as an aware UTC instant, and whether it named its zone.

    Forms: `2021-08-27 08:02:07.963-07`, `...+02`, `...Z`, `2021/08/27 08:02:07`. None for others.
    """
    match = _DATE.fullmatch(text.strip()) if text else None
    if match is None:
        return None, False
    micro = int((match[7] or "").ljust(6, "0"))
    try:
        wall = datetime(*(int(match[i]) for i in range(1, 7)), micro, tzinfo=UTC)  # type: ignore[arg-type, misc] # six numbers
        zone = _zone(match[8])
        instant = wall if zone is None else wall.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, False
    return instant, zone is not None


def _zone(text: str | None) -> timezone | None:
    if text is None or text == "Z":
        return UTC if text else None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _server_info(server: etree._Element, reply: etree._Element, source: Observation) -> ServerInfo:
    return ServerInfo(
        build_number=attribute(server, "buildNumber"),
        release_name=attribute(server, "releaseName"),
        commit_id=attribute(server, "commitId"),
        instance_name=attribute(server, "instanceName"),
        database_id=attribute(server, "databaseId"),
        server_date=server_date(attribute(server, "serverDate"))[0],
        installed_packages=_packages(reply),
        source=source,
    )


def _packages(reply: etree._Element) -> frozenset[str]:
    return frozenset(
        f"{attribute(found, 'namespace') or ''}:{attribute(found, 'name') or ''}"
        for found in reply.iter("*")
        if local_name(found) == "installed-package"
    )


def _option(observation: Observation) -> OptionValue | NotSeen:
    if isinstance(observation.outcome, Absent):
        return OptionValue(value="", type=0, source=observation)
    reply = _reply(observation, "GetOption")
    if isinstance(reply, NotSeen):
        return reply
    return read_option(reply, observation)


def read_option(reply: Reply, source: Observation) -> OptionValue | NotSeen:
    """Value and type of a GetOption reply: two positional output parameters."""
    kind = option_type(reply)
    if kind is None:
        return NotSeen(f"option type {reply.text(1)[:20]!r}")
    return OptionValue(value=reply.text(0), type=kind, source=source)


def option_type(reply: Reply) -> int | None:
    """The type in a GetOption reply: 0 for an option that does not exist, None if unreadable."""
    text = reply.text(1).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else None


def query_rows(reply: Reply) -> Iterator[Row]:
    """The rows of an ExecuteQuery reply: the children of `<...-collection>`, or the one element.

    `operation="count"` gives one element with the attribute `count`.
    """
    output = children(reply.element)
    for root in children(output[0]) if output else ():
        rows = children(root) if local_name(root).endswith("-collection") else (root,)
        for row in rows:
            values = {str(key): str(value) for key, value in row.items()}
            yield Row(local_name(row), MappingProxyType(values))


def _reply(observation: Observation, method: str) -> Reply | NotSeen:
    match observation.outcome:
        case Unreachable(reason) | Absent(reason):
            return NotSeen(reason)
        case Seen(value):
            answer = read(value)
    if not isinstance(answer, Reply):
        return NotSeen(_why_not(answer))
    if answer.method != method:
        return NotSeen(f"a reply to {answer.method[:40]}, not to {method}")
    return answer


def _why_not(answer: Fault | NotSoap) -> str:
    return answer.reason if isinstance(answer, Fault) else answer.why
