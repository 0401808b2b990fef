# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Campaign's SOAP router as the probes call it, and the one session that they share."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from wavegate import clock
from wavegate.errors import MissingError
from wavegate.observe.campaign_client import LOGOFF, ROUTER
from wavegate.observe.campaign_login import NO_CREDENTIALS, UNCARRIED, Entrance, NoBearer, no_way
from wavegate.observe.campaign_soap import Parameter, request
from wavegate.observe.functions.answer import (
    Answer,
    described,
    not_counted,
    stamped,
    trouble,
    wrong,
)
from wavegate.observe.functions.facing import Facing
from wavegate.observe.http_client import Exchange
from wavegate.record import soap
from wavegate.record.campaign_view import QUERY, Row, query_rows

EXPIRED = "XSV-350008"
UNKNOWN = ("XFR-180000", "XTK-170036", "SOP-330006")
"""Campaign's codes for a schema, an attribute or a method that this instance does not have."""
ANEW_AFTER = 300.0
"""Seconds between two tries to log on, in windows of ten minutes and more."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A SOAP reply and the exchange that brought it."""

    reply: soap.Reply
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that gave no reply. code: Campaign's, or empty; answer: what it says as a sample."""

    code: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a session. Never written down."""

    session: str = ""
    security: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """How a page behind the session is asked for."""
        if not self.session:
            return {}
        return {
            "Cookie": f"__sessiontoken={self.session}",
            "X-Session-Token": self.session,
            "X-Security-Token": self.security,
        }


NOBODY = Tokens()


class Router:
    """The SOAP router of one instance. Safe to use from many threads."""

    def __init__(self, facing: Facing) -> None:
        self.facing = facing
        self._url = f"{facing.url}{ROUTER}"

    def call(
        self,
        action: str,
        parameters: Sequence[tuple[str, Parameter]] = (),
        tokens: Tokens = NOBODY,
        *,
        fresh: bool = False,
    ) -> Spoken | Refused:
        """One call. A fault, a maintenance page and silence are Refused."""
        body = request(action, tokens.session, parameters)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}
        with self.facing.connections.one() as http:
            sent = {**headers, **tokens.headers, **({"Connection": "close"} if fresh else {})}
            got = http.send("POST", self._url, headers=sent, body=body, fresh=fresh)
        return self._read(got, action)

    def _read(self, got: Exchange, action: str) -> Spoken | Refused:
        found = soap.read(got.body) if got.failure is None else None
        if isinstance(found, soap.Fault):
            return Refused(found.code, self._fault(got, found))
        bad = trouble(got, urlsplit(self._url).hostname or "")
        if bad is not None:
            return Refused("", bad)
        if isinstance(found, soap.Reply) and got.status == 200:
            if found.method == action.partition("#")[2]:
                return Spoken(found, got)
            return Refused("", stamped(wrong("a reply to another method"), got))
        return Refused("", stamped(wrong(f"{described(got)}, no SOAP"), got))

    def _fault(self, got: Exchange, found: soap.Fault) -> Answer:
        if found.code == "XSV-350013":
            return not_counted("XSV-350013: this caller is in no security zone")
        text = self.facing.secrets.cut_text(found.reason)
        return stamped(wrong(f"SOAP fault over HTTP {got.status}: {text}"), got)


class Session:
    """One session, opened when first needed and kept; opened anew only when it died."""

    def __init__(self, router: Router, entrance: Entrance | None) -> None:
        self.router = router
        self._entrance = entrance
        self._tokens = NOBODY
        self._failed: tuple[float, Answer] | None = None
        self._lost = False
        self._lock = threading.Lock()

    def logon(self) -> tuple[Tokens, Exchange] | Answer:
        """A new session beside the kept one."""
        way = self._entrance.way() if self._entrance else NoBearer(NO_CREDENTIALS)
        if isinstance(way, NoBearer):
            return not_counted(way.reason)
        found = self.router.call(way.action, way.parameters)
        if isinstance(found, Refused):
            return found.answer
        tokens = Tokens(found.reply.text(0), found.reply.text(2))
        for secret in (tokens.session, tokens.security):
            self.router.facing.secrets.learn(secret)
        if not tokens.session:
            return wrong("a Logon reply without a session token")
        return tokens, found.exchange

    def logoff(self, tokens: Tokens) -> None:
        """Close a session."""
        self.router.call(LOGOFF, (), tokens)

    def tokens(self) -> Tokens | Answer:
        """The kept session's tokens; logs on where there is none, but not again and again."""
        with self._lock:
            if self._tokens.session:
                return self._tokens
            if self._failed and clock.monotonic() - self._failed[0] < self._patience():
                return self._without(self._failed[1])
            found = self.logon()
            if isinstance(found, Answer):
                self._failed = (clock.monotonic(), found)
                return self._without(found)
            self._tokens, self._failed = found[0], None
            return self._tokens

    def _patience(self) -> float:
        facing = self.router.facing
        return min(ANEW_AFTER, facing.window.total_seconds() / 20)

    def _without(self, why: Answer) -> Answer:
        return not_counted(f"not asked, there is no session: {why.detail}")

    def lose(self, tokens: Tokens) -> None:
        """Forget a session that the instance no longer knows, but not that it was lost."""
        with self._lock:
            if self._tokens == tokens:
                self._tokens, self._lost = NOBODY, True

    def take_lost(self) -> bool:
        """Whether a session was lost since this was last asked."""
        with self._lock:
            lost, self._lost = self._lost, False
            return lost

    def call(
        self, action: str, parameters: Sequence[tuple[str, Parameter]] = ()
    ) -> Spoken | Refused:
        """A call in the kept session; where that was lost, once more in a new one.

        So a lost session is told of the session only, not of each function behind it.
        """
        found = self._call(action, parameters)
        if isinstance(found, Refused) and found.code == EXPIRED:
            return self._call(action, parameters)
        return found

    def _call(self, action: str, parameters: Sequence[tuple[str, Parameter]]) -> Spoken | Refused:
        tokens = self.tokens()
        if isinstance(tokens, Answer):
            return Refused("", tokens)
        found = self.router.call(action, parameters, tokens)
        if isinstance(found, Refused) and found.code == EXPIRED:
            self.lose(tokens)
        return found

    def rows(self, document: etree._Element) -> tuple[Row, ...] | Refused:
        """The rows of one query."""
        found = self.call(QUERY, (("entity", document),))
        return found if isinstance(found, Refused) else tuple(query_rows(found.reply))

    def close(self) -> None:
        """Log off, if a session is open."""
        with self._lock:
            tokens, self._tokens = self._tokens, NOBODY
        if tokens.session:
            self.logoff(tokens)


