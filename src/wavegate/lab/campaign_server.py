# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The HTTP side of the lab's Campaign: one port per instance, requests counted, writes flagged."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl

from aiohttp import web

from wavegate.clock import now
from wavegate.lab import soap
from wavegate.lab.campaign_calls import (
    READING,
    Context,
    FaultError,
    Sessions,
    answer,
    instant,
    new_password,
    skewed,
)
from wavegate.lab.campaign_functions import Functions
from wavegate.lab.campaign_ims import TOKEN_PATH
from wavegate.lab.campaign_pages import Page, page
from wavegate.lab.campaign_report import STAT, throughput
from wavegate.lab.campaign_state import CampaignState, DateForm, Front, Table
from wavegate.lab.live import Live
from wavegate.lab.live_tables import table
from wavegate.lab.world import Scene

MAINTENANCE = "<html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


@dataclass(slots=True)
class RequestLog:
    """Every request received, counted by instance and action; and each that would write."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: list[str] = field(default_factory=list)

    def saw(self, instance: str, action: str, *, writes: bool) -> None:
        """Count a request, and keep it if it would write."""
        self.counts[instance, action] += 1
        if writes:
            self.writes.append(f"{instance} {action}")


class Campaign:
    """The running endpoint of one instance. `scene` may be exchanged at any time."""

    def __init__(self, name: str, scene: Scene, log: RequestLog) -> None:
        self.name = name
        self.scene = scene
        self.url = ""
        self.sessions = Sessions(operator="wavegate", password=new_password())
        self.live: Live | None = None
        self._log = log
        self._turn = 0

    @property
    def state(self) -> CampaignState:
        """The state in the present scene."""
        return self.scene.instance(self.name).campaign

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen on a free port of 127.0.0.1; closed with the stack."""
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()  # bounded by aiohttp to 1 MiB: a 413 beyond
        if self.live and self.state.functions.mirror == "slow" and "/m.jsp" in request.path:
            await asyncio.sleep(self.live.too_slow)
        response = self._respond(request, body)
        if self.state.skew:
            response.headers["Date"] = format_datetime(self._time().astimezone(UTC), usegmt=True)
        return response

    def _respond(self, request: web.BaseRequest, body: bytes) -> web.Response:
        if self._meets_dead_front():
            return web.Response(status=502, text="Bad gateway")
        if request.path == "/nl/jsp/soaprouter.jsp" and request.method == "POST":
            return self._soap(request, body)
        if request.path == TOKEN_PATH and request.method == "POST":
            return self._grant(body)
        reads = request.method in ("GET", "HEAD") or request.path.startswith("/report/")
        self._log.saw(self.name, f"{request.method} {request.path}", writes=not reads)
        if self.state.cover == "maintenance":
            return _maintenance()
        match request.path:
            case "/r/test":
                return _text(self._test(request), "text/xml")
            case "/nl/jsp/ping.jsp":
                return self._ping(request, "")
            case "/nl/jsp/mcPing.jsp":
                return self._ping(request, self._queue())
            case "/nl/jsp/logon.jsp":
                return self._console()
            case "/report/throughput" if self._known(request):
                return self._report(request)
            case _:
                return self._page(request)

    def _report(self, request: web.BaseRequest) -> web.Response:
        """The throughput of the delivery that was chosen."""
        if not self.state.functions.report:
            return _maintenance()
        stats, chosen = self._moving(STAT), request.query.get("_selection", "")
        return _text(throughput(stats.rows if stats else (), chosen), "text/xml")

    def _console(self) -> web.Response:
        if self.state.functions.console_redirects:
            return web.Response(status=302, headers={"Location": "https://ims.example/login"})
        return _text("<html><form action='logon'></form></html>", "text/html")

    def _page(self, request: web.BaseRequest) -> web.Response:
        """A page of the instance that has nothing to do with sessions."""
        if request.path in ("/r/", "/r") and self.live is not None:
            self.live.click(self._time())
        found = page(self.name, request.path, self._functions())
        if isinstance(found, Page):
            return web.Response(
                body=found.body,
                status=found.status,
                headers={"Content-Type": found.kind} | dict(found.headers),
            )
        return web.Response(status=404, text="Not found")

    def _functions(self) -> Functions:
        """How functions behave at this moment."""
        found = self.state.functions
        if self.live is None or not self.live.clock.within(now(), found.blip):
            return found
        return replace(found, redirect="error")

    def _meets_dead_front(self) -> bool:
        """Whether the balancer hands this request to a front that is dead."""
        dead = self.state.functions.dead_front
        if dead is None:
            return False
        self._turn += 1
        return self._turn % len(self.state.fronts) == dead

    def _time(self) -> datetime:
        return skewed(now(), self.state)

    def _front(self) -> Front:
        """The fronts take turns, as behind a balancer."""
        fronts = self.state.fronts
        if self.state.functions.dead_front is None:
            self._turn += 1
        return fronts[self._turn % len(fronts)]

    def _test(self, request: web.BaseRequest) -> str:
        state, front = self.state, self._front()
        shown = {"status": "OK", "date": _date(self._time(), front.date)}
        if state.cover != "zone" and not state.rtest_hidden:
            shown["build"] = front.build or state.build
            if state.version is not None:
                shown["version"] = state.version
            shown |= {"sha1": state.commit, "instance": state.instance_name}
        shown["sourceIP"] = str(request.remote) if state.source_ip_shown else ""
        if "build" in shown:
            shown |= {"host": str(request.host), "localHost": front.local_host}
        inside = " ".join(f"{name}='{soap.attribute(value)}'" for name, value in shown.items())
        return f"<redir {inside}/>"

    def _queue(self) -> str:
        pending, threshold = self._pending()
        return f"{pending}/{threshold}"

    def _pending(self) -> tuple[int, int]:
        queue = self.state.queue
        return self.live.pending(self._time(), queue) if self.live else queue

    def _ping(self, request: web.BaseRequest, queue: str) -> web.Response:
        if not self._known(request):
            return web.Response(status=403, text="Forbidden")
        pending, threshold = self._pending()
        if queue and pending >= threshold:
            return _text(f"Error\nThe queue is full ({queue})", "text/plain")
        more = f"{queue} pending events\n" if queue else ""
        return _text(
            f"{self.state.functions.ping_case}\n{instant(self._time())}\n{more}", "text/plain"
        )

    def _grant(self, body: bytes) -> web.Response:
        """The identity service, which in truth stands elsewhere."""
        self._log.saw(self.name, f"POST {TOKEN_PATH}", writes=False)
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        status, told = self.sessions.ims.token(form)
        return web.json_response(told, status=status)

    def _known(self, request: web.BaseRequest) -> bool:
        if self.sessions.borne(request.headers.get("Authorization", "")):
            return True
        sent = request.headers.get("X-Session-Token") or request.cookies.get("__sessiontoken", "")
        return self.sessions.valid(sent, request.headers.get("X-Security-Token", ""))

    def _soap(self, request: web.BaseRequest, body: bytes) -> web.Response:
        action = request.headers.get("SOAPAction", "").strip('"')
        self._log.saw(self.name, action or "no SOAPAction", writes=action not in READING)
        if self.state.cover == "maintenance":
            return _maintenance()
        if self.live is not None and self.live.throttled:
            self.live.throttled -= 1
            return web.Response(status=429, headers={"Retry-After": "2"})
        try:
            call = soap.read(body, action)
            return _xml(answer(self._held(call, request), self._context()))
        except soap.SoapError as error:
            return _xml(soap.fault("SOP-330012 Malformed request.", str(error), client=True))
        except FaultError as error:
            return _xml(soap.fault(error.text, error.detail), status=error.status)

    def _held(self, call: soap.Call, request: web.BaseRequest) -> soap.Call:
        """The call with the tokens that its headers hold."""
        borne = self.sessions.borne(request.headers.get("Authorization", ""))
        if borne is not None:
            return replace(call, bearer=borne[0], security=borne[1])
        return replace(call, security=request.headers.get("X-Security-Token") or call.security)

    def _context(self) -> Context:
        return Context(
            state=self.state,
            sessions=self.sessions,
            at=self._time(),
            moving=self._moving,
            push=self._push,
        )

    def _moving(self, schema: str) -> Table | None:
        return table(self.live, schema, self._time()) if self.live else None

    def _push(self, kind: str) -> int:
        """The id of a stored event; 0 where none is taken."""
        return self.live.push(kind, self._time(), self.state.queue) if self.live else 0


def _date(at: datetime, form: DateForm) -> str:
    match form:
        case "zone":
            return instant(at).removesuffix("Z") + "+00"
        case "zulu":
            return instant(at)
        case "slashes":
            return at.strftime("%Y/%m/%d %H:%M:%S")


def _text(body: str, content_type: str) -> web.Response:
    return web.Response(text=body, content_type=content_type, charset="utf-8")


def _xml(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="text/xml", charset="utf-8")


def _maintenance() -> web.Response:
    return _text(MAINTENANCE, "text/html")
