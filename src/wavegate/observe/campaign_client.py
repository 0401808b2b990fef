# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Campaign over HTTP: `/r/test` and the SOAP router, one session per instance, read-only.

Each exchange becomes an observation with secrets already cut. HTTP 200 is no success by itself:
only bytes that answer the question are `Seen`; faults, "Error" bodies and maintenance pages are
`Unreachable` with their status, content type or Campaign code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from lxml import etree

from wavegate import clock
from wavegate.observe.campaign_login import Way, by_password
from wavegate.observe.campaign_soap import (
    Parameter,
    count_query,
    request,
    select_query,
)
from wavegate.observe.http_client import Exchange, HttpClient
from wavegate.observe.redact import Secrets
from wavegate.record import soap
from wavegate.record.campaign_view import (
    LOGONS,
    OPTION,
    QUERY,
    R_TEST,
    USER_INFO,
    NotSeen,
    option_type,
    query_rows,
    read_redir,
)
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable

ROUTER = "/nl/jsp/soaprouter.jsp"
LOGOFF = "xtk:session#Logoff"
MAX_PAGES = 50
CODE_WITHIN = 64 * 1024


@dataclass(frozen=True, slots=True)
class Called:
    """A SOAP call: what is recorded of it, and its reply while it lives."""

    observation: Observation
    reply: soap.Reply | None


class CampaignClient:
    """One instance. url: its base without a final slash. secrets: cut from everything recorded."""

    def __init__(self, url: str, http: HttpClient, secrets: Secrets) -> None:
        self._url = url
        self._http = http
        self._secrets = secrets
        self._session_token = ""
        self._security_token = ""

    def redir(self, look: int) -> Observation:
        """One look at `/r/test` over a connection of its own, to meet whichever front answers."""
        url = self._url + R_TEST
        at, began = clock.now(), clock.monotonic()
        got = self._http.send("GET", url, headers={"Connection": "close"}, fresh=True)
        return Observation(
            kind="http",
            subject=f"{self._url} {R_TEST}",
            asked={"method": "GET", "url": url, "look": f"{look}"},
            heard=self._heard(got),
            outcome=self._redir_outcome(got),
            at=at,
            took_us=_micros(began),
            vantage="",
        )

    def _redir_outcome(self, got: Exchange) -> Outcome:
        if got.failure is None and got.status == 200:
            found = read_redir(got.body)
            if not isinstance(found, NotSeen):
                return Seen(self._secrets.cut(got.body, failure=False))
        return self._unreachable(got, "no <redir>")

    def logon(self, operator: str, password: str) -> Called:
        """Open a session by an operator's password; as `enter`."""
        return self.enter(by_password(operator, password))

    def enter(self, way: Way) -> Called:
        """Open a session in some way. The request is never recorded; tokens are cut from the reply.

        Raises ValueError for credentials that XML cannot carry.
        """
        body = request(way.action, "", way.parameters)
        at, began = clock.now(), clock.monotonic()
        got = self._post(way.action, body)
        found = _reply(got, way.action)
        if isinstance(found, soap.Reply):
            self._take_tokens(found)
        return self._called(way.action, {"body": way.body}, got, at, began)

    def _take_tokens(self, reply: soap.Reply) -> None:
        """By position: session token, session info, security token."""
        self._session_token, self._security_token = reply.text(0), reply.text(2)
        self._secrets.learn(self._session_token)
        self._secrets.learn(self._security_token)

    @property
    def logged_on(self) -> bool:
        """Whether Logon gave a session token."""
        return bool(self._session_token)

    def user_info(self) -> Called:
        """What the session's operator may do, and the installed packages."""
        return self._call(USER_INFO, {"body": "-"}, ())

    def option(self, name: str) -> Called:
        """One option; an option that does not exist is `Absent`."""
        return self._call(OPTION, {"body": name, "option": name}, (("name", name),))

    def count(self, schema: str, where: Sequence[str] = ()) -> Called:
        """How many rows a schema such as `nms:delivery` has."""
        told = {"schema": schema, "body": f"count {_where(where)}"}
        return self._call(QUERY, told, (("entity", count_query(schema, where)),))

    def query(
        self, schema: str, select: Sequence[str], where: Sequence[str] = (), page_size: int = 200
    ) -> Iterator[Called]:
        """All rows, page by page, ordered by @id; ends at a short page or where a page fails.

        A page whose ids do not advance ends it too; MAX_PAGES bounds it.
        """
        last: int | None = None
        for page in range(1, MAX_PAGES + 1):
            document = select_query(schema, select, where, page_size, last)
            told = {
                "schema": schema,
                "body": f"select {','.join(select)} {_where(where)} page {page:04d} of {page_size}",
            }
            called = self._call(QUERY, told, (("entity", document),))
            yield called
            ids = _ids(called.reply)
            if len(ids) < page_size or (last is not None and ids[-1] <= last):
                return
            last = ids[-1]

    def select(self, schema: str, document: etree._Element, told: Mapping[str, str]) -> Called:
        """One query that was built elsewhere. told: how it is known again, among it `body`."""
        return self._call(QUERY, {"schema": schema, **told}, (("entity", document),))

    def report(self, path: str, delivery: str, told: Mapping[str, str]) -> Observation:
        """A report on one delivery as data, without rendering it. told: how it is known again."""
        chosen = {
            "_noRender": "true",
            "_schema": "nms:delivery",
            "_context": "selection",
            "_selection": delivery,
            "_selectionCount": "1",
        }
        at, began = clock.now(), clock.monotonic()
        url = f"{self._url}{path}?{urlencode(chosen)}"
        got = self._http.send("POST", url, headers=self._tokens())
        good = got.failure is None and got.status == 200 and b"<ctx" in got.body[:200]
        value = self._secrets.cut(got.body, failure=False) if good else b""
        return Observation(
            kind="http",
            subject=f"{self._url} {path}",
            asked={"method": "POST", "url": self._url + path, "delivery": delivery, **told},
            heard=self._heard(got),
            outcome=Seen(value) if good else self._unreachable(got, "no <ctx>"),
            at=at,
            took_us=_micros(began),
            vantage="",
        )

    def logoff(self) -> Called:
        """Close the session; afterwards the token is dead."""
        called = self._call(LOGOFF, {"body": "-"}, ())
        self._session_token = self._security_token = ""
        return called

    def _call(
        self, action: str, told: dict[str, str], parameters: Sequence[tuple[str, Parameter]]
    ) -> Called:
        body = request(action, self._session_token, parameters)
        at, began = clock.now(), clock.monotonic()
        return self._called(action, told, self._post(action, body), at, began)

    def _post(self, action: str, body: bytes) -> Exchange:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}
        headers |= self._tokens()
        return self._http.send("POST", self._url + ROUTER, headers=headers, body=body)

    def _tokens(self) -> dict[str, str]:
        """The headers of the session; none before Logon."""
        if not self._session_token:
            return {}
        return {
            "Cookie": f"__sessiontoken={self._session_token}",
            "X-Security-Token": self._security_token,
        }

    def _called(
        self, action: str, told: dict[str, str], got: Exchange, at: datetime, began: float
    ) -> Called:
        reply = _reply(got, action)
        observation = Observation(
            kind="soap",
            subject=" ".join(x for x in (self._url, action, told.get("option")) if x),
            asked={"url": self._url + ROUTER, "action": action, **told},
            heard=self._heard(got),
            outcome=self._soap_outcome(got, action, reply),
            at=at,
            took_us=_micros(began),
            vantage="",
        )
        return Called(observation, reply if isinstance(reply, soap.Reply) else None)

    def _soap_outcome(
        self, got: Exchange, action: str, reply: soap.Reply | soap.Fault | soap.NotSoap
    ) -> Outcome:
        match reply:
            case soap.Fault():
                return self._unreachable(got, reply.reason)
            case soap.NotSoap():
                return self._unreachable(got, "no SOAP")
            case soap.Reply() if action in LOGONS and not self._session_token:
                return self._unreachable(got, "a Logon reply without a session token")
            case soap.Reply():
                value = self._secrets.cut(got.body, failure=False)
        if action == OPTION and option_type(reply) == 0:
            return Absent("no such option", value)
        return Seen(value)

    def _unreachable(self, got: Exchange, what: str) -> Unreachable:
        """Nobody answered the question; the reason names what came instead."""
        body = self._secrets.cut(got.body, failure=True)
        return Unreachable(self._secrets.cut_text(_reason(got, what)), body)

    def _heard(self, got: Exchange) -> dict[str, str]:
        """The few headers that are kept; never a cookie or a token."""
        kept = {
            "status": str(got.status) if got.status is not None else "",
            "content_type": got.content_type,
            "location": got.headers.get("location", "").partition("?")[0],
            "retry_after": got.headers.get("retry-after", ""),
            "date": got.headers.get("date", ""),
            "retried": got.retried or "",
        }
        return {key: self._secrets.cut_text(value[:300]) for key, value in kept.items() if value}


