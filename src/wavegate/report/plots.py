# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG text: plain rows in, the same bytes out each time.

Made to stand inside an HTML page: lines and text take the page's own colour, so that they hold on
light and dark. Text is drawn as paths, ids are derived from the content, no date stands inside.
Each has a title and a description, so that it says the same to those who do not see it.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib import import_module
from typing import Any, Literal, TypeVar

from wavegate.canonical import digest

State = Literal["ok", "wrong", "silent", "gap"]
Row = TypeVar("Row")

INK = "#010203"
"""Stands for the page's own colour until the text is ready."""
BEFORE, AFTER, MARGIN = "#8a94a0", "#2f80d0", "#d9534f"
STATES: dict[State, str] = {
    "ok": "#2e9e62",
    "wrong": "#d9534f",
    "silent": "#c98a1b",
    "gap": "#8a94a0",
}
MAX_POINTS = 2_000
MAX_ROWS = 60
_STYLE: dict[str, object] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "wavegate",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePoint:
    """One bucket: messages a minute. counted: it was judged, not set aside or without load."""

    at: datetime
    rate: float
    counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFigure:
    """The rate before and after.

    expected: of before, floor: the least agreed; messages a minute.
    """

    title: str
    opening: datetime
    close: datetime
    points: tuple[RatePoint, ...]
    expected: float
    floor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayFigure:
    """Seed delays in seconds on both sides, and the latest 95th percentile agreed."""

    title: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    ceiling: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpan:
    """A span in which a function was in one state."""

    since: datetime
    until: datetime
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRow:
    """A function's spans in the order of time."""

    name: str
    spans: tuple[StateSpan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFigure:
    """What each function did around the window."""

    title: str
    opening: datetime
    close: datetime
    rows: tuple[FunctionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePoint:
    """How many of the queued mails were not accounted for yet."""

    at: datetime
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigure:
    """How the queue drained. deadline: until when all must be accounted for."""

    title: str
    opening: datetime
    close: datetime
    points: tuple[QueuePoint, ...]
    deadline: datetime | None = None


def rate_svg(figure: RateFigure) -> str:
    """The rate before and after the window, with the agreed margin below the rate before."""
    counted = [p for p in figure.points if p.counted]
    before = sum(p.at < figure.opening for p in counted)
    described = (
        f"{before} stretches before the window and {len(counted) - before} after it were judged; "
        f"about {figure.expected:.0f} messages a minute before, {figure.floor:.0f} are the least "
        f"agreed. {len(figure.points) - len(counted)} stretches were set aside."
    )

    def draw(axes: Any) -> None:
        _window(axes, figure.opening, figure.close)
        for name, colour, side in (
            ("before", BEFORE, [p for p in counted if p.at < figure.opening]),
            ("after", AFTER, [p for p in counted if p.at >= figure.opening]),
        ):
            shown = thin(side)
            axes.plot(
                [p.at for p in shown], [p.rate for p in shown], ".", color=colour, label=name, ms=4
            )
        aside = thin([p for p in figure.points if not p.counted])
        if aside:
            axes.plot(
                [p.at for p in aside], [p.rate for p in aside],
                "x", color=INK, alpha=0.45, label="set aside", ms=4,
            )  # fmt: skip
        axes.axhline(figure.expected, color=BEFORE, lw=1)
        axes.axhline(figure.floor, color=MARGIN, lw=1, ls="--", label="least agreed")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("messages a minute")
        _times(axes)
        axes.legend(loc="lower left", ncols=4)

    return _svg(figure.title, described, draw, height=3.0)


def delay_svg(figure: DelayFigure) -> str:
    """The distribution of seed delays: which share arrived within how many seconds."""
    ceiling = f"; {figure.ceiling:.0f} s is the latest agreed" if figure.ceiling else ""
    described = (
        f"Delays of {len(figure.before)} seeds before and {len(figure.after)} after. "
        f"95 % arrived within {_quantile(figure.before)} before and {_quantile(figure.after)} "
        f"after{ceiling}."
    )

    def draw(axes: Any) -> None:
        for name, colour, delays in (
            ("before", BEFORE, figure.before),
            ("after", AFTER, figure.after),
        ):
            if delays:
                shown = thin(sorted(delays))
                shares = [100 * (k + 1) / len(shown) for k in range(len(shown))]
                axes.step(shown, shares, where="post", color=colour, label=name, lw=1.5)
        axes.axhline(95, color=INK, lw=0.6, alpha=0.5)
        if figure.ceiling is not None:
            axes.axvline(figure.ceiling, color=MARGIN, lw=1, ls="--", label="latest agreed p95")
        axes.set_xlim(left=0)
        axes.set_ylim(0, 101)
        axes.set_xlabel("seconds from sending to arrival")
        axes.set_ylabel("% arrived")
        if figure.before or figure.after or figure.ceiling is not None:
            axes.legend(loc="lower right")

    return _svg(figure.title, described, draw, height=2.8)


def window_svg(figure: WindowFigure) -> str:
    """Each function's states around the window, one line a function."""
    rows = figure.rows[:MAX_ROWS]
    bad = [r.name for r in figure.rows if any(s.state in ("wrong", "silent") for s in r.spans)]
    more = f" {len(figure.rows) - len(rows)} further functions are not drawn." * (
        len(figure.rows) > len(rows)
    )
    described = (
        f"{len(figure.rows)} functions around the window from {figure.opening:%Y-%m-%d %H:%M:%S} "
        f"to {figure.close:%H:%M:%S} UTC. "
        f"{'Wrong or silent at some time: ' + ', '.join(bad) if bad else 'All answered'}.{more}"
    )

    def draw(axes: Any) -> None:
        date2num = _drawing("dates").date2num
        _window(axes, figure.opening, figure.close)
        for place, row in enumerate(rows):
            for state, colour in STATES.items():
                spans = [
                    (date2num(s.since), date2num(s.until) - date2num(s.since))
                    for s in thin(row.spans)
                    if s.state == state
                ]
                tall = 0.64 if state in ("wrong", "silent") else 0.36
                if spans:  # an empty one costs as much as a full one
                    axes.broken_barh(spans, (place - tall / 2, tall), color=colour, lw=0)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.invert_yaxis()
        axes.xaxis_date(tz=UTC)
        _times(axes)
        _legend(axes)

    return _svg(figure.title, described, draw, height=1.2 + 0.24 * max(1, len(rows)))


def queue_svg(figure: QueueFigure) -> str:
    """How many queued mails were not accounted for, over time."""
    first = figure.points[0].waiting if figure.points else 0
    last = figure.points[-1].waiting if figure.points else 0
    described = f"{first} mails were queued; {last} were not accounted for at the last look."

    def draw(axes: Any) -> None:
        _window(axes, figure.opening, figure.close)
        shown = thin(figure.points)
        axes.step(
            [p.at for p in shown], [p.waiting for p in shown], where="post", color=AFTER, lw=1.5
        )
        if figure.deadline is not None:
            axes.axvline(figure.deadline, color=MARGIN, lw=1, ls="--", label="deadline")
            axes.legend(loc="upper center")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("mails waiting")
        _times(axes)

    return _svg(figure.title, described, draw, height=2.6)


def thin(rows: Sequence[Row]) -> list[Row]:
    """At most MAX_POINTS rows, evenly taken, the last one among them."""
    step = -(-len(rows) // MAX_POINTS) or 1
    return list(reversed(list(reversed(rows))[::step]))


def _quantile(delays: Sequence[float]) -> str:
    if not delays:
        return "no known time"
    place = -(-95 * len(delays) // 100) - 1
    return f"{sorted(delays)[place]:.0f} s"


def _window(axes: Any, opening: datetime, close: datetime) -> None:
    axes.axvspan(opening, close, color=INK, alpha=0.10, lw=0)


def _times(axes: Any) -> None:
    dates = _drawing("dates")
    locator = dates.AutoDateLocator(tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=UTC))


def _legend(axes: Any) -> None:
    names = {"gap": "not watched"}
    patch = _drawing("patches").Patch
    patches = [patch(color=colour, label=names.get(s, s)) for s, colour in STATES.items()]
    axes.legend(handles=patches, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)


def _drawing(name: str) -> Any:
    """A module or function of matplotlib, loaded when something is drawn: half a second."""
    found = import_module("matplotlib")
    return getattr(found, name, None) or import_module(f"matplotlib.{name}")


def _svg(title: str, described: str, draw: Callable[[Any], None], *, height: float) -> str:
    """Draw, and make the text fit for a page."""
    with _drawing("rc_context")(_STYLE):
        figure = _drawing("figure").Figure(figsize=(7.6, height))
        draw(figure.add_subplot())
        _drawing("backends.backend_svg").FigureCanvasSVG(figure)
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine("none")  # which saves drawing all of it a first time, for layout
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return _dressed(buffer.getvalue(), title, described)


def _dressed(svg: str, title: str, described: str) -> str:
    """Without prologue and metadata, with title and description, ids of its own."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    head, _, rest = body.partition(">")
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    mark = f"p{digest((title + body).encode())[:10]}"
    rest = re.sub(r'\bid="', f'id="{mark}-', rest)
    rest = re.sub(r'(href="#|url\(#)', rf"\g<1>{mark}-", rest)
    named = f' role="img" aria-labelledby="{mark}-title {mark}-desc" class="plot">'
    told = (
        f'<title id="{mark}-title">{escape(title)}</title>'
        f'<desc id="{mark}-desc">{escape(described)}</desc>'
    )
    return (head + named + told + rest).replace(INK, "currentColor").strip() + "\n"
