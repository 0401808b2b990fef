# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Words of OSCAL: markup, strings, tokens and properties out of untrusted text; stable UUIDs."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from wavegate.clock import format_instant
from wavegate.report.markdown import escape
from wavegate.report.safe_text import shorten

NS: Final = "https://wavegate.dev/ns/oscal"
LIMIT: Final = 4000
"""Characters of one value; verdicts.json has the whole."""
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://wavegate.dev/oscal/v1")
Json = dict[str, object]


def uuid(*parts: str) -> str:
    """A UUID of version 5: the same parts give the same one."""
    return str(uuid5(_NAMESPACE, "\0".join(parts)))


def markup(text: str) -> str:
    """Text for a field that is read as Markdown: one line, nothing in it acts, never empty."""
    return escape(text, LIMIT).strip() or "-"


def string(text: str) -> str:
    """Text for a plain string: one line without blanks at its ends, never empty."""
    return shorten(text, LIMIT).strip() or "-"


def control(promise: str) -> str:
    """The id of a promise as a control: a token, which begins with a letter or `_`."""
    token = re.sub(r"[^A-Za-z0-9._-]", "_", promise)
    return token if re.match(r"[A-Za-z_]", token) else f"_{token}"


def objective(promise: str) -> str:
    """The id of the one objective of a promise."""
    return f"{control(promise)}.kept"


def properties(values: Mapping[str, str | datetime | None]) -> list[Json]:
    """Properties in our namespace, those that have a value."""
    return [
        {
            "name": name,
            "ns": NS,
            "value": format_instant(value) if isinstance(value, datetime) else string(value),
        }
        for name, value in values.items()
        if value is not None
    ]
