# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Steps of a play that differ from the ordinary wave: what the harness, not the world, does wrong.

The catalogue tells them under `play`; `tampering` holds the file operations among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Do = Literal["omit", "capture", "halt", "clock", "tool", "key", "seeds", "gate", "tamper"]
"""What differs.

omit: the ordinary `step` is not taken. capture: `phase` is captured at `since`, with --force where
that is its wrong side. halt: a process, `watch` (stopped, then continued) or `sink` (ended, then
started again), does nothing from `since` to `until`. clock: every command that `step` names goes by
a clock that is `off` window lengths, or so many `days`, ahead (`skewed`). tool: `step` is taken by
`version` of the tool. key: `step` is signed by a second key, which is trusted as the first is.
seeds: `plan` orders twenty bursts of seeds a side, and writes them to `seeds.json` in the lab's
folder, where the lab finds them when a phase is asked for. gate: before `step`, the wave `what` is
planned and gated, long after its window and without a capture. tamper: once `step` is over, `what`
of `tampering` is done.
"""
Step = Literal[
    "harness",
    "plan",
    "sink",
    "watch",
    "capture before",
    "capture after",
    "capture again",
    "gate",
]
"""The ordinary steps, in their order; `harness` stands for all of them and the sink."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayStep:
    """One difference from the ordinary wave.

    since, until: in window lengths from the opening; 1.0 is the close. off: in window lengths.
    """

    do: Do
    step: Step
    phase: Literal["before", "after"] | None = None
    since: float | None = None
    until: float | None = None
    off: float | None = None
    days: float | None = None
    version: str | None = None
    what: str | None = None

    def told(self) -> str:
        """The step in words."""
        match self.do:
            case "omit":
                return f"no {self.step}"
            case "capture":
                return f"capture {self.phase} {_at(self.since)}"
            case "halt":
                return f"{self.step} stands still from {_at(self.since)} to {_at(self.until)}"
            case "clock":
                ahead = f"{self.days:g} days" if self.days else f"{self.off:g} window lengths"
                return f"the clock of {self.step} is {ahead} ahead"
            case "tool":
                return f"{self.step} by version {self.version} of the tool"
            case "key":
                return f"{self.step} signed by a second trusted key"
            case "seeds":
                return f"{self.step} orders twenty bursts of seeds a side"
            case "gate":
                return f"before {self.step}, wave {self.what} is planned and gated, never captured"
            case "tamper":
                return f"after {self.step}: {self.what}"


def _at(share: float | None) -> str:
    return f"{share or 0:g} window lengths after the opening"


NEEDS: Mapping[Do, tuple[str, ...]] = {
    "omit": (),
    "capture": ("phase", "since"),
    "halt": ("since", "until"),
    "clock": (),
    "tool": ("version",),
    "key": (),
    "seeds": (),
    "gate": ("what",),
    "tamper": ("what",),
}


def play_step(entry: Mapping[str, object]) -> PlayStep:
    """One step of a catalogue entry. Raises TypeError or KeyError for what is none."""
    do = _one_of(entry["do"], get_args(Do))
    found = PlayStep(
        do=do,
        step=_one_of(entry["step"], get_args(Step)),
        phase=_one_of(entry["phase"], ("before", "after")) if "phase" in entry else None,
        since=_number(entry, "since"),
        until=_number(entry, "until"),
        off=_number(entry, "off"),
        days=_number(entry, "days"),
        version=_text(entry, "version"),
        what=_text(entry, "what"),
    )
    for name in NEEDS[do]:
        entry[name]
    if set(entry) - set(PlayStep.__slots__):
        raise TypeError(f"{do} has unknown keys: {sorted(set(entry) - set(PlayStep.__slots__))}")
    if do == "clock" and (found.off is None) == (found.days is None):
        raise TypeError("clock takes either `off` or `days`")
    return found


def _number(entry: Mapping[str, object], name: str) -> float | None:
    return float(str(entry[name])) if name in entry else None


def _text(entry: Mapping[str, object], name: str) -> str | None:
    return str(entry[name]) if name in entry else None


def _one_of(value: object, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise TypeError(f"{value!r} is none of {', '.join(known)}")
    return value
