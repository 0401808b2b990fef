# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""CSV that a spreadsheet shows and never runs (RFC 4180, every cell quoted)."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"^\s*[=+\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"-?[0-9]+")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The bytes of a table with a header line, in UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(text) for text in row] for row in rows)
    return out.getvalue().encode("utf-8")


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula; plain numbers stay as they are."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