def _reply(got: Exchange, action: str) -> soap.Reply | soap.Fault | soap.NotSoap:
    """The meaning of a reply: of the method that was called, over a success status."""
    if got.failure is not None:
        return soap.NotSoap(got.failure)
    found = soap.read(got.body)
    if not isinstance(found, soap.Reply):
        return found
    if got.status != 200:
        return soap.NotSoap(f"HTTP {got.status}")
    if found.method != action.partition("#")[2]:
        return soap.NotSoap("a reply to another method")
    return found


def _reason(got: Exchange, what: str) -> str:
    """`HTTP 403 XSV-350012 ...`, `HTTP 200 text/html, no SOAP`, `timeout`."""
    if got.failure is not None:
        return got.failure if got.status is None else f"HTTP {got.status}, {got.failure}"
    if soap.CODE.match(what):
        return what if got.status == 200 else f"HTTP {got.status} {what}"
    code = soap.CODE.search(got.body[:CODE_WITHIN].decode("utf-8", "replace"))
    if code is not None:
        return f"HTTP {got.status} {code[0]}"
    kind = got.content_type or "no content type"
    return f"HTTP {got.status} {kind}, {what}"


def _ids(reply: soap.Reply | None) -> list[int]:
    """The ids of a page in its order; a row without a number ends the list."""
    found: list[int] = []
    for row in query_rows(reply) if reply is not None else ():
        text = row.values.get("id", "")
        if not text.lstrip("-").isdecimal() or len(text) > 20:
            break
        found.append(int(text))
    return found


def _where(where: Sequence[str]) -> str:
    return f"where {' and '.join(where)}" if where else "all"


def _micros(began: float) -> int:
    return int((clock.monotonic() - began) * 1_000_000)
