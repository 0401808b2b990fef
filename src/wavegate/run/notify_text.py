# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a notification says: transitions as messages that may be shown to the customer they are of.

A message is of one customer and names nobody else's; a cause that several customers share goes
into a message without any name. Text is bounded, and everything in it that could act (control and
bidi characters, mentions of a whole channel) is made harmless.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from wavegate.clock import format_duration, format_instant
from wavegate.observe.redact import Secrets
from wavegate.report.safe_text import shorten

Kind = Literal["broke", "recovered", "undecided"]

MAX_MESSAGES = 20
"""Messages to one address in one night; the rest is counted in the last one."""
MAX_BODY = 1800
"""Characters of a body; Discord, the narrowest of the usual services, takes 2000."""
LINE = 240
LINES = 8
INSTANCES = 10
_ORDER: tuple[Kind, ...] = ("broke", "undecided", "recovered")
_WITHHELD = "(a line that names somebody else is left out)"
_CHANNEL = re.compile(r"(?<!\w)@(?=(?:everyone|here|channel|all|room)\b)|<(?=[!@])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of state of one cause, for one customer and owner.

    cause: the finding's or missing item's id, or None where a cell has none. owner: the estate's
    `owner:` of the instances. text_lines: what to say of it, raw. since: when the state that is
    told of began (broke, undecided), or when it had ended (recovered). lasted: how long what
    recovered had been broken.
    """

    kind: Kind
    cause: str | None
    promise: str
    instances: tuple[str, ...]
    customer: str
    owner: str | None
    text_lines: tuple[str, ...]
    since: datetime
    lasted: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. worst: the gravest kind in it; about: the transitions it tells of, merged."""

    title: str
    body: str
    worst: Kind
    about: tuple[Transition, ...]


class Names:
    """Who is named by which words; names are found in any case, the longest first."""

    def __init__(self, owners: Mapping[str, Collection[str]]) -> None:
        self._of: dict[str, set[str]] = {}
        for customer, names in owners.items():
            for name in (customer, *names):
                if name:
                    self._of.setdefault(name.casefold(), set()).add(customer)
        longest = sorted(self._of, key=len, reverse=True)
        words = "|".join(map(re.escape, longest)) or r"(?!)"
        self._any = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])")

    def withholds(self, line: str, customer: str | None) -> bool:
        """Whether a line names somebody else than this customer; with None, anybody at all."""
        found = self._any.findall(line.casefold())
        return any(customer not in self._of[name] for name in found)


def names_of(
    transitions: Iterable[Transition], known: Mapping[str, Collection[str]] | None = None
) -> Names:
    """The names of the transitions themselves, and those that are known besides."""
    owners = {customer: list(names) for customer, names in (known or {}).items()}
    for told in transitions:
        owners.setdefault(told.customer, []).extend(told.instances)
    return Names(owners)


def messages(transitions: Sequence[Transition], names: Names, *, at: datetime) -> list[Message]:
    """The messages of one night to one address: shared causes first, then customer by customer."""
    shared, own = _split(transitions)
    made = [_message(None, shared, names, at)] if shared else []
    customers = sorted({told.customer for told in own})
    for customer in customers:
        about = [told for told in own if told.customer == customer]
        made.append(_message(customer, about, names, at))
    if len(made) <= MAX_MESSAGES:
        return made
    return [*made[: MAX_MESSAGES - 1], _rest(made[MAX_MESSAGES - 1 :], at)]


def merged(transitions: Iterable[Transition]) -> list[Transition]:
    """One transition for each kind, cause and customer, in the order of telling."""
    found: dict[tuple[object, ...], Transition] = {}
    for told in transitions:
        key = (told.kind, told.cause or (told.promise, told.instances), told.customer)
        found[key] = _both(found[key], told) if key in found else told
    return sorted(found.values(), key=_rank)


def _rank(told: Transition) -> tuple[object, ...]:
    return (_ORDER.index(told.kind), told.promise, told.cause or "", told.customer, told.instances)


def _both(one: Transition, other: Transition) -> Transition:
    lasted = [length for length in (one.lasted, other.lasted) if length is not None]
    return replace(
        one,
        instances=tuple(sorted({*one.instances, *other.instances})),
        text_lines=tuple(dict.fromkeys((*one.text_lines, *other.text_lines))),
        since=min(one.since, other.since),
        lasted=max(lasted, default=None),
    )


