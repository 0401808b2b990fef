# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How mail flows just now, read from the ends of a store's mail journals as a sink writes them.

For a person to look at only; what counts is read by the gate, chain and all.
"""

from collections import Counter, deque
from datetime import datetime, timedelta
from pathlib import Path

from wavegate.canonical import loads
from wavegate.clock import parse_instant
from wavegate.errors import DamagedError

MINUTE = timedelta(minutes=1)
MOST = 8 * 1024 * 1024


class MailPulse:
    """Mails of the last minute per sending address. folder: `mail` of a store, maybe not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._seen: deque[tuple[datetime, str]] = deque()

    def per_minute(self, at: datetime) -> Counter[str]:
        """The counts at an instant. What is new is read first, at most 8 MB of each journal."""
        for path in sorted(self._folder.glob("*.jsonl")):
            self._read(path)
        while self._seen and self._seen[0][0] < at - MINUTE:
            self._seen.popleft()
        return Counter(peer for _, peer in self._seen)

    def _read(self, path: Path) -> None:
        try:
            size = path.stat().st_size
            offset = self._offsets.setdefault(path, max(0, size - MOST))
            if size <= offset:
                return
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(MOST)
        except OSError:
            return
        whole = data.rfind(b"\n") + 1
        self._offsets[path] = offset + whole
        for line in data[:whole].splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            fields = loads(line)
            if isinstance(fields, dict) and fields.get("kind") == "mail":
                self._seen.append((parse_instant(str(fields["ended"])), str(fields["peer"])))
        except (DamagedError, ValueError, KeyError):
            return
