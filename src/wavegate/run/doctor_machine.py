# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What doctor looks at on this machine: versions, extras, routes, resolvers, clock, keys."""

import platform
import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from importlib import metadata
from pathlib import Path

from wavegate import __version__, clock
from wavegate.clock import format_instant
from wavegate.errors import WavegateError
from wavegate.estate.model import Estate
from wavegate.evidence.trust import load as load_trust
from wavegate.evidence.trust import of_public_keys
from wavegate.observe.dns_run import system_resolvers
from wavegate.observe.machine import clock_is_kept, reach, routes
from wavegate.run.doctor_checks import Check, State
from wavegate.run.opening import home

_EXTRA = re.compile(r"""extra\s*==\s*['"](?P<extra>[^'"]+)['"]""")
_SOON = timedelta(days=30)
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def machine(estate: Estate | None) -> Iterator[Check]:
    """All checks of this machine. estate: whose resolvers are asked; None: the system's."""
    yield Check(
        what="wavegate",
        state=State.OK,
        text=f"version {__version__} on Python {platform.python_version()}",
    )
    yield from _extras()
    yield from _routes()
    yield from _resolvers(estate)
    yield _clock()
    yield from _keys(home())


def _extras() -> Iterator[Check]:
    """The extras of this installation; one that is not installed is no fault."""
    wanted: dict[str, list[str]] = {}
    for requirement in metadata.requires("wavegate") or ():
        of, name = _EXTRA.search(requirement), _NAME.match(requirement)
        if of and name:
            wanted.setdefault(of["extra"], []).append(name[0])
    for extra, names in sorted(wanted.items()):
        absent = [name for name in names if _version(name) is None]
        if absent:
            cure = f"pip install 'wavegate[{extra}]', if you need it"
            text = f"not installed: {', '.join(absent)}"
            yield Check(what=f"extra {extra}", state=State.NOTE, text=text, cure=cure)
        else:
            text = ", ".join(f"{name} {_version(name)}" for name in names)
            yield Check(what=f"extra {extra}", state=State.OK, text=text)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _routes() -> Iterator[Check]:
    found = routes()
    alone = all(found.values())
    for family, why in found.items():
        if why is None:
            yield Check(what=f"route {family}", state=State.OK, text="there is one")
        else:
            yield Check(
                what=f"route {family}",
                state=State.MISSING if alone else State.NOTE,
                text=f"none to elsewhere: {why}",
                cure=f"look from a place with {family}, or what is reached only by it stays unseen",
            )


def _resolvers(estate: Estate | None) -> Iterator[Check]:
    given = tuple(map(str, estate.resolvers)) if estate else ()
    whose = "of the estate" if given else "of this system"
    servers = given or system_resolvers()
    if not servers:
        yield Check(
            what="resolvers",
            state=State.MISSING,
            text="none is known: no `resolvers:` in an estate, no nameserver in /etc/resolv.conf",
            cure="give --estate with `resolvers:` or `authoritative:`",
        )
    for reached in reach(servers):
        if reached.answered:
            text = f"{whose}, answers ({reached.said})"
            yield Check(what=f"resolver {reached.server}", state=State.OK, text=text)
        else:
            yield Check(
                what=f"resolver {reached.server}",
                state=State.MISSING,
                text=f"{whose}, gives no answer: {reached.said}",
                cure="check address and firewall, or name others under `resolvers:`",
            )


def _clock() -> Check:
    match clock_is_kept():
        case True:
            return Check(what="clock", state=State.OK, text="the system says that it is kept")
        case False:
            return Check(
                what="clock",
                state=State.NOTE,
                text="the system says that nothing keeps it: instants may be off",
                cure="run chrony, ntpd or systemd-timesyncd",
            )
        case None:
            return Check(
                what="clock",
                state=State.NOTE,
                text="the system does not tell whether something keeps it",
                cure="make sure that it is kept by NTP",
            )


def _keys(folder: Path) -> Iterator[Check]:
    """The default key and the trust file beside it; none is made, and none is read."""
    private, trust = folder / "keys" / "default.pem", folder / "trust.json"
    if not private.exists() and not trust.exists():
        text = f"none in {folder} yet: one is made when something is first signed"
        yield Check(what="keys", state=State.NOTE, text=text)
        return
    if private.exists():
        yield _private(private)
    else:
        text, cure = f"{private} is not there", "restore it, or sign with --key"
        yield Check(what="private key", state=State.MISSING, text=text, cure=cure)
    yield _trust(trust, private.with_suffix(".pub"))


def _private(path: Path) -> Check:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Check(
            what="private key",
            state=State.MISSING,
            text=f"{path} can be read by others (mode {mode:04o})",
            cure=f"chmod 600 {path}; if others may have read it, make a new one",
        )
    return Check(what="private key", state=State.OK, text=f"{path}, for its owner only")


def _trust(path: Path, public: Path) -> Check:
    """Whether the trust file can be read, and trusts the default key now."""
    try:
        trust = load_trust(path)
        own = of_public_keys([public]).keys[0].key.keyid
    except WavegateError as error:
        text = f"{error.where or path}: {error.message}"
        return Check(what="trust file", state=State.MISSING, text=text, cure=error.cure)
    found = trust.find(own)
    if found is None:
        text, cure = f"{path} does not trust the default key {own}", "see `wavegate keys trust`"
        return Check(what="trust file", state=State.MISSING, text=text, cure=cure)
    if found.revoked_at:
        text = f"{path}: the default key was revoked at {format_instant(found.revoked_at)}"
        cure = "make another key and sign with that"
        return Check(what="trust file", state=State.MISSING, text=text, cure=cure)
    now, cure = clock.now(), "wavegate keys rotate, before it has ended; then a new key"
    if not found.valid_at(now) or not found.valid_at(now + _SOON):
        state = State.NOTE if found.valid_at(now) else State.MISSING
        text = f"{path}: the default key is {found.bounds}"
        return Check(what="trust file", state=state, text=text, cure=cure)
    text = f"{path}: {len(trust.keys)} keys, the default key {own[:16]} among them"
    return Check(what="trust file", state=State.OK, text=text)
