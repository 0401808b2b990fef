# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""An HTTP server of a few lines on a free port of loopback, and a scripted Campaign on it."""

import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

TOKEN = "___5e8c1f0a-1111-2222-3333-444455556666"  # a canary that must never be recorded
SECURITY = "@Xy12345678901234567890123456789012345678901234567890=="
PASSWORD = "s3cret/&<pass>"  # a canary that must never be recorded
OPERATOR = "wave-operator"


@dataclass(frozen=True, slots=True)
class Got:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Say:
    """What to answer. body may be a generator of pieces, sent as they come."""

    body: bytes = b""
    status: int = 200
    kind: str = "text/xml"
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Callable[[], object] | None = None


class _Server(ThreadingHTTPServer):
    """A peer that was killed in the middle of a request is worth no traceback."""

    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of everything but a broken connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # passed on


class TinyHttp:
    """Answers by a function until left. got: every request, in order.

    drop: close each connection after its answer without saying so.
    """

    def __init__(self, answer: Callable[[Got], Say], *, drop: bool = False) -> None:
        self.got: list[Got] = []
        handler = _handler(answer, self.got, drop=drop)
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """The base without a final slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


def _handler(
    answer: Callable[[Got], Say], got: list[Got], *, drop: bool
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # header and body in one segment: no wait for a delayed acknowledgement

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            request = Got(
                method=self.command,
                path=self.path,
                headers={k.lower(): v for k, v in self.headers.items()},
                body=self.rfile.read(length),
                peer=self.client_address,
            )
            got.append(request)
            say = answer(request)
            if "Date" in say.headers:
                self.send_response_only(say.status)
            else:
                self.send_response(say.status)
            self.send_header("Content-Type", say.kind)
            for name, value in say.headers.items():
                self.send_header(name, value)
            if say.pieces is None:
                self.send_header("Content-Length", str(len(say.body)))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            try:
                self.wfile.write(say.body)
                if say.pieces is not None:
                    for piece in say.pieces():  # type: ignore[attr-defined] # a generator function
                        self.wfile.write(piece)
                        self.wfile.flush()
            except OSError:
                self.close_connection = True
            self.close_connection = self.close_connection or drop

        do_GET = do_POST = _serve  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


ENVELOPE = (
    b'<?xml version="1.0"?><SOAP-ENV:Envelope '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>%s</SOAP-ENV:Body>'
    b"</SOAP-ENV:Envelope>"
)


def soap(inner: str) -> bytes:
    """An envelope around a body."""
    return ENVELOPE % inner.encode()


def fault(code: str, text: str) -> bytes:
    """A SOAP fault whose cause stands in the detail."""
    return soap(
        "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>SOP-330011 Error while "
        f"executing the method.</faultstring><detail>{code} {text}</detail></SOAP-ENV:Fault>"
    )


REDIR = (
    b"<redir status='OK' date='2024-01-17 02:02:07.963Z' build='9282' sha1='8f3ef8e' "
    b"instance='acme_mkt_prod1' localHost='front-%d'/>"
)
LOGON = (
    '<LogonResponse xmlns="urn:xtk:session"><pstrSessionToken>{token}</pstrSessionToken>'
    '<pSessionInfo><sessionInfo hint="{token}"><serverInfo buildNumber="9282" commitId="8f3ef8e" '
    'instanceName="acme_mkt_prod1" databaseId="uFE8" releaseName="8.5.1"/>'
    '<userInfo login="{operator}"><installed-package namespace="nms" name="core"/></userInfo>'
    "</sessionInfo></pSessionInfo><pstrSecurityToken>{security}</pstrSecurityToken>"
    "</LogonResponse>"
)


class TinyCampaign:
    """Campaign's router by the book; a test replaces single answers by action.

    rows: how many workflows there are. fronts: how many answer /r/test in turn.
    """

    def __init__(self, *, rows: int = 3, fronts: int = 2, **instead: Say) -> None:
        self.rows = rows
        self.fronts = fronts
        self.looks = 0
        self.actions: list[str] = []
        self.instead = instead

    def __call__(self, got: Got) -> Say:
        """The answer to one request."""
        action = got.headers.get("soapaction", "").partition("#")[2] or "redir"
        self.actions.append(action)
        if action in self.instead:
            return self.instead[action]
        return Say(self._answer(action, got))

    def _answer(self, action: str, got: Got) -> bytes:
        match action:
            case "redir":
                self.looks += 1
                return REDIR % (self.looks % self.fronts)
            case "Logon":
                made = LOGON.format(token=TOKEN, security=SECURITY, operator=OPERATOR)
                return soap(made)
            case "GetUserInfo":
                return soap("<GetUserInfoResponse><p><userInfo/></p></GetUserInfoResponse>")
            case "GetOption":
                return self._option(got)
            case "ExecuteQuery":
                return self._query(got.body.decode())
            case _:
                return soap(f'<{action}Response xmlns="urn:xtk:session"/>')

    def _option(self, got: Got) -> bytes:
        known = b"NmsServer_LastPostUpgrade" in got.body
        value, kind = ("9236", 6) if known else ("", 0)
        return soap(
            f"<GetOptionResponse><pstrValue>{value}</pstrValue><pbtType>{kind}</pbtType>"
            "</GetOptionResponse>"
        )

    def _query(self, body: str) -> bytes:
        if 'operation="count"' in body:
            inner = '<delivery count="5"/>'
        else:
            after = re.search(r"@id &gt; (-?\d+)", body)
            lines = re.search(r'lineCount="(\d+)"', body)
            first = int(after[1]) + 1 if after else 1
            last = min(self.rows, first + int(lines[1] if lines else "200") - 1)
            rows = "".join(
                f'<workflow id="{i}" internalName="wf{i}" state="11"/>'
                for i in range(first, last + 1)
            )
            inner = f"<workflow-collection>{rows}</workflow-collection>"
        return soap(f"<ExecuteQueryResponse><pdom>{inner}</pdom></ExecuteQueryResponse>")
