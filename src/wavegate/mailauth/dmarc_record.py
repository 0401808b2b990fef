# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""DMARC records (RFC 9989 4.7): choosing one among the TXT, and what its tags come to.

Tag names and keyword values ignore case; the version does not. Unknown tags have no effect; a
duplicate tag makes the record no record.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

POLICIES = ("none", "quarantine", "reject")
MAX_RECORD = 65_535
MAX_URIS = 50
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.+)")
_SIZE = re.compile(r"![0-9]+[kmgt]?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """One record. p, sp, np: None where absent or not to be used.

    usable: False for a record by which no DMARC processing takes place (RFC 9989 4.7: p, sp or np
    missing or invalid, and no rua). psd: `y`, `n` or `u`. percent: historic pct.
    tags: as written, names and keyword values lower case.
    """

    p: str | None
    sp: str | None
    np: str | None
    usable: bool
    adkim: str
    aspf: str
    fo: str
    rua: tuple[str, ...]
    ruf: tuple[str, ...]
    psd: str
    testing: bool
    percent: int
    tags: Mapping[str, str] = field(compare=False)
    text: str = field(compare=False)


def choose(texts: tuple[bytes, ...]) -> DmarcRecord | None:
    """The one valid record among the TXT at a name; None for none and for several."""
    found = [record for record in map(_read, texts) if record is not None]
    return found[0] if len(found) == 1 else None


def _read(text: bytes) -> DmarcRecord | None:
    if len(text) > MAX_RECORD or not text.startswith(b"v"):
        return None
    tags = _tags(text.decode("utf-8", "replace"))
    if tags is None or next(iter(tags)) != "v" or tags["v"] != "DMARC1":
        return None
    rua, ruf = uris(tags.get("rua", "")), uris(tags.get("ruf", ""))
    lower = {name: value.lower() for name, value in tags.items()}
    stated = {name: lower.get(name) for name in ("p", "sp", "np")}
    sound = stated["p"] in POLICIES and all(
        value in POLICIES for value in stated.values() if value is not None
    )
    return DmarcRecord(
        p=stated["p"] if sound else "none",
        sp=stated["sp"] if sound else None,
        np=stated["np"] if sound else None,
        usable=sound or bool(rua),
        adkim=_one_of(lower, "adkim", "rs"),
        aspf=_one_of(lower, "aspf", "rs"),
        fo=_failure_options(lower.get("fo", "0")),
        rua=rua,
        ruf=ruf,
        psd=_one_of(lower, "psd", "uyn"),
        testing=lower.get("t") == "y",
        percent=_percent(lower.get("pct", "100")),
        tags=lower,
        text=text.decode("ascii", "backslashreplace"),
    )


def _tags(text: str) -> dict[str, str] | None:
    tags: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        name = name.strip() if not tags else name.strip().lower()
        if not equals or name in tags:
            return None
        tags[name] = value.strip()
    return tags or None


def _one_of(tags: Mapping[str, str], name: str, values: str) -> str:
    """The value of a keyword tag; the first of the values where it is absent or invalid."""
    value = tags.get(name, "")
    return value if len(value) == 1 and value in values else values[0]


def _failure_options(value: str) -> str:
    options = {option.strip() for option in value.split(":")}
    return ":".join(sorted(options)) if options <= {"0", "1", "d", "s"} else "0"


def _percent(value: str) -> int:
    return int(value) if re.fullmatch(r"\d{1,3}", value) and int(value) <= 100 else 100


def uris(value: str) -> tuple[str, ...]:
    """Report addresses, sorted, scheme and host in lower case, without size limits."""
    found = (_uri(part.strip()) for part in value.split(",")[:MAX_URIS])
    return tuple(sorted({uri for uri in found if uri}))


def _uri(text: str) -> str:
    parts = _URI.fullmatch(_SIZE.sub("", text))
    if parts is None:
        return ""
    scheme, rest = parts[1].lower(), parts[2]
    if scheme != "mailto":
        return f"{scheme}:{rest}"
    local, at, host = rest.rpartition("@")
    return f"{scheme}:{local}{at}{host.lower()}"
