# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What clients make of the lab's TLS front in each of its states, and that it hands on."""

import asyncio
import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from wavegate.lab.campaign_state import Secure
from wavegate.lab.serve import running
from wavegate.lab.tls_front import HOST, Authority, TlsFront

PAST = datetime.now(UTC) - timedelta(minutes=10)


@dataclass
class Served:
    """A front that runs in a thread, and what it shows."""

    url: str
    root: Path
    shown: list[Secure] = field(default_factory=lambda: [Secure()])

    def ask(self, context: ssl.SSLContext | None = None) -> bytes:
        """The answer to a request over it."""
        trusting = context or ssl.create_default_context(cafile=str(self.root))
        place = urlsplit(self.url).netloc
        connection = http.client.HTTPSConnection(place, timeout=5, context=trusting)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read()
        finally:
            connection.close()


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The front before a server that says hello; the window opened ten minutes ago."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, PAST)
    authority.publish()
    found = Served(url="", root=folder / "ca.pem")
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            inner = await asyncio.start_server(_hello, "127.0.0.1", 0)
            stack.callback(inner.close)
            behind = f"http://127.0.0.1:{inner.sockets[0].getsockname()[1]}"
            front = TlsFront(authority, lambda: found.shown[-1], behind)
            await front.start(stack)
            found.url = front.url
            ready.set()
            await stop.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield found
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.mark.parametrize("shown", [Secure(), Secure(certificate="renewed"), Secure(tls12=False)])
def test_a_good_front_hands_on(served: Served, shown: Secure) -> None:
    """A client that trusts the root gets what the server behind says."""
    served.shown.append(shown)
    assert served.ask() == b"hello"


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (Secure(certificate="expired"), "expired"),
        (Secure(certificate="another"), "localhost"),
        (Secure(whole=False), "unable to get local issuer"),
    ],
)
def test_a_bad_certificate_is_refused(served: Served, shown: Secure, why: str) -> None:
    """For the reason that the catalogue tells, and for no other."""
    served.shown.append(shown)
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        served.ask()


def old(served: Served) -> ssl.SSLContext:
    """A client that knows TLS 1.2 only."""
    found = ssl.create_default_context(cafile=str(served.root))
    found.maximum_version = ssl.TLSVersion.TLSv1_2
    return found


def test_an_old_version_is_spoken(served: Served) -> None:
    """As long as the front has not dropped it."""
    served.shown.append(Secure())
    assert served.ask(old(served)) == b"hello"


def test_an_old_version_can_be_dropped(served: Served) -> None:
    """Its client is told by an alert (RFC 8446 6.2), as by real fronts, and not only hung up on."""
    served.shown.append(Secure(tls12=False))
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol version"):
        served.ask(old(served))


def test_one_kind_is_one_certificate(served: Served) -> None:
    """What is dropped is a version or a link of the chain, and nothing else with it."""
    seen = set()
    for shown in (Secure(), Secure(whole=False), Secure(tls12=False)):
        served.shown.append(shown)
        seen.add(ssl.get_server_certificate(("127.0.0.1", urlsplit(served.url).port or 0)))
    assert len(seen) == 1


def test_the_estate_leads_links_over_the_front(tmp_path: Path) -> None:
    """Link and mirror page are https, and the file that it names as authority is there."""
    with running("single", tmp_path, faults=("benign-cert-renewed",), opens_in=timedelta(hours=1)):
        tree = YAML(typ="safe").load(tmp_path / "estate.yaml")
        (told,) = (item for item in tree["instances"] if item["name"] == "acme-prod1")
        assert told["tls"] == {"ca": "file:ca.pem"}
        assert (tmp_path / "ca.pem").read_bytes().startswith(b"-----BEGIN CERTIFICATE")
        for name in ("tracking", "seed_link", "mirror_page"):
            assert told["functions"][name]["url"].startswith(f"https://{HOST}:")
        url = told["functions"]["tracking"]["url"]
        seen = Served(url=url, root=tmp_path / "ca.pem")
        assert seen.ask()
