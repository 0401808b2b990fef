# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""How mail flows just now, read from the ends of a store's mail journals as a sink writes them.

For a person to look at only; what counts is read by the gate, chain and all.
"""

from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from wavegate.canonical import loads
from wavegate.clock import parse_instant
from wavegate.errors import DamagedError
from wavegate.estate.model import Window

MINUTE = timedelta(minutes=1)
MOST = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Flow:
    """Mails per sending address: in the last minute, within the window, since its close.

    heard: whether a sink wrote in the last minute, if only that it lives.
    """

    heard: bool = False
    minute: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)


class MailPulse:
    """How mail flows per sending address. folder: `mail` of a store, maybe not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._seen: deque[tuple[datetime, str]] = deque()
        self._flow = Flow()

    def flow(self, at: datetime, window: Window) -> Flow:
        """The counts at an instant. What is new is read first, at most 8 MB of each journal."""
        for path in sorted(self._folder.glob("*.jsonl")):
            for ended, peer in self._read(path):
                self._seen.append((ended, peer))
                if window.start <= ended < window.end:
                    self._flow.within[peer] += 1
                elif ended >= window.end:
                    self._flow.after[peer] += 1
        while self._seen and self._seen[0][0] < at - MINUTE:
            self._seen.popleft()
        minute = Counter(peer for ended, peer in self._seen if ended >= at - MINUTE)
        return replace(self._flow, minute=minute, heard=self._heard(at))

    def _heard(self, at: datetime) -> bool:
        """Whether a journal grew lately."""
        for path in self._folder.glob("*.jsonl"):
            with suppress(OSError):
                if path.stat().st_mtime >= (at - MINUTE).timestamp():
                    return True
        return False

    def _read(self, path: Path) -> list[tuple[datetime, str]]:
        """When and from whom the mails came that are new in a journal."""
        try:
            size = path.stat().st_size
            offset = self._offsets.setdefault(path, max(0, size - MOST))
            if size <= offset:
                return []
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(MOST)
        except OSError:
            return []
        whole = data.rfind(b"\n") + 1
        self._offsets[path] = offset + whole
        lines = data[:whole].splitlines()
        return [mail for line in lines if (mail := _mail(line)) is not None]


def _mail(line: bytes) -> tuple[datetime, str] | None:
    try:
        fields = loads(line)
        if isinstance(fields, dict) and fields.get("kind") == "mail":
            return parse_instant(str(fields["ended"])), str(fields["peer"])
    except (DamagedError, ValueError, KeyError):
        pass
    return None
