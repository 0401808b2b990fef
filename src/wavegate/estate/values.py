# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The value types of the estate file: instants, durations, addresses, names, secret references.

Each is an annotated type whose validator raises UnreadableError: what is wrong, and the cure.
"""

import ipaddress
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit, urlunsplit

import idna
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from wavegate.clock import format_duration, format_instant, parse_duration, parse_instant

REFERENCE = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:[^:/]+[:/].+)")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=3660)
MAX_TEXT = 4096
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that no text of an estate may hold: controls but tab and newline, lone surrogates."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_CAUSE = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAILY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_PATTERN = re.compile(r"[^@\s]+@[^@\s]+")

_INSTANT_CURE = "write date, time and zone, such as 2024-01-16T22:00:00Z"
_DURATION_CURE = "write a number and a unit, such as 5s, 60m, 85h or 15d"
_IP_CURE = "write one IPv4 or IPv6 address, such as 192.0.2.10 or 2001:db8::10"
_DOMAIN_CURE = "write a full name, such as news.acme.example"
_SERVER_CURE = "write host:port, such as 192.0.2.53:53 or [2001:db8::53]:53"
_URL_CURE = "write it out, such as https://acme.campaign.example.com"


class UnreadableError(ValueError):
    """A value that cannot be read. what: what is wrong; cure: what to write instead.

    at: where below the value it stands, as keys and indices.
    """

    def __init__(self, what: str, cure: str, *, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{what}; {cure}")
        self.what = what
        self.cure = cure
        self.at = at


def _text(value: object, expected: str, cure: str) -> str:
    if isinstance(value, bool | int | float):
        raise UnreadableError(
            f"expected {expected}", "put it in quotes, so that it is read as text"
        )
    if not isinstance(value, str):
        raise UnreadableError(f"expected {expected}", cure)
    if len(value) > MAX_TEXT:
        raise UnreadableError(f"longer than {MAX_TEXT} characters", "shorten it")
    if CONTROL.search(value):
        raise UnreadableError("text with control characters", "remove them")
    return value


def _sentence(value: object) -> str:
    """Text for a person that is not blank."""
    text = _text(value, "text", "write text here")
    if not text.strip():
        raise UnreadableError("empty", "write text here")
    return text


def _instant(value: object) -> datetime:
    found = value.isoformat() if isinstance(value, date) else value
    text = _text(found, "an instant", _INSTANT_CURE)
    try:
        instant = parse_instant(text)
    except (ValueError, OverflowError) as error:
        what = "an instant without a zone" if "has no zone" in str(error) else "not an instant"
        raise UnreadableError(what, _INSTANT_CURE) from error
    if not EARLIEST <= instant <= LATEST:
        raise UnreadableError("outside the years 1970 to 2999", "correct the year")
    return instant


def _end_of_day(value: object) -> datetime:
    """An instant; a bare date means the end of that day (design, rule 9)."""
    bare = isinstance(value, date) and not isinstance(value, datetime)
    if bare or (isinstance(value, str) and _DATE.fullmatch(value)):
        return _instant(_instant(value) + timedelta(days=1))
    return _instant(value)


def _duration(value: object) -> timedelta:
    length = _length(value)
    if not timedelta() <= length <= LONGEST:
        raise UnreadableError(f"not between 0s and {format_duration(LONGEST)}", _DURATION_CURE)
    return length


def _length(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if value == 0 and not isinstance(value, bool):
        return timedelta()
    if not isinstance(value, str):
        raise UnreadableError("expected a duration with its unit", _DURATION_CURE)
    try:
        return parse_duration(value)
    except (ValueError, OverflowError) as error:
        raise UnreadableError("not a duration", _DURATION_CURE) from error


def _positive(value: object) -> timedelta:
    length = _duration(value)
    if not length:
        raise UnreadableError("must be longer than zero", _DURATION_CURE)
    return length


def _or_auto(value: object) -> object:
    if value == "auto":
        return value
    try:
        return _duration(value)
    except UnreadableError as error:
        raise UnreadableError(error.what, f"write auto, or {error.cure[6:]}") from error


def _daily(value: object) -> str:
    text = _text(value, "a time of day", "write hours and minutes, such as 06:00")
    if not _DAILY.fullmatch(text):
        raise UnreadableError("not a time of day", "write hours and minutes, such as 06:00")
    return text


def ip_address(value: object) -> str:
    """One address that can send mail, as `ipaddress` writes it; IPv4-mapped as IPv4.

    Raises UnreadableError for networks, zone ids, multicast, broadcast and the unspecified address.
    """
    text = _text(value, "an IP address", _IP_CURE)
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise UnreadableError("not an IP address", _IP_CURE) from error
    address = getattr(address, "ipv4_mapped", None) or address
    if "%" in text:
        raise UnreadableError("an address with a zone id", _IP_CURE)
    broadcast = str(address) == "255.255.255.255"
    if address.is_multicast or address.is_unspecified or broadcast:
        raise UnreadableError("an address that cannot send mail", _IP_CURE)
    return str(address)


def _network(value: object) -> str:
    cure = "write address/length, such as 10.0.0.0/8"
    text = _text(value, "a network", cure)
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise UnreadableError(f"not a network: {_host_bits(text)}", cure) from error


def _host_bits(text: str) -> str:
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "no address and prefix length"
    return f"bits are set beyond the prefix length; {meant} would be one"


def domain_name(value: object) -> str:
    """A domain name as lower-case A-labels without the final dot; U-labels by IDNA 2008.

    Raises UnreadableError for what is no host name (empty labels, too long, one label only).
    """
    text = _text(value, "a domain name", _DOMAIN_CURE).strip().removesuffix(".")
    labels = _a_labels(text).split(".")
    if len(labels) < 2:
        raise UnreadableError("a domain name of one label only", _DOMAIN_CURE)
    if labels[-1].isdigit() or len(".".join(labels)) > 253 or not _all_labels(labels):
        raise UnreadableError("not a domain name", _DOMAIN_CURE)
    return ".".join(labels)


def _all_labels(labels: list[str]) -> bool:
    return all(_LABEL.fullmatch(label) for label in labels)


def _a_labels(text: str) -> str:
    """Lower-case A-labels (RFC 5891); a label that claims to be one must decode."""
    if len(text) > 1024:
        raise UnreadableError("too long for a domain name", _DOMAIN_CURE)
    try:
        if not text.isascii():
            text = idna.encode(text, uts46=True).decode("ascii")
        for label in text.lower().split("."):
            if label.startswith("xn--"):
                idna.ulabel(label)
    except (idna.IDNAError, UnicodeError) as error:
        raise UnreadableError(f"not a domain name: {error}", _DOMAIN_CURE) from error
    return text.lower()


def _selector(value: object) -> str:
    text = _text(value, "a DKIM selector", "write a selector, such as acc1").lower()
    if len(text) > 253 or not _all_labels(text.split(".")):
        raise UnreadableError(
            "not a DKIM selector (RFC 6376 3.1)", "write the part before ._domainkey, such as acc1"
        )
    return text


def zone_name(value: object) -> str:
    """A zone name with the final dot, as the keys of `authoritative` are written.

    Raises UnreadableError. Labels may hold a slash (RFC 2317).
    """
    text = _text(value, "a zone name", "write a zone, such as example.com.").strip()
    text = _a_labels(text.removesuffix("."))
    if text and not all(re.fullmatch(r"[a-z0-9_/-]{1,63}", label) for label in text.split(".")):
        raise UnreadableError("not a zone name", "write a zone, such as example.com.")
    return text + "."


def split_host_port(text: str, *, default: int | None = None) -> tuple[str, int]:
    """`host:port`, `[v6]:port`, or a bare address with a default port, to its parts.

    Raises UnreadableError where there is no port and no default, or the port is not 1..65535.
    """
    match = re.fullmatch(
        r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([^:\s\[\]]+)(?::([0-9]{1,5}))?", text
    )
    host = (match[1] or match[3]) if match else text
    port = int((match[2] or match[4] or default or 0) if match else default or 0)
    if match is None:
        host = _literal(text)
    if not 0 < port < 65536:
        raise UnreadableError(f"{text!r} needs a port from 1 to 65535", _SERVER_CURE)
    return host, port


def _literal(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise UnreadableError("not an IP address", _SERVER_CURE) from error


def join_host_port(host: str, port: int) -> str:
    """The text form of a socket address, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_name(text: str) -> str:
    """An address or a host name (one label is enough), normalised. Raises UnreadableError."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        name = _a_labels(text.removesuffix("."))
    if len(name) > 253 or name.split(".")[-1].isdigit() or not _all_labels(name.split(".")):
        raise UnreadableError("neither an address nor a host name", _SERVER_CURE)
    return name


def _server(value: object) -> str:
    """`192.0.2.1`, `192.0.2.1:5300` or `[2001:db8::1]:53`, normalised to host:port form."""
    host, port = split_host_port(_text(value, "a server", _SERVER_CURE), default=53)
    return join_host_port(host_name(host), port)


def _resolver(value: object) -> str:
    host, port = split_host_port(_text(value, "a resolver's address", _SERVER_CURE), default=53)
    return join_host_port(_literal(host), port)


def _listen(value: object) -> str:
    host, port = split_host_port(_text(value, "an address to listen on", _SERVER_CURE))
    return join_host_port(host_name(host), port)


def http_url(value: object) -> str:
    """An http or https URL without credentials; scheme and host in lower case (RFC 3986 6.2).

    The default port and a lone final slash are dropped. Raises UnreadableError.
    """
    text = _text(value, "a URL", _URL_CURE)
    parts = _split_url(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnreadableError("not an http or https URL", _URL_CURE)
    host = host_name(parts.hostname)
    port = parts.port if parts.port != {"http": 80, "https": 443}[parts.scheme] else None
    place = join_host_port(host, port) if port else f"[{host}]" if ":" in host else host
    path = "" if parts.path == "/" and not parts.query else parts.path
    return urlunsplit((parts.scheme, place, path, parts.query, parts.fragment))


def _split_url(text: str) -> SplitResult:
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise UnreadableError("a URL with spaces or control characters", _URL_CURE)
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it is what checks the port
    except ValueError as error:
        raise UnreadableError(f"not a URL: {error}", _URL_CURE) from error
    if "@" in parts.netloc:
        raise UnreadableError(
            "credentials must not stand in a URL", "remove what stands before the @"
        )
    return parts


def _url_reference(value: object) -> str:
    """A URL, or a reference relative to the instance's `url` (RFC 3986 4.2)."""
    text = _text(value, "a URL", _URL_CURE)
    parts = _split_url(text)
    if parts.scheme or parts.netloc:
        return http_url(text)
    first = text.split("/")[0].split("?")[0]
    if not text or re.fullmatch(r"[\w-]+(\.[\w-]+)+", first):
        raise UnreadableError("neither a URL nor a path", f"write https:// before it: {_URL_CURE}")
    return text


