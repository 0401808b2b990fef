# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a snapshot holds of hosts: TLS handshakes, SSH host keys, MTA-STS policies. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wavegate.record.observation import Observation, Outcome
from wavegate.record.snapshot import Snapshot

MAX_POLICY = 64 * 1024
"""Octets of a policy file that anybody reads (RFC 8461 3.3)."""
MAX_LINES = 200
TRUSTED = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One handshake. version: `TLS 1.2`. untrusted: why the certificate is not, or None."""

    version: str
    outcome: Outcome
    untrusted: str | None


class HostView:
    """The hosts of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        tls: dict[str, list[Handshake]] = {}
        keys: dict[str, Outcome] = {}
        policies: dict[str, Outcome] = {}
        for found in snapshot.observations:
            place = found.subject.partition(" ")[0]
            if found.kind == "tls":
                tls.setdefault(place, []).append(_handshake(found))
            elif found.kind == "ssh":
                keys[place] = found.outcome
            elif found.kind == "mta-sts":
                policies[found.asked.get("host", "")] = found.outcome
        self.tls: Mapping[str, tuple[Handshake, ...]] = MappingProxyType(
            {place: tuple(shakes) for place, shakes in sorted(tls.items())}
        )
        """Per host (and port, where it is not 443) a handshake in each version."""
        self.keys: Mapping[str, Outcome] = MappingProxyType(dict(sorted(keys.items())))
        """Per host:port the fingerprint of the SSH host key."""
        self.policies: Mapping[str, Outcome] = MappingProxyType(dict(sorted(policies.items())))
        """Per host `mta-sts.<domain>` the policy file."""


def _handshake(found: Observation) -> Handshake:
    trusted = found.heard.get("trusted", TRUSTED)
    return Handshake(
        version=found.asked.get("version", ""),
        outcome=found.outcome,
        untrusted=None if trusted == TRUSTED else trusted,
    )


def policy_lines(body: bytes) -> tuple[str, ...]:
    """An MTA-STS policy as `key: value` lines, keys and MX patterns in lower case, sorted.

    (RFC 8461 3.2.) Empty for what is no policy.
    """
    pairs = []
    for line in body[:MAX_POLICY].decode("utf-8", "backslashreplace").splitlines()[:MAX_LINES]:
        key, colon, value = line.partition(":")
        if colon and key.strip():
            name, text = key.strip().lower(), value.strip()
            pairs.append(f"{name}: {text.lower().rstrip('.') if name == 'mx' else text}")
    return tuple(sorted(set(pairs))) if "version: STSv1" in pairs else ()
