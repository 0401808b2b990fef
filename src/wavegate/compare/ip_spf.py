# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether SPF passes the sending IPs: a source beside the mail that came from them."""

from collections.abc import Iterable, Mapping, Sequence

from wavegate.answer import Lookup
from wavegate.compare.senders import address
from wavegate.mailauth.names import address_of, name_of
from wavegate.mailauth.spf import evaluate_client
from wavegate.mailauth.spf_macro import Sender
from wavegate.mailauth.spf_record import Result


def passes(ips: Iterable[str], domains: Sequence[str], lookup: Lookup) -> Mapping[str, bool]:
    """Per address whether SPF passes it for every domain; what is not known is left out.

    Macros that depend on the sender's local part or HELO are left open, and then it is not known.
    """
    found: dict[str, bool] = {}
    for ip in ips:
        told = {_passes(ip, domain, lookup) for domain in domains}
        if False in told:
            found[address(ip)] = False
        elif told == {True}:
            found[address(ip)] = True
    return found


def _passes(ip: str, domain: str, lookup: Lookup) -> bool | None:
    client, name = address_of(ip), name_of(domain)
    if client is None or name is None:
        return None
    sender = Sender(domain=name, client=client)
    results = {piece.result for piece in evaluate_client(sender, lookup).pieces}
    if Result.UNKNOWN in results or len(results) != 1:
        return None
    return results == {Result.PASS}
