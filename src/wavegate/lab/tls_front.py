# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A TLS front before an instance's web server, with certificates of the lab's own authority.

What it shows is the world's state at each handshake. Behind it bytes are handed on as they come.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from wavegate.lab.campaign_state import Secure

HOST, ROOT = "localhost", "ca.pem"
STRANGER = "t.globex.example"
YEAR = timedelta(days=365)
SOON = timedelta(seconds=1)
"""How long after the opening a certificate ends that is not renewed in time."""
PIECE = 1 << 16
PATIENCE = 10.0
Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Authority:
    """A root, what it signed in between, and certificates of a host. opens: of the window."""

    def __init__(self, folder: Path, opens: datetime) -> None:
        self._folder = folder
        self._opens = opens
        self._contexts: dict[Secure, ssl.SSLContext] = {}
        self._leaves: dict[str, Issued] = {}
        self.root = _issue("the lab's root", None, opens - YEAR, opens + 5 * YEAR)
        self.between = _issue("the lab's issuer", self.root, opens - YEAR, opens + 4 * YEAR)

    def publish(self) -> None:
        """Write the root where clients find what to trust."""
        (self._folder / ROOT).write_bytes(self.root.pem)

    def context(self, shown: Secure) -> ssl.SSLContext:
        """How the front shakes hands; the same each time for the same state."""
        if shown not in self._contexts:
            self._contexts[shown] = self._context(shown)
        return self._contexts[shown]

    def _context(self, shown: Secure) -> ssl.SSLContext:
        leaf = self._leaf(shown.certificate)
        chain = (leaf.pem, self.between.pem) if shown.whole else (leaf.pem,)
        path = self._folder / f"front-{len(self._contexts)}.pem"
        path.touch(mode=0o600)
        path.write_bytes(b"".join((leaf.key_pem, *chain)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.minimum_version = ssl.TLSVersion.TLSv1_2 if shown.tls12 else ssl.TLSVersion.TLSv1_3
        return context

    def _leaf(self, kind: str) -> Issued:
        """The certificate of a kind, the same one however it is shown."""
        if kind not in self._leaves:
            self._leaves[kind] = self._issued(kind)
        return self._leaves[kind]

    def _issued(self, kind: str) -> Issued:
        ends = {"good": self._opens + YEAR, "expired": self._opens.replace(microsecond=0) + SOON}
        until = ends.get(kind, self._opens + 2 * YEAR)
        name = STRANGER if kind == "another" else HOST
        return _issue(name, self.between, self._opens - YEAR / 2, until, host=True)


def _issue(
    name: str, by: Issued | None, since: datetime, until: datetime, *, host: bool = False
) -> Issued:
    """A certificate of an authority or of a host (RFC 5280). by: None for the root itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = key if by is None else by.key
    issuer_key = signer.public_key()
    usage = x509.KeyUsage(
        digital_signature=host, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=not host, crl_sign=not host,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )
    if host:
        named = x509.SubjectAlternativeName([x509.DNSName(name)])
        built = built.add_extension(named, critical=False)
    return Issued(built.sign(signer, hashes.SHA256()), key)


class TlsFront:
    """Listens with TLS and hands on to a web server. shown: what it shows now; behind: its url."""

    def __init__(self, authority: Authority, shown: Callable[[], Secure], behind: str) -> None:
        self.url = ""
        self._authority = authority
        self._shown = shown
        parts = urlsplit(behind)
        self._behind = (str(parts.hostname), int(parts.port or 80))

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen on a free port of 127.0.0.1; closed with the stack."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        stack.callback(server.close)
        self.url = f"https://{HOST}:{server.sockets[0].getsockname()[1]}"

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError):
            session = _Session(self._authority.context(self._shown()), reader, writer)
            async with asyncio.timeout(PATIENCE):
                await session.shake_hands()
            await self._hand_on(session)
            await session.end()
        with suppress(OSError):
            writer.close()

    async def _hand_on(self, session: "_Session") -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self._behind)
        ways = (
            _copy(session.read, inner_writer.write, inner_writer.drain),
            _copy(partial(inner_reader.read, PIECE), session.write, session.send),
        )
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            inner_writer.close()


class _Session:
    """TLS over two streams. asyncio's own drops the alert that says why a handshake failed."""

    def __init__(
        self, context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_side=True)

    async def shake_hands(self) -> None:
        """Raises ssl.SSLError, once the other side was told why."""
        await self._do(self._tls.do_handshake)

    async def read(self) -> bytes:
        """What the other side says; empty at its end. Raises OSError."""
        with suppress(ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return await self._do(partial(self._tls.read, PIECE))
        return b""

    def write(self, data: bytes) -> None:
        """Say something with the next `send`."""
        self._tls.write(data)

    async def send(self) -> None:
        """Send what there is. Raises OSError."""
        self._writer.write(self._goes.read())
        await self._writer.drain()

    async def end(self) -> None:
        """Say goodbye (RFC 8446 6.1), and do not wait for an answer. Raises OSError."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        await self.send()

    async def _do(self, act: Callable[[], Got]) -> Got:
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                pass
            finally:
                await self.send()
            data = await self._reader.read(PIECE)
            if data:
                self._came.write(data)
            else:
                self._came.write_eof()


async def _copy(
    read: Callable[[], Awaitable[bytes]],
    write: Callable[[bytes], None],
    send: Callable[[], Awaitable[None]],
) -> None:
    while data := await read():
        write(data)
        await send()
