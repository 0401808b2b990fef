# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Our own faults told from theirs: no route to an address family, no sockets left.

What this machine cannot do is never an observation about an instance (design, rule 13).
"""

import errno

from wavegate.errors import InternalError

_NO_ROUTE = frozenset(
    {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES}
)
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class NoRouteError(Exception):
    """An address that this machine cannot reach: no route for the family, or its own firewall."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"{server}: {reason}")
        self.server = server
        self.reason = reason


def raise_if_ours(error: OSError, server: str) -> None:
    """Raise NoRouteError or InternalError where an error of the operating system is our own."""
    if error.errno in _NO_ROUTE:
        family = "IPv6" if "[" in server else "IPv4"
        raise NoRouteError(server, f"no {family} route from this machine ({error.strerror})")
    if error.errno in _EXHAUSTED:
        raise InternalError(
            f"this machine has no sockets or memory left: {error.strerror}",
            where=server,
            cure="raise the limit of open files (ulimit -n), or capture fewer instances at once",
        ) from error
