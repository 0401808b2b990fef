# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Postfix, which sends from several addresses, and OpenDKIM, which signs what it sends.

A message is handed to Postfix from the address that it is to leave by; its transport binds that
address again, so that each can be deferred, flushed or forgotten for itself.
"""

import json
import shutil
import smtplib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.real.daemons import (
    accepts,
    as_root,
    await_that,
    binary,
    daemon,
    free_port,
    greets,
    run,
)

OPENDKIM = """
Background no
Syslog no
UserID root
RequireSafeKeys false
Mode s
Socket inet:{port}@127.0.0.1
KeyTable file:{folder}/keys
SigningTable refile:{folder}/signing
InternalHosts 127.0.0.0/8
Canonicalization relaxed/relaxed
"""
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
multi_instance_enable = yes
multi_instance_name = postfix-wavegate
maillog_file = /dev/stdout
myhostname = {host}
mydomain = mta.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtp_host_lookup = native
relayhost = [127.0.0.1]:{sink}
smtpd_client_restrictions = check_client_access inline:{{ {routes} }}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_milters = inet:127.0.0.1:{milter}
milter_default_action = tempfail
smtp_tls_security_level = may
smtp_connection_cache_on_demand = no
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
default_process_limit = 20
"""
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
COPIED = ("postfix-files", "dynamicmaps.cf", "dynamicmaps.cf.d", "postfix-files.d")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message as a Campaign writes it. number: goes into its Message-ID, with the delivery."""

    number: int
    domain: str
    recipient: str
    delivery: int = 4001
    subject: str = "news"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        """The Message-ID, which names message and delivery in hexadecimal."""
        return f"<NM6{self.number:08X}{self.delivery:08X}lab@{self.domain}>"

    def text(self) -> bytes:
        """The bytes, without any signature."""
        rows = {
            "From": f"Acme <hello@{self.domain}>",
            "To": self.recipient,
            "Subject": self.subject,
            "Date": format_datetime(datetime.now(UTC)),
            "Message-ID": self.message_id,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            **self.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
        return f"{head}\r\nhello {self.number}\r\n".encode()


@dataclass(frozen=True, kw_only=True)
class Postfix:
    """A running Postfix. port: where it takes mail. helos: by sending address."""

    folder: Path
    port: int
    helos: Mapping[str, str]

    @property
    def _etc(self) -> str:
        return str(self.folder / "etc")

    def submit(self, ip: str, *letters: Letter) -> None:
        """Hand messages over that are to leave by an address."""
        source = (ip, 0)
        with smtplib.SMTP("127.0.0.1", self.port, "app.example", 10, source) as client:
            for letter in letters:
                client.sendmail(f"bounce@{letter.domain}", [letter.recipient], letter.text())

    def configure(self, *settings: str) -> None:
        """Change settings, `name=value`, and let them count for what comes."""
        run(binary("postconf", "postfix"), "-c", self._etc, "-e", *settings)
        run(binary("postfix", "postfix"), "-c", self._etc, "reload")

    def defer(self, ips: Iterable[str]) -> None:
        """Let what is to leave by these addresses wait; all others go on."""
        self.configure(f"defer_transports={','.join(map(transport, ips))}")

    def release(self, *settings: str) -> None:
        """Let everything go, and at once; with other settings, where some are given."""
        self.configure("defer_transports=", *settings)
        run(binary("postqueue", "postfix"), "-c", self._etc, "-f")

    def queue(self) -> tuple[Mapping[str, object], ...]:
        """What waits, as Postfix lists it: queue_id, queue_name, sender, recipients."""
        told = run(binary("postqueue", "postfix"), "-c", self._etc, "-j")
        return tuple(json.loads(line) for line in told.splitlines())

    def lose(self, recipient: str) -> None:
        """Delete the message to an address for good.

        Postfix looks again and again whether it may go; one that is just being looked at is missed.
        """
        await_that(lambda: bool(self._waiting(recipient)), f"mail to {recipient} waits")

        def gone() -> bool:
            for queue_id in self._waiting(recipient):
                run(binary("postsuper", "postfix"), "-c", self._etc, "-d", queue_id)
            return not self._waiting(recipient)

        await_that(gone, f"mail to {recipient} is deleted")

    def _waiting(self, recipient: str) -> list[str]:
        """The ids of what waits for an address."""
        return [str(row["queue_id"]) for row in self.queue() if recipient in json.dumps(row)]

    def settled(self, within: timedelta = timedelta(seconds=20)) -> None:
        """Wait until nothing waits."""
        await_that(lambda: not self.queue(), "the queue is empty", within)


@contextmanager
def opendkim(folder: Path, keys: Mapping[tuple[str, str], RSAPrivateKey]) -> Iterator[int]:
    """OpenDKIM, which signs for each domain with the key of a selector; the port of the milter."""
    program = binary("opendkim", "opendkim")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    named, signing = "", ""
    for place, ((domain, selector), key) in enumerate(keys.items()):
        path = folder / f"{place}.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        )
        named += f"key{place} {domain}:{selector}:{path}\n"
        signing += f"*@{domain} key{place}\n"
    (folder / "keys").write_text(named)
    (folder / "signing").write_text(signing)
    (folder / "opendkim.conf").write_text(OPENDKIM.format(port=port, folder=folder))
    command = (program, "-f", "-x", str(folder / "opendkim.conf"))
    with daemon("opendkim", command, folder, lambda: accepts("127.0.0.1", port)):
        yield port


@contextmanager
def postfix(
    logs: Path, milter: int, sink: int, helos: Mapping[str, str], *, host: str
) -> Iterator[Postfix]:
    """Postfix, once it greets. helos: what it says by sending address. host: its own name."""
    program = binary("postfix", "postfix")
    as_root("Postfix")
    with tempfile.TemporaryDirectory(prefix="wavegate-postfix-") as base:
        folder, port = Path(base), free_port()
        folder.chmod(0o755)  # its parts run as users of their own
        for part in ("etc", "spool", "data"):
            (folder / part).mkdir()
        shutil.chown(folder / "data", "postfix")
        found = Postfix(folder=folder, port=port, helos=helos)
        _write(found, milter, sink, host)
        command = (program, "-c", f"{folder}/etc")
        begin, stop = (*command, "start-fg"), (*command, "stop")
        with daemon("postfix", begin, logs, lambda: greets("127.0.0.1", port), stop=stop):
            yield found


def _write(found: Postfix, milter: int, sink: int, host: str) -> None:
    etc = found.folder / "etc"
    for name in COPIED:
        there = Path("/etc/postfix") / name
        if there.is_dir():
            shutil.copytree(there, etc / name)
        else:
            shutil.copy(there, etc / name)
    routes = ", ".join(
        f"{{ {ip} = FILTER {transport(ip)}:[127.0.0.1]:{sink} }}" for ip in found.helos
    )
    (etc / "main.cf").write_text(
        MAIN.format(folder=found.folder, host=host, sink=sink, routes=routes, milter=milter)
    )
    (etc / "master.cf").write_text(
        SERVICES.format(port=found.port) + _transports(tuple(found.helos.items()))
    )


def _transports(helos: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f"{transport(ip)} unix - - n - - smtp -o smtp_bind_address={ip} -o smtp_helo_name={helo}\n"
        for ip, helo in helos
    )


def transport(ip: str) -> str:
    """The name of the transport that binds an address."""
    return "by-" + ip.replace(".", "-")
