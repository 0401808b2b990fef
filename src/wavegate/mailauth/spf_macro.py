# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""SPF macro strings (RFC 7208 7): their syntax, and their expansion as far as it is known.

What depends on the client, the local part or the HELO name expands only where that is given;
otherwise the expansion is `Depends`, with everything else already filled in.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from dns.name import Name

from wavegate.mailauth.address_set import Address, Family
from wavegate.mailauth.names import name_from_labels, text_of

_TOKEN = re.compile(
    r"%\{(?P<letter>[A-Za-z])(?P<keep>\d{0,9})(?P<reverse>[rR]?)(?P<delimiters>[.\-+,/_=]*)\}"
    r"|(?P<escape>%[%_\-])|(?P<literal>[\x21-\x24\x26-\x7e]+)|(?P<space> )"
)
_ESCAPES = {"%%": "%", "%_": " ", "%-": "%20"}
_LETTERS = frozenset("slodiphv")
_TEXT_LETTERS = frozenset("crt")
_TOP_LABEL = re.compile(
    r"\.(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?$"
)
MAX_NAME = 253


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whose mail is judged. domain: of MAIL FROM, or HELO where that is null.

    local, helo, client: None where they are left open, which covers all of them.
    """

    domain: Name
    local: str | None = None
    helo: str | None = None
    client: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a macro sees: the sender, the record's own domain, the client's family.

    validated: asks for the validated names of the client (RFC 7208 5.5), None where they cannot be
    known; called for `p` only.
    receiver, instant: of `r` and `t`, in explanations only.
    """

    sender: Sender
    domain: Name
    family: Family
    validated: Callable[[], tuple[Name, ...] | None]
    receiver: str = "unknown"
    instant: int = 0


@dataclass(frozen=True, slots=True)
class Depends:
    """An expansion that depends on what is left open; text: with all else expanded."""

    text: str


def well_formed(text: str, *, explanation: bool = False) -> bool:
    """Whether a text is a macro string. explanation: spaces and the letters c, r, t too."""
    letters = _LETTERS | _TEXT_LETTERS if explanation else _LETTERS
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() != end or not _allowed(token, letters, explanation=explanation):
            return False
        end = token.end()
    return end == len(text)


def _allowed(token: re.Match[str], letters: frozenset[str], *, explanation: bool) -> bool:
    if token["space"]:
        return explanation
    if token["letter"]:
        zero = bool(token["keep"]) and int(token["keep"]) == 0
        return token["letter"].lower() in letters and not zero
    return True


def is_domain_spec(text: str) -> bool:
    """Whether a text is a domain-spec: a macro string ending in a macro or a top label."""
    if not well_formed(text):
        return False
    tokens = list(_TOKEN.finditer(text))
    return bool(tokens) and (not tokens[-1]["literal"] or _TOP_LABEL.search(text) is not None)


def expand(text: str, scope: Scope) -> str | Depends:
    """The expansion of a well-formed macro string (RFC 7208 7.3)."""
    parts: list[str] = []
    known = True
    for token in _TOKEN.finditer(text):
        value = _expand_token(token, scope)
        known = known and value is not None
        parts.append(token.group() if value is None else value)
    return "".join(parts) if known else Depends("".join(parts))


def _expand_token(token: re.Match[str], scope: Scope) -> str | None:
    if token["escape"]:
        return _ESCAPES[token["escape"]]
    if not token["letter"]:
        return token.group()
    value = _letter(token["letter"].lower(), scope)
    if value is None:
        return None
    value = _transform(value, token)
    return quote(value, safe="") if token["letter"].isupper() else value


def _transform(value: str, token: re.Match[str]) -> str:
    parts = re.split(f"[{re.escape(token['delimiters'] or '.')}]", value)
    if token["reverse"]:
        parts.reverse()
    keep = min(int(token["keep"] or 0), len(parts))
    return ".".join(parts[-keep:] if keep else parts)


def _letter(letter: str, scope: Scope) -> str | None:
    sender = scope.sender
    match letter:
        case "d":
            return text_of(scope.domain)
        case "o":
            return text_of(sender.domain)
        case "v":
            return "in-addr" if scope.family is Family.V4 else "ip6"
        case "l":
            return sender.local
        case "s":
            return None if sender.local is None else f"{sender.local}@{text_of(sender.domain)}"
        case "h":
            return sender.helo
        case "r":
            return scope.receiver
        case "t":
            return str(scope.instant)
        case _:
            return None if sender.client is None else _client(letter, sender.client, scope)


def _client(letter: str, client: Address, scope: Scope) -> str | None:
    if letter == "c":
        return str(client)
    if letter == "i":
        return str(client) if client.version == 4 else ".".join(f"{int(client):032X}")
    return _validated_name(scope)


def _validated_name(scope: Scope) -> str | None:
    """The best of the validated names: the domain itself, one below it, any (RFC 7208 7.3)."""
    names = scope.validated()
    if names is None:
        return None
    for name in names:
        if name == scope.domain:
            return text_of(name)
    below = [name for name in names if name.is_subdomain(scope.domain)]
    chosen = below or list(names)
    return text_of(chosen[0]) if chosen else "unknown"


def to_name(expanded: str) -> Name | None:
    """The name that an expanded domain-spec stands for; None for what cannot be asked.

    Over 253 octets, labels are dropped from the left (RFC 7208 7.3).
    """
    labels = expanded.removesuffix(".").split(".")
    while len(labels) > 1 and sum(map(len, labels)) + len(labels) - 1 > MAX_NAME:
        labels.pop(0)
    return name_from_labels(tuple(labels))