def _mailbox(value: object) -> str:
    """Where mail is read; a password must not stand in it."""
    text = _sentence(value)
    if re.search(r"//[^/\s]*:[^/\s]*@", text):
        raise UnreadableError(
            "a secret must not stand in the estate file", "remove the password before the @"
        )
    return text


def _pattern(value: object) -> str:
    text = _text(value, "a pattern of recipients", "write one, such as *@seed.example").lower()
    if not _PATTERN.fullmatch(text):
        raise UnreadableError("not a pattern of recipients", "write one, such as *@seed.example")
    return text


def _regex(value: object) -> str:
    text = _text(value, "a regular expression", "write one, such as -mta-i-0[0-9a-f]{16}$")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnreadableError(
            f"a regular expression that does not compile: {error}", "correct it"
        ) from error
    return text


def _reference(value: object) -> str:
    bad = not isinstance(value, str) or len(value) > MAX_TEXT or bool(CONTROL.search(value))
    if bad or not REFERENCE.fullmatch(str(value)):
        raise UnreadableError(
            "a secret must not stand in the estate file",
            "write a reference: env:NAME, file:PATH or keyring:SERVICE/USER",
        )
    return str(value)


def _name(value: object) -> str:
    cure = "use 1 to 63 of A-Z a-z 0-9 . _ - with a letter or digit first"
    text = _text(value, "a name", cure)
    if not _NAME.fullmatch(text):
        raise UnreadableError("not a name", cure)
    return text


