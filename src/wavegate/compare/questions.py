# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which questions were asked before and not after, apart from those that answers led to.

A capture follows what it hears: the target of a PTR, an include of SPF, the servers of a zone.
Where the answer changed, the question behind it goes; that is no gap in the capture.
"""

from collections.abc import Iterable

import dns.message
import dns.rdatatype

from wavegate.record.campaign_view import LOGONS, CampaignView, NotSeen
from wavegate.record.dns_view import SIGNED
from wavegate.record.observation import Observation, Seen
from wavegate.record.rates import SERIES
from wavegate.record.snapshot import Snapshot

_LEADING = frozenset(
    {dns.rdatatype.CNAME, dns.rdatatype.PTR, dns.rdatatype.MX, dns.rdatatype.NS, dns.rdatatype.TXT}
)
_OTHERWISE = frozenset({"mta-sts", "smtp"})


def not_asked_after(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Subjects (and servers) that were asked before and not after, sorted.

    Left out are names that only an answer of before led to, servers of a zone whose NS set
    changed, what a session is needed for where Logon was answered otherwise, the history of the
    rate: each capture reads what there is at its time, and `throughput` shows what is silent; the
    signatures of a zone and the policy file of a host, which the DNS may have ceased to name; and
    our own sink.
    """
    asked = {found.identity for found in after.observations}
    gone = [found for found in before.observations if found.identity not in asked]
    if not gone:
        return ()
    gone = [found for found in gone if SERIES not in found.asked]
    gone = [found for found in gone if SIGNED not in found.asked and found.kind not in _OTHERWISE]
    gone = [found for found in gone if not _needs_session(found) or _logged_on(after)]
    lost_leads, moved = _lost_leads(before, after), _moved_zones(before, after)
    return tuple(
        sorted(
            {
                _named(found)
                for found in gone
                if not _led_to(found, lost_leads) and found.asked.get("zone") not in moved
            }
        )
    )


def _lost_leads(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """The names that an answer pointed to before, and the answer to that question does not now."""
    now = {found.identity: _mentioned(found) for found in after.observations}
    nothing: frozenset[str] = frozenset()
    return frozenset(
        name
        for found in before.observations
        for name in _mentioned(found) - now.get(found.identity, nothing)
    )


def _needs_session(found: Observation) -> bool:
    return found.kind == "soap" and found.asked.get("action") not in LOGONS


def _logged_on(snapshot: Snapshot) -> bool:
    """Without a session nothing else can be asked; that Logon fails is seen elsewhere."""
    return not isinstance(CampaignView(snapshot).logon, NotSeen)


def _named(found: Observation) -> str:
    server = found.asked.get("server")
    return f"{found.subject} at {server}" if server else found.subject


def _led_to(found: Observation, leads: frozenset[str]) -> bool:
    """Whether one of these names led to a question: about it, or about the zone it is in."""
    name = _name(found)
    of_zone = found.asked.get("type") in ("SOA", "NS")
    return name in leads or (of_zone and any(lead.endswith(f".{name}") for lead in leads))


def _name(found: Observation) -> str:
    return found.asked.get("name", "").rstrip(".").lower()


def _mentioned(found: Observation) -> frozenset[str]:
    """All names that an answer points to, lower case without the final dot."""
    if found.kind != "dns" or not isinstance(found.outcome, Seen):
        return frozenset()
    return frozenset(_targets(found.outcome.value))


def _targets(wire: bytes) -> Iterable[str]:
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True)
        texts = [
            rdata.to_text().lower()
            for section in (message.answer, message.authority)
            for rrset in section
            if rrset.rdtype in _LEADING
            for rdata in rrset
        ]
    except Exception:  # noqa: BLE001 - hostile bytes lead nowhere
        return
    for text in texts:
        for word in text.replace('"', " ").split():
            bare = word.partition("=")[2] if word.startswith("redirect=") else word
            yield bare.rpartition(":")[2].partition("/")[0].rstrip(".")


def _moved_zones(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """The zones whose name servers are others after: another set, or other addresses."""
    old, new = _servers(before), _servers(after)
    known = _ns_answers(before), _ns_answers(after)
    return frozenset(
        zone
        for zone in old
        if old[zone] != new.get(zone) and known[0].get(zone) != known[1].get(zone)
    )


def _servers(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for seen in snapshot.observations:
        if seen.asked.get("zone") and seen.asked.get("server"):
            found.setdefault(seen.asked["zone"], set()).add(seen.asked["server"])
    return {zone: frozenset(servers) for zone, servers in found.items()}


def _ns_answers(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """Per zone all names that any NS answer about it mentions."""
    found: dict[str, set[str]] = {}
    for seen in snapshot.observations:
        if seen.asked.get("type") == "NS" and isinstance(seen.outcome, Seen):
            found.setdefault(seen.asked.get("name", ""), set()).update(_targets(seen.outcome.value))
    return {zone: frozenset(names) for zone, names in found.items()}
