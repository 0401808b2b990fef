# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""One HTTP exchange, bounded in size and in total time, raw bytes kept. No redirects, no proxies.

A time-out per read does not bound a server that drips; so a time limit shuts the connection's
socket when the total time is up, wherever the exchange stands.
"""

import functools
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager

from wavegate import clock
from wavegate.observe.routes import raise_if_ours
from wavegate.observe.time_limit import limit

CHUNK = 64 * 1024
AGENT = "wavegate"
MAX_RETRY_AFTER = 60
KEPT = 32
RESET = "connection reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """seconds: total time of one exchange, waiting for a 429 included. size: bytes of a body."""

    seconds: float = 10.0
    size: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What came of a request. status: None where no response came; failure: why it is no answer.

    headers: as received, names in lower case; whoever records them cuts secrets first.
    """

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    failure: str | None = None
    retried: str | None = None

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class _Guard:
    """Ends an exchange when its time is up by shutting the socket under it."""

    def __init__(self) -> None:
        self.expired = False
        self._sock: socket.socket | None = None
        self._lock = threading.Lock()

    def watch(self, sock: socket.socket) -> None:
        with self._lock:
            self._sock = sock
            if self.expired:
                self._shut()

    def expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def done(self) -> None:
        """It ended; its socket may serve another exchange from now on."""
        with self._lock:
            self._sock = None

    def _shut(self) -> None:
        if self._sock is not None:
            with suppress(OSError, ValueError):
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


_current = threading.local()
_ONE_AT_A_TIME = threading.Lock()


def _watched(connection: HTTPConnection) -> None:
    guard: _Guard | None = getattr(_current, "guard", None)
    if guard is not None and connection.sock is not None:
        guard.watch(connection.sock)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _watched(self)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _watched(self)
        super().putrequest(*args, **kwargs)


class _Tls(HTTPSConnection):
    def connect(self) -> None:
        super().connect()  # Python bounds the handshake as a whole by the time-out
        _watched(self)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _watched(self)
        super().putrequest(*args, **kwargs)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    """Trusts by one shared context; requests would load its CA file for each pool."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **_: Any
    ) -> None:
        """Make the pool with our own TLS context and connection classes."""
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=self._context
        )
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context verifies; nothing is to be set on the connection."""


def shared_context() -> ssl.SSLContext:
    """The one context of this process: the system's trust store, or certifi's where it is empty."""
    with _ONE_AT_A_TIME:
        return _shared_context()


@functools.cache
def _shared_context() -> ssl.SSLContext:
    return new_context(None)


def new_context(ca_pem: str | None) -> ssl.SSLContext:
    """A context of one's own. ca_pem: trust only these certificates, None as the shared one does.

    Raises ssl.SSLError, ValueError.
    """
    context = ssl.create_default_context(cadata=ca_pem)
    if ca_pem is None and not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)
    return context


def own_context(ca_pem: str) -> ssl.SSLContext:
    """A context that trusts only these certificates. Raises ssl.SSLError, ValueError."""
    with _ONE_AT_A_TIME:
        return _own_context(ca_pem)


@functools.lru_cache(maxsize=64)
def _own_context(ca_pem: str) -> ssl.SSLContext:
    return new_context(ca_pem)


class _Session(requests.Session):
    """Follows no redirect, and does not even work out where one leads."""

    def get_redirect_target(self, resp: Any) -> None:  # noqa: ARG002 - the interface of requests
        return None


