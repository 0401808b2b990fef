# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""pyspf, asked about one address over a table: an oracle that shares no code with ours."""

from collections.abc import Iterator
from typing import Any

import spf  # type: ignore[import-untyped] # ships no types
from dns.name import Name
from tests.mailauth.zones import absolute

from wavegate.answer import Found, Lookup, Unknown


def _values(rdtype: str, rdata: Any) -> Any:
    match rdtype:
        case "TXT":
            return rdata.strings
        case "MX":
            return rdata.preference, rdata.exchange.to_text(omit_final_dot=True)
        case "PTR":
            return rdata.target.to_text(omit_final_dot=True)
        case _:
            return rdata.address


def ask(table: Lookup, ip: str, sender: str, helo: str) -> str:
    """The result of pyspf in strict mode."""

    def lookup(name: str, rdtype: str, *_: object) -> Iterator[tuple[tuple[str, str], Any]]:
        asked: Name = absolute(name)
        answer = table(asked, rdtype)
        if isinstance(answer, Unknown):
            raise spf.TempError(answer.reason)
        if isinstance(answer, Found):
            for rdata in answer.rdatas:
                yield (name, rdtype), _values(rdtype, rdata)

    spf.DNSLookup = lookup
    query = spf.query(i=ip, s=sender, h=helo, receiver="r.example", strict=True)
    return str(query.check()[0])
