# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The value types of the estate file: instants, durations, addresses, names, secret references.

Each is an annotated type whose validator raises ValueError with a sentence a person can act on.
"""

import ipaddress
import re
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import idna
from pydantic import BeforeValidator, PlainSerializer

from wavegate.clock import format_duration, format_instant, parse_duration, parse_instant

REFERENCE = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:[^:/]+[:/].+)")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone: write a Z or an offset such as +01:00")
        return parse_instant(value.isoformat())
    if isinstance(value, date):
        return parse_instant(value.isoformat())
    if not isinstance(value, str):
        raise ValueError("expected an instant such as 2024-01-16T22:00:00Z")  # noqa: TRY004 - pydantic collects ValueError
    try:
        return parse_instant(value)
    except ValueError as error:
        raise ValueError(f"expected an instant with a zone: {error}") from error


def _end_of_day(value: object) -> datetime:
    """An instant; a bare date means the end of that day (design, rule 9)."""
    bare = isinstance(value, date) and not isinstance(value, datetime)
    if bare or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return _instant(value) + timedelta(days=1)
    return _instant(value)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if value == 0:
        return timedelta()
    if not isinstance(value, str):
        raise ValueError("expected a duration with a unit, such as 5s, 60m or 85h")  # noqa: TRY004 - pydantic collects ValueError
    return parse_duration(value)


def _ip(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected an IP address in quotes")  # noqa: TRY004 - pydantic collects ValueError
    if "%" in value:
        raise ValueError(f"{value!r}: an address with a zone id cannot send mail")
    address = ipaddress.ip_address(value)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _network(value: object) -> str:
    return str(ipaddress.ip_network(str(value)))


def domain_name(value: object) -> str:
    """A domain name as lower-case A-labels without the final dot; U-labels by IDNA 2008.

    Raises ValueError for what is no host name (empty labels, too long, one label only).
    """
    if not isinstance(value, str):
        raise ValueError("expected a domain name")  # noqa: TRY004 - pydantic collects ValueError
    text = value.strip().rstrip(".")
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f"{value!r} is no domain name: {error}") from error
    text = text.lower()
    labels = text.split(".")
    if len(labels) < 2 or len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{value!r} is no domain name")
    return text


def _selector(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a DKIM selector")  # noqa: TRY004 - pydantic collects ValueError
    text = value.lower()
    if not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise ValueError(f"{value!r} is no DKIM selector (RFC 6376 3.1)")
    return text


def _zone(value: object) -> str:
    """A zone name with the final dot, as the keys of `authoritative` are written."""
    text = str(value).strip().rstrip(".").lower()
    if text and not all(re.fullmatch(r"[a-z0-9_/-]{1,63}", label) for label in text.split(".")):
        raise ValueError(f"{value!r} is no zone name")
    return text + "."


def _server(value: object) -> str:
    """`192.0.2.1`, `192.0.2.1:5300` or `[2001:db8::1]:53`, normalised to host:port form."""
    host, port = split_host_port(str(value), default=53)
    return join_host_port(host, port)


def split_host_port(text: str, *, default: int | None = None) -> tuple[str, int]:
    """`host:port`, `[v6]:port`, or a bare address with a default port, to its parts.

    Raises ValueError where there is no port and no default, or the port is not 1..65535.
    """
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d+))?|([^:\s]+)(?::(\d+))?", text)
    if match is None:
        bare = str(ipaddress.ip_address(text))
        if default is None:
            raise ValueError(f"{text!r} has no port")
        return bare, default
    host = match[1] or match[3]
    port = int(match[2] or match[4] or default or 0)
    if not 0 < port < 65536:
        raise ValueError(f"{text!r} needs a port from 1 to 65535")
    return host, port


def join_host_port(host: str, port: int) -> str:
    """The text form of a socket address, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _resolver(value: object) -> str:
    host, port = split_host_port(str(value), default=53)
    return join_host_port(str(ipaddress.ip_address(host)), port)


def _reference(value: object) -> str:
    if not isinstance(value, str) or not REFERENCE.fullmatch(value):
        raise ValueError(
            "a secret must not stand in the estate file: write a reference, "
            "env:NAME, file:PATH or keyring:SERVICE/USER"
        )
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            "a name has 1 to 63 characters of A-Z a-z 0-9 . _ - first a letter or digit"
        )
    return value


def _ppm(value: object) -> int:
    """A share from 0 to 1 kept as whole parts per million, so that records hold no floats."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected a share such as 0.10")  # noqa: TRY004 - pydantic collects ValueError
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError(f"{value!r} is not a share from 0 to 1")
    return round(share * 1_000_000)


def _ppm_text(ppm: int) -> str:
    return f"{ppm / 1_000_000:.6f}".rstrip("0").rstrip(".") or "0"


Instant = Annotated[datetime, BeforeValidator(_instant), PlainSerializer(format_instant)]
EndOfDay = Annotated[datetime, BeforeValidator(_end_of_day), PlainSerializer(format_instant)]
Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(format_duration)]
Auto = Literal["auto"]
Ip = Annotated[str, BeforeValidator(_ip)]
Network = Annotated[str, BeforeValidator(_network)]
Domain = Annotated[str, BeforeValidator(domain_name)]
Zone = Annotated[str, BeforeValidator(_zone)]
Selector = Annotated[str, BeforeValidator(_selector)]
Server = Annotated[str, BeforeValidator(_server)]
Resolver = Annotated[str, BeforeValidator(_resolver)]
Reference = Annotated[str, BeforeValidator(_reference)]
Name = Annotated[str, BeforeValidator(_name)]
Share = Annotated[int, BeforeValidator(_ppm), PlainSerializer(_ppm_text, return_type=str)]
