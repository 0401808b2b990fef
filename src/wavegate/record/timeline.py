# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A timeline: the probe samples of one instance through the window, from one vantage.

Written as a hash-chained journal while the watch runs (`timeline_journal`), frozen as one record
when a gate reads it. A gap in the watching is shown as a gap.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from wavegate.canonical import dumps, loads
from wavegate.clock import format_instant, parse_instant
from wavegate.errors import DamagedError
from wavegate.record.snapshot import Tool, check_schema

SCHEMA = "wavegate/timeline/v1"
State = Literal["ok", "wrong", "silent"]
_STATES: tuple[State, ...] = ("ok", "wrong", "silent")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One function of the instance and how it is probed.

    name: `tracking`, `mirror_page`, `workflow/cleanup`, ... every: distance between two probes.
    expects: the answer that counts as ok, in words. not_probed: why it is not probed at all (the
    product lacks it, the estate switched it off), else None. period: how often the function does
    its work by its own schedule, where that is what is judged (workflows), else None.
    """

    name: str
    every: timedelta
    expects: str
    not_probed: str | None = None
    period: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One probe of one function.

    sent: when it was asked. ended: when the answer was there, or it was given up. state: ok; wrong,
    a definite wrong answer (fault, 5xx, missing marker, wrong target, "queue is full"); silent.
    detail: what came, in a few words. heard: whether anything outside this instance answered this
    vantage between sent and ended. value: a mark of progress that the answer carries (last run of a
    workflow, count of recorded clicks, `7/400` of a queue, a digest), or None. stamp: the server's
    clock in the answer, resolution_us: how fine it is, both None where it shows none.
    """

    function: str
    sent: datetime
    ended: datetime
    state: State
    detail: str
    heard: bool
    value: str | None = None
    stamp: datetime | None = None
    resolution_us: int | None = None

    def to_fields(self) -> dict[str, object]:
        """The JSON form, as it stands in journal and record."""
        return {
            "function": self.function,
            "sent": format_instant(self.sent),
            "ended": format_instant(self.ended),
            "state": self.state,
            "detail": self.detail,
            "heard": self.heard,
            "value": self.value,
            "stamp": format_instant(self.stamp) if self.stamp else None,
            "resolution_us": self.resolution_us,
        }

    @classmethod
    def from_fields(cls, fields: dict[str, object]) -> "Sample":
        """Read back what `to_fields` wrote. Raises KeyError, ValueError or TypeError."""
        stamp, resolution = fields["stamp"], fields["resolution_us"]
        return cls(
            function=_text(fields["function"]),
            sent=parse_instant(_text(fields["sent"])),
            ended=parse_instant(_text(fields["ended"])),
            state=_state(fields["state"]),
            detail=_text(fields["detail"]),
            heard=fields["heard"] is True,
            value=None if fields["value"] is None else _text(fields["value"]),
            stamp=None if stamp is None else parse_instant(_text(stamp)),
            resolution_us=None if resolution is None else int(str(resolution)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A span in which this watch did not look. reason: killed, disk full, clock stepped, ..."""

    since: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All samples of one instance from one vantage, in the order of sending.

    began, ended: first and last sign of life of the watch. settled: the watch ended by itself after
    the close had settled (or `--until`), rather than being cut short. digest: of the frozen record,
    empty until it is stored.
    """

    instance: str
    customer: str
    wave: str
    vantage: str
    tool: Tool
    began: datetime
    ended: datetime
    settled: bool
    functions: tuple[Watched, ...]
    samples: tuple[Sample, ...]
    gaps: tuple[Gap, ...] = ()
    digest: str = ""

    def of(self, function: str) -> tuple[Sample, ...]:
        """The samples of one function."""
        return tuple(sample for sample in self.samples if sample.function == function)

    def to_bytes(self) -> bytes:
        """The canonical bytes of the frozen record."""
        return dumps(
            {
                "schema": SCHEMA,
                "instance": self.instance,
                "customer": self.customer,
                "wave": self.wave,
                "vantage": self.vantage,
                "tool": {"version": self.tool.version, "source": self.tool.source},
                "began": format_instant(self.began),
                "ended": format_instant(self.ended),
                "settled": self.settled,
                "functions": [watched_to_fields(found) for found in self.functions],
                "samples": [sample.to_fields() for sample in self.samples],
                "gaps": [gap_to_fields(gap) for gap in self.gaps],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, digest: str) -> "Timeline":
        """Read back a stored record. Raises DamagedError for anything that was not written so."""
        fields = loads(data, where=digest)
        if not isinstance(fields, dict):
            raise DamagedError("a timeline is a JSON object", where=digest)
        check_schema(fields, SCHEMA, where=digest)
        try:
            tool = _object(fields["tool"])
            return cls(
                instance=_text(fields["instance"]),
                customer=_text(fields["customer"]),
                wave=_text(fields["wave"]),
                vantage=_text(fields["vantage"]),
                tool=Tool(version=_text(tool["version"]), source=_text(tool["source"])),
                began=parse_instant(_text(fields["began"])),
                ended=parse_instant(_text(fields["ended"])),
                settled=fields["settled"] is True,
                functions=tuple(
                    watched_from_fields(_object(f)) for f in _list(fields["functions"])
                ),
                samples=tuple(Sample.from_fields(_object(s)) for s in _list(fields["samples"])),
                gaps=tuple(gap_from_fields(_object(gap)) for gap in _list(fields["gaps"])),
                digest=digest,
            )
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"not a timeline: {error}", where=digest) from error


def watched_to_fields(found: Watched) -> dict[str, object]:
    """The JSON form of a function's plan."""
    return {
        "name": found.name,
        "every_us": found.every // _MICROSECOND,
        "expects": found.expects,
        "not_probed": found.not_probed,
        "period_us": found.period // _MICROSECOND if found.period else None,
    }


def watched_from_fields(fields: dict[str, object]) -> Watched:
    """Read back a function's plan. Raises KeyError, ValueError or TypeError."""
    not_probed, period = fields["not_probed"], fields["period_us"]
    return Watched(
        name=_text(fields["name"]),
        every=int(str(fields["every_us"])) * _MICROSECOND,
        expects=_text(fields["expects"]),
        not_probed=None if not_probed is None else _text(not_probed),
        period=None if period is None else int(str(period)) * _MICROSECOND,
    )


def gap_to_fields(gap: Gap) -> dict[str, object]:
    """The JSON form of a gap."""
    since, until = format_instant(gap.since), format_instant(gap.until)
    return {"since": since, "until": until, "reason": gap.reason}


def gap_from_fields(fields: dict[str, object]) -> Gap:
    """Read back a gap. Raises KeyError, ValueError or TypeError."""
    return Gap(
        since=parse_instant(_text(fields["since"])),
        until=parse_instant(_text(fields["until"])),
        reason=_text(fields["reason"]),
    )


def _state(value: object) -> State:
    for state in _STATES:
        if value == state:
            return state
    raise ValueError(f"state {value!r}")


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value
