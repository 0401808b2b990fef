# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The DNS of a snapshot made of tables: per server a zone, or the reason of its silence."""

from collections import Counter
from collections.abc import Mapping

from dns.name import Name
from tests.mailauth.zones import Table, Zone

from wavegate.answer import Answer, Lookup, Unknown

SERVERS = ("192.0.2.53:53", "192.0.2.54:53", "192.0.2.55:53", "192.0.2.56:53")


class TableView:
    """A stand-in for `record.dns_view.DnsView` with the methods that comparisons use."""

    def __init__(self, zones: Mapping[str, Zone | str]) -> None:
        self._zones: dict[str, Lookup] = {
            server: _silent(zone) if isinstance(zone, str) else Table(zone)
            for server, zone in zones.items()
        }

    def answers(self, name: Name, rdtype: str) -> Mapping[str, Answer]:
        """What each server said."""
        return {server: look(name, rdtype) for server, look in self._zones.items()}

    def observation(self, server: str, name: Name, rdtype: str) -> None:
        """Tables keep no observations."""

    def lookup(self, server: str | None = None) -> Lookup:
        """One server's answers, or the most frequent definite ones."""
        return self._most if server is None else self._zones.get(server, self._most)

    def _most(self, name: Name, rdtype: str) -> Answer:
        found = list(self.answers(name, rdtype).values())
        definite = [answer for answer in found if not isinstance(answer, Unknown)]
        counts = Counter(map(repr, definite))
        return (
            max(definite, key=lambda a: counts[repr(a)])
            if definite
            else (found or [Unknown("not asked")])[0]
        )


def _silent(reason: str) -> Lookup:
    return lambda _name, _rdtype: Unknown(reason)


def alike(zone: Zone | str, **odd: Zone | str) -> TableView:
    """Four servers that say the same, but for `ns1`..`ns4` given apart."""
    zones: dict[str, Zone | str] = dict.fromkeys(SERVERS, zone)
    for name, other in odd.items():
        zones[SERVERS[int(name[2:]) - 1]] = other
    return TableView(zones)
