# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Telling the owners of a night's transitions, through apprise (the extra `notify`).

An address is an apprise URL, alone or as `OWNER[, OWNER] = URL`: then only what concerns these
owners goes there. A secret may hold several, one a line. An address is itself a secret: nothing
here ever shows one, only where it came from and the kind of service.
"""

import importlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

from wavegate.clock import format_instant
from wavegate.errors import InputError, MissingError
from wavegate.observe.redact import Secrets
from wavegate.report.safe_text import shorten
from wavegate.run.notify_text import Kind, Message, Names, Transition, messages, names_of

__all__ = ["Kind", "Sent", "Transition", "check", "notify"]

TIMEOUT = 60.0
"""Seconds for one message to one address, its one retry included."""
GIVE_UP = 2
"""After so many failures in a row an address is not tried again in this night."""
_ADDRESS = re.compile(r"(?:(?P<owners>[^=:/]+)=\s*)?(?P<url>(?P<kind>[A-Za-z][\w+.-]*)://\S*)")
_LEVELS = {"broke": "failure", "undecided": "warning", "recovered": "success"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one message.

    to: where the address came from and the kind of service, never the URL. causes: of the
    transitions in it. why: where it is not ok, the reason without any secret.
    """

    to: str
    title: str
    causes: tuple[str, ...]
    at: datetime
    ok: bool
    why: str | None

    def to_json(self) -> dict[str, object]:
        """The object in `--json`."""
        return {
            "to": self.to,
            "title": self.title,
            "causes": list(self.causes),
            "at": format_instant(self.at),
            "ok": self.ok,
            "why": self.why,
        }

    @property
    def line(self) -> str:
        """One line for stderr."""
        if self.ok:
            return f"notified {self.to}: {self.title}"
        return f"NOT notified: {self.to}: {self.title}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """One URL. label: what may be shown of it. owners: casefolded; empty: all."""

    label: str
    url: str
    owners: frozenset[str]

    def takes(self, told: Transition) -> bool:
        return not self.owners or (told.owner or "").casefold() in self.owners


def check(urls: Sequence[str], references: Sequence[str] = ()) -> None:
    """Refuse, before a night is begun, addresses to which nothing could be sent.

    urls, references: as in `notify`. Raises MissingError without the extra, InputError for an
    address that apprise does not understand.
    """
    apprise = _apprise() if urls else None
    for address in _addresses(urls, references):
        if apprise is None or not _service(apprise, address):
            raise _not_understood(address.label)


def notify(
    transitions: Sequence[Transition],
    urls: Sequence[str],
    *,
    at: datetime,
    references: Sequence[str] = (),
    names: Mapping[str, Collection[str]] | None = None,
) -> tuple[Sent, ...]:
    """Send a night's transitions to every address that takes them, and say what became of it.

    urls: what the secret references resolve to; references: these themselves, in the same order,
    to be shown in place of the URLs. at: the night's instant. names: customer to all the words
    that name it (instances, domains, ...), none of which may stand in another's message. A failure
    to send is a Sent that is not ok. Raises MissingError without the extra, nothing else.
    """
    if not transitions or not urls:
        return ()
    apprise, known = _apprise(), names_of(transitions, names)
    addresses, wrong = _readable(urls, references)
    sent = [_failed(label, "", (), at, _not_understood(label).message) for label in wrong]
    for address in addresses:
        sent += _tell(apprise, address, transitions, known, at)
    return (*sent, *_unheard(transitions, addresses, at))


def _apprise() -> ModuleType:
    try:
        return importlib.import_module("apprise")
    except ImportError:
        raise MissingError(
            "the package apprise is not installed, so nobody can be notified",
            where="--notify",
            cure="pip install 'wavegate[notify]', or leave --notify out",
        ) from None


def _not_understood(label: str) -> InputError:
    return InputError(
        "not an address that apprise understands",
        where=label,
        cure="put a URL of apprise's list there, such as mailto://..., or OWNER = URL, one a line",
    )


def _readable(urls: Sequence[str], references: Sequence[str]) -> tuple[list[_Address], list[str]]:
    """The addresses, and the labels of what is none."""
    addresses: list[_Address] = []
    wrong: list[str] = []
    for number, text in enumerate(urls):
        name = references[number] if number < len(references) else f"--notify {number + 1}"
        for row, label in _rows(text, name):
            found = _ADDRESS.fullmatch(row)
            if found is None:
                wrong.append(label)
                continue
            owners = (found["owners"] or "").split(",")
            wanted = frozenset(owner.strip().casefold() for owner in owners if owner.strip())
            shown = f"{label} ({found['kind'].lower()})"
            addresses.append(_Address(label=shown, url=found["url"], owners=wanted))
    return addresses, wrong


def _addresses(urls: Sequence[str], references: Sequence[str]) -> list[_Address]:
    addresses, wrong = _readable(urls, references)
    for label in wrong:
        raise _not_understood(label)
    return addresses


def _rows(text: str, name: str) -> list[tuple[str, str]]:
    """The lines of a secret that hold something, each with what to call it."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    held = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not held:
        return [("", name)]
    return [(line, f"{name} line {number}" if len(held) > 1 else name) for number, line in held]