class HttpClient:
    """Requests to one instance over one kept connection. Use as a context manager."""

    def __init__(self, limits: HttpLimits, context: ssl.SSLContext | None = None) -> None:
        self._limits = limits
        self._kept = False
        self._ready: dict[object, requests.PreparedRequest] = {}
        self._session = _Session()
        self._session.trust_env = False
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        )
        self._session.cookies.set_policy(_NO_COOKIES)
        adapter = _Adapter(context or shared_context())
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def __enter__(self) -> Self:
        """Nothing is opened before the first request."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        fresh: bool = False,
    ) -> Exchange:
        """One exchange. fresh: over a connection of its own.

        Repeated once, within the total time and for reading requests only: a 429 as its
        Retry-After says, and a kept connection that the server had closed meanwhile.
        Raises NoRouteError or InternalError for faults of this machine, nothing for the other
        side's.
        """
        deadline = clock.monotonic() + self._limits.seconds
        if fresh:
            self._forget_connections()
        kept, self._kept = self._kept, not fresh
        first = self._timed(method, url, headers, body, deadline)
        if fresh:
            self._forget_connections()  # the server closes it, perhaps only in a moment
        wait, why = _retry_after(first), "HTTP 429"
        if kept and first.status is None and first.failure == RESET:
            wait, why = 0, "a kept connection was closed"
        if wait is None or clock.monotonic() + wait >= deadline:
            return first
        threading.Event().wait(wait)
        self._forget_connections()  # the server may be closing the one that carried the first
        self._kept = not fresh
        second = self._timed(method, url, headers, body, deadline)
        return replace(second, retried=f"{why}, after {wait} s")

    def _forget_connections(self) -> None:
        self._kept = False
        self._session.close()

    def _timed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> Exchange:
        guard = _Guard()
        left = max(0.001, deadline - clock.monotonic())
        _current.guard = guard
        limited = limit(clock.monotonic() + left, guard.expire)
        try:
            return self._exchange(method, url, headers, body, left, guard)
        finally:
            limited.lift()
            guard.done()
            _current.guard = None

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        left: float,
        guard: _Guard,
    ) -> Exchange:
        response: requests.Response | None = None
        got = bytearray()
        failure: str | None = None
        try:
            response = self._session.send(
                self._prepared(method, url, headers, body),
                stream=True,
                allow_redirects=False,
                timeout=left,
                proxies={},
            )
            failure = self._read(response, got, guard)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            _raise_ours(error, url)
            failure = "timeout" if guard.expired else _why(error)
        finally:
            if response is not None:
                response.close() if failure else response.raw.release_conn()
        return Exchange(
            status=response.status_code if response is not None else None,
            headers=_headers(response),
            body=bytes(got),
            failure=failure,
        )

    def _prepared(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> requests.PreparedRequest:
        """A request made ready; a watch repeats the same few, which are kept."""
        key = (method, url, tuple(headers.items()), body)
        found = self._ready.get(key)
        if found is None:
            request = requests.Request(method, url, headers=dict(headers), data=body or None)
            found = self._session.prepare_request(request)
            if len(self._ready) >= KEPT:
                self._ready.clear()
            if len(body) <= CHUNK:
                self._ready[key] = found
        return found

    def _read(self, response: requests.Response, got: bytearray, guard: _Guard) -> str | None:
        """Read the body up to the limit; why it is not whole, or None."""
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            got.extend(chunk)
            if len(got) > self._limits.size:
                del got[self._limits.size :]
                return f"more than {self._limits.size} bytes"
        return "timeout" if guard.expired else None


class _NoCookies(DefaultCookiePolicy):
    """Session tokens are sent by us alone; what a server sets is neither kept nor sent back."""

    def set_ok(self, cookie: Any, request: Any) -> bool:  # noqa: ARG002 - the interface of http.cookiejar
        return False


_NO_COOKIES = _NoCookies()


def _headers(response: requests.Response | None) -> dict[str, str]:
    if response is None:
        return {}
    return {str(name).lower(): str(value) for name, value in response.headers.items()}


def _retry_after(exchange: Exchange) -> int | None:
    """Seconds to wait after a 429; only the form in seconds (RFC 9110 10.2.3) is honoured."""
    if exchange.status != 429:
        return None
    text = exchange.headers.get("retry-after", "")
    return min(int(text), MAX_RETRY_AFTER) if text.isdecimal() and len(text) < 6 else None


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what it wraps: by cause, context, urllib3's `reason`, or its arguments."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo and len(found) < 20:
        this = todo.pop(0)
        if isinstance(this, BaseException) and this not in found:
            found.append(this)
            todo += [this.__cause__, this.__context__, getattr(this, "reason", None), *this.args]
    return found


def _raise_ours(error: BaseException, url: str) -> None:
    for cause in _causes(error):
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError | socket.gaierror):
            raise_if_ours(cause, url)


def _why(error: BaseException) -> str:
    """A short reason that holds nothing but kinds of errors."""
    causes = _causes(error)
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return f"TLS: certificate not trusted ({cause.verify_message})"
            case ssl.SSLError():
                return f"TLS: {cause.reason or 'failed'}"
            case socket.gaierror():
                return "host name not found"
            case ConnectionRefusedError():
                return "connection refused"
            case ConnectionResetError() | BrokenPipeError():
                return RESET
            case TimeoutError():
                return "timeout"
    kinds = [type(cause).__name__ for cause in causes]
    return "timeout" if any("Timeout" in kind for kind in kinds) else f"no answer ({kinds[-1]})"
