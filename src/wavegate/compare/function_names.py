# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Where a function of an instance is asked, and which of the estate's were not probed."""

from collections.abc import Container, Iterable, Mapping
from urllib.parse import urlsplit

from wavegate.estate.model import FunctionProbe, Instance
from wavegate.record.timeline import Watched


def family(name: str) -> str:
    """The kind of a function: the name before the slash."""
    return name.partition("/")[0]


def place_of(instance: Instance, name: str) -> str:
    """The subject of a finding: the function and where it is asked, or the instance.

    Where it is asked: the host, and the path where the estate names one.
    """
    if family(name) == "certificate" and "/" in name:
        return f"certificate of {name.partition('/')[2]}"
    probe = instance.functions.get(name, instance.functions.get(family(name)))
    told = probe if isinstance(probe, FunctionProbe) else None
    host = _host(instance, told)
    return f"{name} of {host}{_path(told)}" if host else f"{name} of instance:{instance.name}"


def _host(instance: Instance, probe: FunctionProbe | None) -> str | None:
    """The host in the estate: the function's own, or the instance's."""
    if probe is not None and probe.host:
        return probe.host
    url = probe.url if probe is not None and probe.url and "://" in probe.url else instance.url
    try:
        return urlsplit(url).hostname if url else None
    except ValueError:
        return None


def _path(probe: FunctionProbe | None) -> str:
    """The path that the estate names, without what may be secret in a query."""
    try:
        return urlsplit(probe.url).path if probe is not None and probe.url else ""
    except ValueError:
        return ""


def switched_off(instance: Instance, known: Container[str]) -> tuple[str, ...]:
    """Functions that the estate switches off and of which the watch says nothing itself."""
    return tuple(
        sorted(
            name
            for name, probe in instance.functions.items()
            if not isinstance(probe, FunctionProbe) and name not in known
        )
    )


def declared(instance: Instance, known: Mapping[str, Watched]) -> tuple[str, ...]:
    """Functions that the estate declares and that the watch does not know."""
    families = set(known) | set(map(family, known)) | set(_leaves(known))
    return tuple(
        sorted(
            name
            for name, probe in instance.functions.items()
            if isinstance(probe, FunctionProbe) and name not in families
        )
    )


def _leaves(names: Iterable[str]) -> Iterable[str]:
    return (name.rpartition("/")[2] for name in names)