def _split(transitions: Iterable[Transition]) -> tuple[list[Transition], list[Transition]]:
    """Those of causes that several customers share, and all others."""
    told = merged(transitions)
    customers: dict[tuple[str, str], set[str]] = {}
    for one in told:
        if one.cause:
            customers.setdefault((one.kind, one.cause), set()).add(one.customer)
    many = {key for key, found in customers.items() if len(found) > 1}
    shared = [one for one in told if (one.kind, one.cause) in many]
    return shared, [one for one in told if (one.kind, one.cause) not in many]


def _message(
    customer: str | None, about: Sequence[Transition], names: Names, at: datetime
) -> Message:
    groups: dict[tuple[object, ...], list[Transition]] = {}
    for told in about:
        key = (told.kind, told.cause or (told.promise, told.instances))
        groups.setdefault(key, []).append(told)
    entries = [_entry(customer, group, names, at) for group in groups.values()]
    counts = [(kind, sum(1 for key in groups if key[0] == kind)) for kind in _ORDER]
    told_of = ", ".join(f"{count} {kind}" for kind, count in counts if count)
    whose = "several customers" if customer is None else _plain(customer, 60)
    return Message(
        title=f"Wavegate nightly: {whose}: {told_of}",
        body=_body(entries, at),
        worst=about[0].kind,
        about=tuple(about),
    )


def _entry(
    customer: str | None, group: Sequence[Transition], names: Names, at: datetime
) -> list[str]:
    lines = [_head(group, at), f"  {_where(customer, group)}"]
    if group[0].cause:
        lines.append(f"  cause: {_plain(group[0].cause, 80)}")
    said = dict.fromkeys(line for told in group for line in told.text_lines)
    shown = list(dict.fromkeys(_safe(line, customer, names) for line in said))
    lines += [f"  {line}" for line in shown[:LINES]]
    if len(shown) > LINES:
        lines.append(f"  and {len(shown) - LINES} more lines: see the night's report")
    return lines


def _head(group: Sequence[Transition], at: datetime) -> str:
    promise, since = _plain(group[0].promise, 60), min(told.since for told in group)
    lasted = [told.lasted for told in group if told.lasted is not None]
    match group[0].kind:
        case "broke":
            return f"BROKE: {promise}, since {format_instant(since)}"
        case "undecided":
            return f"UNDECIDED: {promise}, for {_long(at - since)}"
        case "recovered":
            after = f", after {_long(max(lasted))}" if lasted else ""
            return f"RECOVERED: {promise}{after}"


def _where(customer: str | None, group: Sequence[Transition]) -> str:
    names = sorted({name for told in group for name in told.instances})
    if customer is None:
        customers = {told.customer for told in group}
        return f"{len(names)} instances of {len(customers)} customers"
    shown = ", ".join(_plain(name, 60) for name in islice(names, INSTANCES))
    more = f" and {len(names) - INSTANCES} more" if len(names) > INSTANCES else ""
    return f"{shown}{more}"


def _body(entries: Sequence[list[str]], at: datetime) -> str:
    """Whole entries while there is room; what has none is counted."""
    foot = f"Night of {format_instant(at)}. Details: the night's report."
    room = MAX_BODY - len(foot) - 80
    shown: list[str] = []
    for number, entry in enumerate(entries):
        text = "\n".join(_fitting(entry, room) if not shown else entry)
        if len(text) + 2 > room:
            shown.append(f"and {len(entries) - number} more: see the night's report")
            break
        room -= len(text) + 2
        shown.append(text)
    return "\n\n".join([*shown, foot])


def _fitting(entry: Sequence[str], room: int) -> Iterator[str]:
    for line in entry:
        room -= len(line) + 1
        if room < 0:
            return
        yield line


def _rest(left: Sequence[Message], at: datetime) -> Message:
    about = tuple(told for message in left for told in message.about)
    return Message(
        title=f"Wavegate nightly: {len(left)} more customers",
        body=_body([[f"{len(left)} more customers have news: see the night's report"]], at),
        worst=min((message.worst for message in left), key=_ORDER.index),
        about=about,
    )


def _safe(line: str, customer: str | None, names: Names) -> str:
    if names.withholds(line, customer):
        return _WITHHELD
    return _plain(Secrets().cut_text(line), LINE)


def _plain(text: str, limit: int) -> str:
    return _CHANNEL.sub(lambda found: found[0] + " ", shorten(text, limit))


def _long(length: timedelta) -> str:
    """A length for a person: whole minutes from an hour on, else whole seconds."""
    unit = timedelta(minutes=1) if length >= timedelta(hours=1) else timedelta(seconds=1)
    return format_duration(length // unit * unit)
