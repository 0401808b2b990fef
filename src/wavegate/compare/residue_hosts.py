# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Hosts as facts of `nothing_else_changed`: certificates, TLS versions, host keys, MTA-STS.

For whom a certificate is, who issued it and whether it is trusted are compared; the certificate in
use is shown beside it, with its end.
"""

from collections.abc import Iterable, Iterator

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.compare.residue import NO_RECORD, Known, Place, Silent, State
from wavegate.compare.residue_rules import BEHIND_POLICY
from wavegate.record.certificate import Certificate, read_certificate
from wavegate.record.host_view import Handshake, HostView, policy_lines
from wavegate.record.observation import Absent, Outcome, Seen, Unreachable

IN_USE, POLICY, KEY = "certificate in use", "MTA-STS policy", "SSH host key"
POLICY_HOST, POLICY_TEXT = "mta-sts.", "_mta-sts."


def host_facts(view: HostView) -> Iterator[tuple[Place, State]]:
    """The facts of all hosts that were looked at."""
    for place, shakes in view.tls.items():
        yield from _tls(place, shakes)
    for place, outcome in view.keys.items():
        yield Place(subject=f"{place} {KEY}"), _text(outcome)
    for host, outcome in view.policies.items():
        yield Place(subject=f"{host.removeprefix(POLICY_HOST)} {POLICY}"), _policy(outcome)


def _tls(place: str, shakes: Iterable[Handshake]) -> Iterator[tuple[Place, State]]:
    every = list(shakes)
    for shake in every:
        yield Place(subject=f"{place} {shake.version}"), _version(shake)
    seen = [shake for shake in every if isinstance(shake.outcome, Seen)]
    latest = max(seen, key=lambda shake: shake.version, default=None)
    said, used = _certificate(latest) if latest else (_why(every), _why(every))
    yield Place(subject=f"{place} certificate"), said
    yield Place(subject=f"{place} {IN_USE}"), used


def _version(shake: Handshake) -> State:
    match shake.outcome:
        case Seen():
            return Known((shake.version,))
        case Absent():
            return Known((NO_RECORD,))
        case Unreachable(reason):
            return Silent(reason)


def _why(shakes: Iterable[Handshake]) -> Silent:
    outcomes = (shake.outcome for shake in shakes)
    reasons = {outcome.reason for outcome in outcomes if not isinstance(outcome, Seen)}
    return Silent(", ".join(sorted(reasons)) or "not looked at")


def _certificate(shake: Handshake) -> tuple[State, State]:
    """What a certificate says, and which one it is. behind: its end, so that later is later."""
    outcome = shake.outcome
    try:
        found = read_certificate(outcome.value)
    except ValueError as error:
        return Silent(str(error)), Silent(str(error))
    trust = "trusted" if shake.untrusted is None else f"not trusted: {shake.untrusted}"
    return Known((*_names(found), f"issued by {found.issuer}", trust)), Known(
        (f"sha256 {found.digest}",), format_instant(found.until)
    )


def _names(found: Certificate) -> tuple[str, ...]:
    return found.names or ("for no name",)


def _text(outcome: Outcome) -> State:
    match outcome:
        case Seen(value):
            return Known((value.decode("ascii", "backslashreplace"),))
        case Absent(reason) | Unreachable(reason):
            return Silent(reason)


def _policy(outcome: Outcome) -> State:
    match outcome:
        case Seen(value):
            return Known(policy_lines(value) or ("not a policy",))
        case Absent(reason):
            return Known((f"no policy: {reason}",))
        case Unreachable(reason):
            return Silent(reason)


def with_policies(facts: Iterable[tuple[Place, State]]) -> Iterator[tuple[Place, State]]:
    """The facts, where those that only lead to an MTA-STS policy know which one stands behind."""
    every = list(facts)
    policies = {
        place.subject.partition(" ")[
            0
        ]: f"{BEHIND_POLICY}{digest(chr(10).join(state.items).encode())}"
        for place, state in every
        if place.subject.endswith(f" {POLICY}") and isinstance(state, Known)
    }
    for place, state in every:
        behind = policies.get(_led_by(place.subject))
        if behind and isinstance(state, Known) and not state.behind:
            yield place, Known(state.items, behind)
        else:
            yield place, state


def _led_by(subject: str) -> str:
    """The domain whose policy a fact leads to; empty for any other fact."""
    owner, _, what = subject.partition(" ")
    if what == "TXT" and owner.startswith(POLICY_TEXT):
        return owner.removeprefix(POLICY_TEXT)
    if what in ("A", "AAAA") and owner.startswith(POLICY_HOST):
        return owner.removeprefix(POLICY_HOST)
    return ""
