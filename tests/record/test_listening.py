# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""When a sink listened: spans that end where signs of life are missing."""

from datetime import UTC, datetime, timedelta

from wavegate.record.listening import Listener, Listening, ListeningLog

AT = datetime(2024, 1, 16, 22, tzinfo=UTC)
SINK = Listener(listen=("192.0.2.1:25",), vantage="here", heartbeat=timedelta(seconds=5))


def at(seconds: float) -> datetime:
    """So many seconds after the beginning."""
    return AT + timedelta(seconds=seconds)


def spans(log: ListeningLog) -> list[tuple[float, float, bool]]:
    """Beginning and end in seconds, and whether the end was a stop."""
    return [
        ((span.began - AT).total_seconds(), (span.ended - AT).total_seconds(), span.clean)
        for span in log.spans()
    ]


def test_signs_of_life_make_one_span() -> None:
    """Heartbeats up to three times their distance apart are one span, ended by the stop."""
    log = ListeningLog()
    log.begin("a", at(0), SINK)
    for second in (5, 20, 25):
        log.sign("a", at(second))
    log.sign("a", at(26), stop=True)
    assert log.spans() == (
        Listening(began=at(0), ended=at(26), listener=SINK, segment="a", clean=True),
    )


def test_silence_splits_the_span() -> None:
    """Where more than three heartbeats are missing nobody can say that the sink listened."""
    log = ListeningLog()
    log.begin("a", at(0), SINK)
    log.sign("a", at(5))
    log.sign("a", at(20.1))
    assert spans(log) == [(0, 5, False), (20.1, 20.1, False)]


def test_clock_that_went_back_splits_the_span() -> None:
    """A span never covers time by a clock that was set back in it."""
    log = ListeningLog()
    log.begin("a", at(100), SINK)
    log.sign("a", at(50))
    log.sign("a", at(55), stop=True)
    assert spans(log) == [(50, 55, True), (100, 100, False)]


def test_following_segment_continues_the_span() -> None:
    """Rotation of the journal is no interruption of the listening."""
    log = ListeningLog()
    log.begin("a", at(0), SINK)
    log.begin("b", at(3), SINK, follows="a")
    log.sign("b", at(8))
    assert spans(log) == [(0, 8, False)]
    log.begin("c", at(100), SINK, follows="b")
    assert spans(log) == [(0, 8, False), (100, 100, False)]


def test_two_sinks_have_their_own_spans() -> None:
    """Another sink's signs of life do not bridge the silence of the first."""
    log = ListeningLog()
    log.begin("a", at(0), SINK)
    log.begin("b", at(10), SINK)
    log.sign("b", at(15))
    log.sign("unknown", at(20))
    assert spans(log) == [(0, 0, False), (10, 15, False)]