def _id(value: object) -> str:
    cure = "use lower-case letters, digits, _ and -, a letter first"
    text = _text(value, "an id", cure)
    if not _ID.fullmatch(text):
        raise UnreadableError("not an id", cure)
    return text


def _cause(value: object) -> str:
    cure = "copy the whole id, 64 hex digits, from the report"
    text = _text(value, "the id of a cause", cure).lower()
    if not _CAUSE.fullmatch(text):
        raise UnreadableError("not the id of a cause", cure)
    return text


def _ppm(value: object) -> int:
    """A share from 0 to 1 kept as whole parts per million, so that records hold no floats."""
    cure = "write a share from 0 to 1 with at most six decimals, such as 0.10"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnreadableError("expected a share", cure)
    try:
        ppm = Decimal(str(value)[:40]) * 1_000_000
    except InvalidOperation as error:
        raise UnreadableError("not a number", cure) from error
    if not ppm.is_finite() or not 0 <= ppm <= 1_000_000:
        raise UnreadableError("not a share from 0 to 1", cure)
    if ppm != int(ppm):
        raise UnreadableError("finer than a millionth", cure)
    return int(ppm)


def _ppm_text(ppm: int) -> str:
    return f"{ppm / 1_000_000:.6f}".rstrip("0").rstrip(".") or "0"