def _service(apprise: ModuleType, address: _Address) -> Any | None:
    """What sends to an address, or None where apprise does not understand it.

    A redirect is not followed: it turns the POST into a GET that arrives nowhere.
    """
    asset = apprise.AppriseAsset(
        app_id="Wavegate",
        app_desc="Wavegate nightly",
        app_url="",
        http_redirects=False,
        allow_templates=False,
        default_service_retry=1,
    )
    service = apprise.Apprise(asset=asset)
    try:
        return service if service.add(address.url) else None
    except Exception:  # noqa: BLE001 - a plugin's own error on a URL may hold that URL
        return None


def _tell(
    apprise: ModuleType,
    address: _Address,
    transitions: Sequence[Transition],
    names: Names,
    at: datetime,
) -> list[Sent]:
    taken = [told for told in transitions if address.takes(told)]
    service = _service(apprise, address)
    made = messages(taken, names, at=at)
    if service is None:
        why = _not_understood(address.label).message
        return [_failed(address.label, one.title, _causes(one.about), at, why) for one in made]
    sent: list[Sent] = []
    for message in made:
        if len(sent) >= GIVE_UP and not any(one.ok for one in sent[-GIVE_UP:]):
            why = f"not tried: {GIVE_UP} in a row could not be sent"
            sent.append(_failed(address.label, message.title, _causes(message.about), at, why))
        else:
            sent.append(_send(service, address, message, at))
    return sent


def _send(service: Any, address: _Address, message: Message, at: datetime) -> Sent:
    """One message to one address; whatever goes wrong is a sentence."""
    try:
        result = service.notify(
            body=message.body,
            title=message.title,
            notify_type=_LEVELS[message.worst],
            body_format="text",
            timeout=TIMEOUT,
        )
        ok = bool(result)
        why = None if ok else _reason(result, address)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        ok, why = False, _hidden(f"{type(error).__name__}: {error}", address)
    causes = _causes(message.about)
    return Sent(to=address.label, title=message.title, causes=causes, at=at, ok=ok, why=why)


def _reason(result: Any, address: _Address) -> str:
    """The first thing that apprise warned of."""
    said = next((str(entry.message) for entry in result.logs()), "it was refused, without a reason")
    return _hidden(said, address)


def _hidden(text: str, address: _Address) -> str:
    """The text without any part of the URL, bounded and visible."""
    rest = address.url.partition("://")[2]
    parts = {address.url, rest, *re.split(r"[^\w.~-]+", rest)}
    return shorten(Secrets(*(part for part in parts if len(part) > 2)).cut_text(text), 200)


def _unheard(
    transitions: Sequence[Transition], addresses: Sequence[_Address], at: datetime
) -> list[Sent]:
    """A failure for each owner whom no address is for: nothing is dropped silently."""
    left = [told for told in transitions if not any(one.takes(told) for one in addresses)]
    owners = sorted({told.owner or "" for told in left})
    return [_nobody(owner, [t for t in left if (t.owner or "") == owner], at) for owner in owners]


def _nobody(owner: str, left: Sequence[Transition], at: datetime) -> Sent:
    whose = f"the owner {shorten(owner, 60)}" if owner else "instances without an owner"
    why = f"no address is for {whose}, and none is for all"
    return _failed("nobody", f"{len(left)} transitions", _causes(left), at, why)


def _failed(to: str, title: str, causes: tuple[str, ...], at: datetime, why: str) -> Sent:
    return Sent(to=to, title=title, causes=causes, at=at, ok=False, why=why)


def _causes(about: Sequence[Transition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(told.cause for told in about if told.cause))
