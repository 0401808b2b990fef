# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Zone files of a sender, as an operator would write them."""

import threading
from base64 import b64encode
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.real.judging import DOMAIN, IPS
from tests.real.names import ADDRESSES, Zones

SENDER, PARENT, REVERSE = f"{DOMAIN}.", "example.", "127.in-addr.arpa."
NEVER_SENDS = "192.0.2.200"
_LOCK = threading.Lock()
NOTE = "longer than a datagram may be " * 50


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state of the zones. serial: of all of them. key: what the DKIM key follows from."""

    serial: int
    policy: str = "v=spf1 ip4:127.10.3.8/29 include:_spf.mailer.example -all"
    key: str = "the first"
    dmarc: str = "v=DMARC1; p=reject; rua=mailto:dmarc@acme.example"
    pointer: str = f"r12.{DOMAIN}."
    delegation: str = ""
    """DS records of the sender's zone."""

    def zones(self) -> Zones:
        """The zone files by origin."""
        return {SENDER: self._sender(), PARENT: self._parent(), REVERSE: self._reverse()}

    def _apex(self, origin: str) -> str:
        soa = f"ns1.mailer.example. host.mailer.example. {self.serial} 7200 900 1209600 300"
        rows = [f"{origin} 300 IN SOA {soa}"]
        rows += [f"{origin} 300 IN NS ns{n}.mailer.example." for n in (1, 2)]
        return "\n".join(rows)

    def _sender(self) -> str:
        hosts = "\n".join(f"r{ip.rpartition('.')[2]} 300 IN A {ip}" for ip in IPS)
        return f"""$ORIGIN {SENDER}
{self._apex(SENDER)}
@ 300 IN TXT "{self.policy}"
@ 300 IN MX 10 inbound
inbound 300 IN A {NEVER_SENDS}
_dmarc 300 IN TXT "{self.dmarc}"
acc1._domainkey 300 IN TXT {strings(f"v=DKIM1; k=rsa; p={public_key(self.key)}")}
acc2._domainkey 300 IN TXT {strings(f"v=DKIM1; k=rsa; n={NOTE}; p={public_key('long')}")}
t 300 IN CNAME t1.cust-a.example.
{hosts}
"""

    def _parent(self) -> str:
        servers = "\n".join(f"ns{n}.mailer 300 IN A {ip}" for n, ip in enumerate(ADDRESSES, 1))
        return f"""$ORIGIN example.
{self._apex(PARENT)}
{servers}
_spf.mailer 300 IN TXT "v=spf1 ip4:192.0.2.0/28 -all"
t1.cust-a 300 IN A 203.0.113.10
{SENDER} 300 IN NS ns1.mailer
{SENDER} 300 IN NS ns2.mailer
{self.delegation}
"""

    def _reverse(self) -> str:
        return f"""$ORIGIN {REVERSE}
{self._apex(REVERSE)}
11.3.10 300 IN PTR r11.{DOMAIN}.
12.3.10 300 IN PTR {self.pointer}
"""


def private_key(name: str) -> RSAPrivateKey:
    """The key of a name, made once per run, whichever thread asks first."""
    with _LOCK:
        return _made(name)


@cache
def _made(name: str) -> RSAPrivateKey:
    del name
    return generate_private_key(65537, 2048)


def public_key(name: str) -> str:
    """What `p=` says of it."""
    public = private_key(name).public_key()
    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def strings(text: str) -> str:
    """The text as a TXT record is written, in strings of at most 255 octets."""
    parts = [text[start : start + 255] for start in range(0, len(text), 255)]
    return " ".join(f'"{part}"' for part in parts)
