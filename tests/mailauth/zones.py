# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A DNS made of a table: name -> rows of {TYPE: value}, as the conformance suite writes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import dns.name
import dns.rdata
from dns.name import Name

from wavegate.answer import Answer, Found, NoData, NoSuchName, Unknown
from wavegate.mailauth.names import name_from_labels

Zone = Mapping[str, Sequence[Any]]
MAX_CHAIN = 10


def absolute(text: str) -> Name:
    """A name of a table; whatever octets, no escapes."""
    if not text.strip("."):
        return dns.name.root
    name = name_from_labels(tuple(text.removesuffix(".").split(".")))
    assert name is not None, text
    return name


def rdata(kind: str, value: Any) -> dns.rdata.Rdata:
    """One record of a table."""
    if kind == "TXT":
        strings = [value] if isinstance(value, str | bytes) else list(value)
        octets = (text if isinstance(text, bytes) else text.encode() for text in strings)
        wire = b"".join(bytes([len(part)]) + part for text in octets for part in _cut(text))
        return dns.rdata.from_wire("IN", kind, wire, 0, len(wire))
    if kind in ("PTR", "CNAME", "MX"):
        host = absolute(str(value[1] if kind == "MX" else value)).to_wire()
        assert host is not None
        wire = (int(value[0]).to_bytes(2, "big") if kind == "MX" else b"") + host
        return dns.rdata.from_wire("IN", kind, wire, 0, len(wire))
    return dns.rdata.from_text("IN", kind, str(value).lower())


def _cut(octets: bytes) -> list[bytes]:
    return [octets[at : at + 255] for at in range(0, max(len(octets), 1), 255)]


class Table:
    """A Lookup over a zone: TIMEOUT rows, SPF rows that stand for TXT."""

    def __init__(self, zone: Zone) -> None:
        self.rows: dict[Name, dict[str, list[Any]]] = {}
        self.silent: set[Name] = set()
        for owner, rows in zone.items():
            self._add(absolute(owner), rows)

    def _add(self, owner: Name, rows: Sequence[Any]) -> None:
        kinds = self.rows.setdefault(owner, {})
        for row in rows:
            if row == "TIMEOUT":
                self.silent.add(owner)
                continue
            ((kind, value),) = row.items()
            kinds.setdefault(kind, []).append(value)
        spf = kinds.pop("SPF", [])
        kinds.setdefault("TXT", spf)
        if kinds["TXT"] == ["NONE"] or (not kinds["TXT"] and not spf):
            del kinds["TXT"]

    def __call__(self, name: Name, rdtype: str) -> Answer:
        """The answer to a question, CNAMEs followed."""
        chain: list[Name] = []
        while len(chain) <= MAX_CHAIN:
            owner = chain[-1] if chain else name
            kinds = self.rows.get(owner)
            if kinds is None:
                return NoSuchName(tuple(chain))
            if "CNAME" in kinds:
                chain.append(absolute(kinds["CNAME"][0]))
                continue
            return self._of(owner, kinds.get(rdtype, []), rdtype, tuple(chain))
        return NoData(tuple(chain))

    def _of(self, owner: Name, values: list[Any], rdtype: str, chain: tuple[Name, ...]) -> Answer:
        if values == ["TIMEOUT"] or (not values and owner in self.silent):
            return Unknown("timeout")
        rdatas = tuple(rdata(rdtype, value) for value in values if value != [])
        return Found(rdatas, chain) if rdatas else NoData(chain)