def _schema(**keywords: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **keywords})


_DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(us|ms|s|m|h|d))+$"
_DURATION_SCHEMA = {"anyOf": [{"type": "string", "pattern": _DURATION_PATTERN}, {"const": 0}]}
_INSTANT_SCHEMA = {
    "type": "string",
    "anyOf": [{"format": "date-time"}, {"format": "date"}],
    "description": "RFC 3339 with a zone; a date means 00:00 UTC",
}
_AUTO_SCHEMA = {"anyOf": [*_DURATION_SCHEMA["anyOf"], {"const": "auto"}]}
_AS_DURATION = PlainSerializer(format_duration)


def _auto_text(value: timedelta | Literal["auto"]) -> str:
    return value if isinstance(value, str) else format_duration(value)


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant),
    WithJsonSchema(_INSTANT_SCHEMA),
]
EndOfDay = Annotated[
    datetime,
    BeforeValidator(_end_of_day),
    PlainSerializer(format_instant),
    WithJsonSchema({**_INSTANT_SCHEMA, "description": "a date means the end of that day"}),
]
Duration = Annotated[
    timedelta, BeforeValidator(_duration), _AS_DURATION, WithJsonSchema(_DURATION_SCHEMA)
]
PositiveDuration = Annotated[
    timedelta, BeforeValidator(_positive), _AS_DURATION, _schema(pattern=_DURATION_PATTERN)
]
Auto = Literal["auto"]
AutoDuration = Annotated[
    timedelta | Auto,
    BeforeValidator(_or_auto),
    PlainSerializer(_auto_text),
    WithJsonSchema(_AUTO_SCHEMA),
]
DailyAt = Annotated[str, BeforeValidator(_daily), _schema(pattern=f"^{_DAILY.pattern}$")]
Ip = Annotated[
    str, BeforeValidator(ip_address), _schema(anyOf=[{"format": "ipv4"}, {"format": "ipv6"}])
]
Network = Annotated[str, BeforeValidator(_network), _schema(examples=["127.0.0.1/32"])]
Domain = Annotated[str, BeforeValidator(domain_name), _schema(format="idn-hostname")]
Zone = Annotated[str, BeforeValidator(zone_name), _schema(examples=["example.com."])]
Selector = Annotated[str, BeforeValidator(_selector), _schema(examples=["acc1"])]
Server = Annotated[str, BeforeValidator(_server), _schema(examples=["127.0.0.2:5300"])]
Resolver = Annotated[str, BeforeValidator(_resolver), _schema(examples=["127.0.0.1:5300"])]
Listen = Annotated[str, BeforeValidator(_listen), _schema(examples=["127.0.0.1:2525"])]
HttpUrl = Annotated[str, BeforeValidator(http_url), _schema(pattern="^[Hh][Tt][Tt][Pp][Ss]?://")]
UrlReference = Annotated[str, BeforeValidator(_url_reference), _schema(format="uri-reference")]
Mailbox = Annotated[str, BeforeValidator(_mailbox), _schema(minLength=1)]
Recipients = Annotated[str, BeforeValidator(_pattern), _schema(pattern=f"^{_PATTERN.pattern}$")]
Regex = Annotated[str, BeforeValidator(_regex), _schema(format="regex")]
Reference = Annotated[str, BeforeValidator(_reference), _schema(pattern=f"^{REFERENCE.pattern}$")]
Name = Annotated[str, BeforeValidator(_name), _schema(pattern=f"^{_NAME.pattern}$")]
Id = Annotated[str, BeforeValidator(_id), _schema(pattern=f"^{_ID.pattern}$")]
Cause = Annotated[str, BeforeValidator(_cause), _schema(pattern=f"^{_CAUSE.pattern}$")]
Text = Annotated[str, BeforeValidator(_sentence), _schema(minLength=1, maxLength=MAX_TEXT)]
Share = Annotated[
    int,
    BeforeValidator(_ppm),
    PlainSerializer(_ppm_text, return_type=str),
    WithJsonSchema({"type": ["number", "string"], "examples": [0.1]}),
]
