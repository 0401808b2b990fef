# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""NSD, Unbound and Knot with zones of a test: who serves what, and from which address."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.zone
from tests.real.daemons import await_that, binary, daemon, free_port, run

ADDRESSES = ("127.53.1.1", "127.53.1.2")
NSD = """
server:
  ip-address: {address}@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  database: ""
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  rrl-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
"""
UNBOUND = """
server:
  interface: 127.0.0.1@{port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
  qname-minimisation: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  infra-host-ttl: 1
"""
KNOT = """
server:
  listen: {address}@{port}
  rundir: "{folder}"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
control:
  listen: "{folder}/knot.sock"
log:
  - target: stdout
    any: info
database:
  storage: "{folder}/db"
policy:
  - id: ours
    algorithm: ecdsap256sha256
    single-type-signing: on
    cds-cdnskey-publish: none
acl:
  - id: anybody
    address: 127.0.0.0/8
    action: transfer
template:
  - id: default
    storage: "{folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    acl: anybody
zone:
  - domain: {origin}
    file: sender.zone
    dnssec-signing: {signing}
    dnssec-policy: ours
"""
LOCAL = (
    "127.in-addr.arpa.",
    "2.0.192.in-addr.arpa.",
    "100.51.198.in-addr.arpa.",
    "113.0.203.in-addr.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
)
"""Zones that Unbound answers by itself unless it is told not to."""
PATIENCE = 0.3
Zones = Mapping[str, str]
"""Zone files by origin, which has its final dot."""


@dataclass(frozen=True, kw_only=True)
class Nsd:
    """A running NSD. server: host:port. process: to be told to read its zones again."""

    address: str
    port: int
    folder: Path
    process: "subprocess.Popen[bytes]"

    @property
    def server(self) -> str:
        """Where it is asked."""
        return f"{self.address}:{self.port}"

    def publish(self, zones: Zones) -> None:
        """Serve other versions of zones; their serial must be another. Returns once it does."""
        for origin, text in zones.items():
            (self.folder / _file(origin)).write_text(text)
        self.process.send_signal(signal.SIGHUP)
        for origin, text in zones.items():
            await_that(partial(self._serves, origin, serial_of(text)), f"{origin} is read again")

    def _serves(self, origin: str, serial: str) -> bool:
        soa = ask(self.address, self.port, origin, "SOA")
        return bool(soa) and soa[0].split()[2] == serial


def serial_of(text: str) -> str:
    """The serial of a zone file whose SOA stands in one line."""
    line = next(line for line in text.splitlines() if " SOA " in line)
    return line.split(" SOA ")[1].split()[2]


def ask(address: str, port: int, name: str, rdtype: str) -> list[str]:
    """The records of a direct question; empty where there is no answer, or none without error."""
    query = dns.message.make_query(name, rdtype)
    try:
        reply = dns.query.udp(query, address, timeout=PATIENCE, port=port)
    except (OSError, dns.exception.DNSException):
        return []
    if reply.rcode() != dns.rcode.NOERROR:
        return []
    return [rdata.to_text() for rrset in reply.answer for rdata in rrset]


@contextmanager
def nsd(folder: Path, address: str, zones: Zones, port: int = 0) -> Iterator[Nsd]:
    """NSD with zones of its own, once it answers. port: 0 for any."""
    program = binary("nsd", "nsd")
    folder.mkdir(parents=True, exist_ok=True)
    held = port or free_port(address)
    text = NSD.format(address=address, port=held, folder=folder)
    for origin, zone in zones.items():
        (folder / _file(origin)).write_text(zone)
        text += f'zone:\n  name: "{origin}"\n  zonefile: "{_file(origin)}"\n'
    (folder / "nsd.conf").write_text(text)
    first = next(iter(zones))
    command = (program, "-d", "-c", str(folder / "nsd.conf"))
    with daemon(
        f"nsd-{address}", command, folder, lambda: bool(ask(address, held, first, "SOA"))
    ) as process:
        yield Nsd(address=address, port=held, folder=folder, process=process)


@contextmanager
def pair(folder: Path, zones: Zones) -> Iterator[tuple[Nsd, Nsd]]:
    """Two NSD with the same zones, on one port of two addresses."""
    with ExitStack() as stack:
        port = free_port(ADDRESSES[0])
        first, second = (
            stack.enter_context(nsd(folder / f"nsd{place}", address, zones, port))
            for place, address in enumerate(ADDRESSES, 1)
        )
        yield first, second


@dataclass(frozen=True, kw_only=True)
class Knot:
    """Where a Knot serves one zone from; its keys stay when it is begun anew."""

    folder: Path
    origin: str
    address: str
    port: int

    @property
    def server(self) -> str:
        """Where it is asked."""
        return f"{self.address}:{self.port}"

    @contextmanager
    def serving(self, zone: str, *, signing: bool) -> Iterator[None]:
        """Knot while it serves a zone file, which it signs or takes as it is."""
        program = binary("knotd", "knot")
        (self.folder / "db").mkdir(parents=True, exist_ok=True)
        (self.folder / "sender.zone").write_text(zone)
        self._config.write_text(
            KNOT.format(
                address=self.address,
                port=self.port,
                folder=self.folder,
                origin=self.origin,
                signing="on" if signing else "off",
            )
        )
        command = (program, "-c", str(self._config))
        with daemon("knot", command, self.folder, self._answers):
            yield

    @property
    def _config(self) -> Path:
        return self.folder / "knot.conf"

    def _answers(self) -> bool:
        return bool(ask(self.address, self.port, self.origin, "SOA"))

    def delegation(self) -> str:
        """The DS records of its keys, as lines for the parent's zone."""
        keymgr = binary("keymgr", "knot")
        return run(keymgr, "-c", str(self._config), self.origin, "ds")

    def transferred(self) -> str:
        """The zone as it is served now, by AXFR, one record a line."""
        zone = dns.zone.from_xfr(
            dns.query.xfr(self.address, self.origin, port=self.port, relativize=False),
            relativize=False,
        )
        return zone.to_text(relativize=False, sorted=True, want_origin=False)


@contextmanager
def unbound(folder: Path, servers: Sequence[Nsd], stubs: Sequence[str]) -> Iterator[str]:
    """Unbound, which asks the servers about everything in the stubs; where it is asked."""
    program = binary("unbound", "unbound")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    text = UNBOUND.format(port=port, folder=folder)
    text += "".join(f'  local-zone: "{zone}" nodefault\n' for zone in LOCAL)
    for stub in stubs:
        text += f'stub-zone:\n  name: "{stub}"\n'
        text += "".join(f"  stub-addr: {one.address}@{one.port}\n" for one in servers)
    (folder / "unbound.conf").write_text(text)
    command = (program, "-d", "-c", str(folder / "unbound.conf"))

    def ready() -> bool:
        return bool(ask("127.0.0.1", port, stubs[0], "SOA"))

    with daemon("unbound", command, folder, ready):
        yield f"127.0.0.1:{port}"


def _file(origin: str) -> str:
    return f"{origin.rstrip('.') or 'root'}.zone"
