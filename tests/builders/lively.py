# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A Campaign with all functions that a watch probes, on TinyHttp, and an estate that names it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.builders.estates import WAVE, estate, instance, wave
from tests.builders.tiny_http import LOGON, OPERATOR, PASSWORD, SECURITY, TOKEN, Got, Say, soap

from wavegate.estate.model import Estate, Window
from wavegate.observe.functions.facing import Facing

TIME = "2024-01-16 22:00:00.500Z"
REDIR = f"<redir status='OK' date='{TIME}' build='9282'/>".encode()
TABLES: Mapping[str, tuple[str, ...]] = {
    "nms:trackingLogRcp": (f'<trackingLogRcp id="9" logDate="{TIME}"/>',),
    "nms:delivery": ('<delivery id="4001"/>',),
    "nms:broadLogRcp": (f'<broadLogRcp id="7" eventDate="{TIME}"/>',),
    "xtk:workflow": (
        f'<workflow id="2" internalName="tracking" state="11" failed="0" processDate="{TIME}"/>',
        '<workflow id="1" internalName="drawer" state="0" failed="0"/>',
    ),
}


@dataclass
class Lively:
    """Answers everything rightly; a test replaces single answers by path or SOAP method.

    once: replaced only the first time. tables: rows by schema. calls: what was asked, in order.
    """

    instead: dict[str, Say] = field(default_factory=dict)
    once: dict[str, Say] = field(default_factory=dict)
    tables: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(TABLES))
    calls: list[str] = field(default_factory=list)
    events: str = "8231"

    def __call__(self, got: Got) -> Say:
        """The answer to one request."""
        path = got.path.partition("?")[0]
        method = got.headers.get("soapaction", "").partition("#")[2]
        key = method or path
        self.calls.append(key)
        if key in self.once:
            return self.once.pop(key)
        if key in self.instead:
            return self.instead[key]
        return Say(self._soap(method, got)) if method else self._page(path, got)

    def _page(self, path: str, got: Got) -> Say:
        known = got.headers.get("x-session-token") == TOKEN
        match path:
            case "/r/test":
                return Say(REDIR)
            case "/r/seed":
                return Say(status=302, headers={"Location": "https://shop.example/new?a=b"})
            case "/mirror":
                return Say(b"<html>a seed for you</html>", kind="text/html")
            case "/nl/jsp/logon.jsp":
                return Say(b"<html><FORM></FORM></html>", kind="text/html")
            case "/nl/jsp/ping.jsp" if known:
                return Say(f"Ok\n{TIME}\n".encode(), kind="text/plain")
            case "/nl/jsp/mcPing.jsp" if known:
                return Say(f"Ok\n{TIME}\n7/400 pending events\n".encode(), kind="text/plain")
            case "/report/throughput" if known:
                return Say(b"<ctx><data/></ctx>")
            case "/res/a.png":
                return Say(b"\x89PNG", kind="image/png")
            case _:
                return Say(b"Not found", status=404, kind="text/plain")

    def _soap(self, method: str, got: Got) -> bytes:
        match method:
            case "Logon":
                made = LOGON.format(token=TOKEN, security=SECURITY, operator=OPERATOR)
                return soap(made)
            case "GetServerTime":
                return soap(f"<GetServerTimeResponse><t>{TIME}</t></GetServerTimeResponse>")
            case "PushEvent":
                return soap(f"<PushEventResponse><plId>{self.events}</plId></PushEventResponse>")
            case "ExecuteQuery":
                return self._rows(got.body.decode())
            case _:
                return soap(f"<{method}Response><p/></{method}Response>")

    def _rows(self, body: str) -> bytes:
        match = re.search(r'schema="([^"]+)"', body)
        schema = match[1] if match else ""
        name = schema.partition(":")[2]
        rows = "".join(self.tables.get(schema, ()))
        inner = f"<{name}-collection>{rows}</{name}-collection>"
        return soap(f"<ExecuteQueryResponse><p>{inner}</p></ExecuteQueryResponse>")


def alive(
    url: str,
    base: Path,
    *,
    names: tuple[str, ...] = ("acme-prod1",),
    opens: timedelta = timedelta(hours=1),
    length: timedelta = timedelta(hours=1),
    policy: Mapping[str, object] | None = None,
    functions: Mapping[str, object] | None = None,
) -> Estate:
    """An estate whose instances are at a url; credentials are files in `base`."""
    (base / "operator").write_text(OPERATOR)
    (base / "password").write_text(PASSWORD)
    start = datetime.now(UTC) + opens
    found = estate(
        *(
            instance(
                name,
                url=url,
                credentials={"operator": "file:operator", "password": "file:password"},
                functions=dict(functions or {}),
            )
            for name in names
        ),
        waves=(wave(WAVE, *names, window=Window(start=start, end=start + length), notices=()),),
    )
    fields = {"reachable_private": ["127.0.0.0/8"], "too_slow": "2s", **(policy or {})}
    return found.model_copy(update={"policy": type(found.policy).model_validate(fields)})


def facing(estate: Estate, base: Path, window: timedelta = timedelta(hours=1)) -> Facing:
    """How the first instance is faced."""
    return Facing(estate=estate, instance=estate.instances[0], window=window, base=base)