def session_of(facing: Facing) -> Session | str:
    """The session of an instance, or why it can have none."""
    lacking, found = no_way(facing.instance), facing.instance.credentials
    if lacking is not None or found is None:
        return lacking or NO_CREDENTIALS
    try:
        entrance = Entrance(found, facing.base, facing.policy, facing.secrets)
    except MissingError as error:
        return f"{error.where}: {error.message}" if error.where else error.message
    except ValueError:
        return UNCARRIED
    return Session(Router(facing), entrance)


def newest(
    schema: str, select: Sequence[str], where: Sequence[str] = (), lines: int = 1
) -> etree._Element:
    """The rows with the highest ids: read by the primary key, whatever the table's size."""
    root = etree.Element("queryDef", schema=schema, operation="select", lineCount=str(lines))
    nodes = etree.SubElement(root, "select")
    for expression in dict.fromkeys(("@id", *select)):
        etree.SubElement(nodes, "node", expr=expression)
    if where:
        conditions = etree.SubElement(root, "where")
        for expression in where:
            etree.SubElement(conditions, "condition", expr=expression)
    order = etree.SubElement(root, "orderBy")
    etree.SubElement(order, "node", expr="@id", sortDesc="true")
    return root


def value_of(row: Row, expression: str) -> str:
    """A selected value: `@x` stands in attribute x, `[a/@x]` in x or a-x."""
    plain: Mapping[str, str] = row.values
    path = expression.strip("[]").replace("@", "")
    return (
        plain.get(path)
        or plain.get(path.rpartition("/")[2])
        or plain.get(path.replace("/", "-"), "")
    )
