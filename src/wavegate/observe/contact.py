# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether an address may be contacted: private ones only where the estate lists their network.

Answers of name servers lead us on; none of them may send us into somebody's private network.
"""

import ipaddress
from collections.abc import Iterable

from wavegate.estate.policy import Policy

REASON = "is private and not in policy.reachable_private"
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def may_contact(text: str, policy: Policy) -> bool:
    """Whether an address is public, or in a network of `policy.reachable_private`.

    text: an address, perhaps with a zone id. Raises ValueError for anything else.
    """
    ip: IpAddress = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.is_global and not ip.is_multicast:
        return True
    allowed = (ipaddress.ip_network(str(net)) for net in policy.reachable_private)
    return any(ip.version == net.version and ip in net for net in allowed)


def barred(addresses: Iterable[str], policy: Policy) -> str | None:
    """The first address that may not be contacted, or None."""
    return next((text for text in addresses if not may_contact(text, policy)), None)
