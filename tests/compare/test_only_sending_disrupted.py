# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`only_sending_disrupted`: every function fault of the catalogue in a small world of samples."""

from collections.abc import Iterable
from datetime import UTC, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.estates import estate, instance, wave
from tests.builders.timelines import SETTLED, Shape, at, bad, every, sample, timeline, watched

from wavegate.clock import format_instant
from wavegate.compare.only_sending_disrupted import FunctionsCase, compare_only_sending_disrupted
from wavegate.estate.model import Instance
from wavegate.record.timeline import Gap, Sample, Timeline, Watched
from wavegate.verdict import Judgement, Verdict

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
AT_THE_END = SETTLED + 1


def judged(
    *lines: Timeline, agreed: Instance | None = None, at_minute: float = AT_THE_END
) -> Judgement:
    """The judgement on some timelines."""
    mine = agreed or instance(
        functions={
            "tracking": {"url": "https://t.news.acme.example/r/test"},
            "mirror_page": {"url": "https://m.news.acme.example/nl/jsp/m.jsp?c=1"},
        }
    )
    return compare_only_sending_disrupted(
        FunctionsCase(
            estate=estate(mine), wave=wave(), instance=mine, at=at(at_minute), timelines=lines
        )
    )


def one(function: str, shape: Shape, **more: object) -> Judgement:
    """The judgement on one function of this shape, at five seconds."""
    return judged(timeline(every(function, shape=shape), **more))  # type: ignore[arg-type] # test data of known shape


def named(found: Judgement) -> str:
    """All that the findings, or else the gaps, name."""
    told = [w for f in found.findings for w in (*f.witness, f.subject, f.explanation)]
    return " | ".join(told or [gap.what for gap in found.missing])


def test_a_clean_window_passes_without_a_baseline() -> None:
    """And says what could hide, per function."""
    found = judged(timeline(every(), every("mirror_page")))
    assert found.verdict is Verdict.PASSED
    assert "tracking: no outage of 15 s or more" in (found.could_hide or "")
    assert "mirror_page: no outage" in (found.could_hide or "")


WHOLE = (0, SETTLED + 1)
WRONG = [
    ("soap", "SOAP fault over HTTP 200: SOP-330011 Error while executing", (0, 60), "SOP-330011"),
    ("web_app", "HTTP 200 without the marker 'seed'", (5, 50), "the marker"),
    ("tracking", "HTTP 302 to https://acme.example/ instead of /target", WHOLE, "t.news"),
    ("certificate/t.news", "TLS: expired, notAfter 2024-01-16T22:10:00Z", (10, 200), "notAfter"),
    ("certificate/t.shop", "TLS: for t.globex.example only", WHOLE, "t.globex"),
    ("certificate/m.news", "TLS: missing intermediate", WHOLE, "missing intermediate"),
    ("mirror_page", "HTTP 200 and empty", (0, 60), "m.news"),
    ("workflow/deliveryIndicators", "failed", (12, 200), "deliveryIndicators"),
    ("mc_ping", "Error: The queue is full (400/400)", (41, 61), "400/400"),
    ("sftp", "connection refused", (0, 60), "sftp"),
    ("tracking", "HTTP 502", (30, 30 + 20 / 60), "minute 30"),
]


@pytest.mark.parametrize(("function", "detail", "span", "name"), WRONG)
def test_definite_wrong_answers_convict(
    function: str, detail: str, span: tuple[float, float], name: str
) -> None:
    """Faults over 200, lost markers, wrong targets, certificates, full queues, short blips."""
    found = one(function, bad(*span, detail=detail))
    assert found.verdict is Verdict.FAILED
    assert ["wrong-answer"] == [f.rule for f in found.findings]
    assert name in named(found)
    assert detail in named(found)


def test_the_cause_holds_no_measured_number() -> None:
    """The same failure at another hour, of another length, is the same cause."""
    first = one("tracking", bad(30, 31, detail="HTTP 502 after 1.25 s")).findings[0]
    second = one("tracking", bad(40, 45, detail="HTTP 502 after 2.5 s")).findings[0]
    assert first.cause("only_sending_disrupted") == second.cause("only_sending_disrupted")
    assert ("answering", "HTTP 502 after # s") == (first.before, first.after)


def test_silence_where_we_were_heard_convicts() -> None:
    """Nobody answers in the window, while others did."""
    found = one("tracking", bad(0, 60, "silent", "timeout"))
    assert ["silent"] == [f.rule for f in found.findings]
    assert "minute 0" in named(found)


def test_silence_where_nobody_answered_is_ours() -> None:
    """A deaf vantage: INCONCLUSIVE, with the time in question."""
    found = one("tracking", bad(0, 60, "silent", "timeout", heard=False))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "minute 0" in named(found)


def test_slow_is_down_for_a_person() -> None:
    """Right answers after 25 s."""
    step = timedelta(seconds=30)
    slow = timedelta(seconds=25)
    shape: Shape = lambda m: {"took": slow} if 0 <= m < 60 else {}  # noqa: E731 - a table of shapes
    found = judged(
        timeline(
            every("mirror_page", step=step, shape=shape),
            functions=[watched("mirror_page", every=step)],
        )
    )
    assert found.verdict is Verdict.FAILED
    assert "25 s" in named(found)
    assert "m.news" in named(found)


def test_every_second_request_fails() -> None:
    """A dead front behind the balancer."""

    def shape(minute: float) -> dict[str, object]:
        dead = 0 <= minute < 60 and round(minute * 12) % 2 == 0
        return {"state": "wrong", "detail": "HTTP 502 from app-2"} if dead else {}

    found = one("web_app", shape)
    assert found.verdict is Verdict.FAILED
    assert "HTTP 502 from app-2" in named(found)


def test_a_single_429_is_nothing() -> None:
    """A throttle that the harness itself hit."""
    assert one("soap", bad(30, 30.05, detail="HTTP 429")).verdict is Verdict.PASSED


def test_two_in_a_row_are_nothing() -> None:
    """Noise."""
    assert one("soap", bad(30, 30 + 9 / 60)).verdict is Verdict.PASSED


def test_a_blocked_caller_is_not_a_broken_function() -> None:
    """Our address is refused from minute 3 on."""
    found = one("soap", bad(3, 200, detail="HTTP 403 XSV-350013"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "XSV-350013" in named(found)


def test_dropped_session_convicts_with_one_answer() -> None:
    """A young session that the server no longer knows, though a new logon works."""
    found = one("soap", bad(1, 1.05, detail="SOAP fault over HTTP 200: XSV-350008 expired"))
    assert ["session-dropped"] == [f.rule for f in found.findings]
    assert "XSV-350008" in named(found)
    assert "minute 1" in named(found)


def test_an_old_session_may_end() -> None:
    """After 24 hours it does."""
    shape = bad(1, 1.05, detail="XSV-350008")
    assert one("soap", shape, began=-1500).verdict is Verdict.PASSED


# Effects


def runs(
    name: str,
    *,
    period: float,
    stop: float | None = None,
    resume: float | None = None,
    first: float = -170,
) -> tuple[Sample, ...]:
    """A function whose last run is told by each look, five minutes apart."""

    def shape(minute: float) -> dict[str, object]:
        last = first + (minute - first) // period * period
        if stop is not None and minute >= stop and (resume is None or minute < resume):
            last = min(last, first + (stop - first) // period * period)
        return {"value": format_instant(at(last)), "detail": "started"}

    return every(name, since=-160, step=FIVE_MINUTES, shape=shape)


def of_runs(name: str, *, began: float = -160, **more: float) -> Judgement:
    """The judgement on it."""
    plan = [watched(name, every=FIVE_MINUTES)]
    return judged(timeline(runs(name, **more), functions=plan, began=began))


def test_a_workflow_that_goes_on_passes() -> None:
    """By its own learned period."""
    assert of_runs("workflow/tracking", period=60).verdict is Verdict.PASSED


def test_a_zombie_workflow_is_found() -> None:
    """Started throughout, no progress for three periods."""
    found = of_runs("workflow/tracking", period=40, stop=0)
    assert ["no-progress"] == [f.rule for f in found.findings]
    assert "workflow/tracking" in named(found)
    assert format_instant(at(-10)) in named(found)


def test_a_workflow_that_stood_only_in_the_window_is_found() -> None:
    """Ten minutes by schedule, an hour without."""
    found = of_runs("workflow/mid", period=10, stop=0, resume=60)
    assert ["no-progress"] == [f.rule for f in found.findings]


def test_clicks_that_are_not_recorded() -> None:
    """The redirect answers, the newest recorded click stays at minute -1."""
    found = judged(
        timeline(
            every(),
            runs("tracking_log", period=30, first=-181, stop=0),
            functions=[watched(), watched("tracking_log", every=FIVE_MINUTES)],
            began=-160,
        )
    )
    assert ["no-progress"] == [f.rule for f in found.findings]
    assert format_instant(at(-1)) in named(found)


def test_a_daily_run_that_was_not_due_is_listed() -> None:
    """The cleanup at four is no business of this window."""
    last = format_instant(at(-18 * 60))
    plan = watched("workflow/cleanup", every=FIVE_MINUTES, period=timedelta(days=1))
    found = judged(
        timeline(
            every("workflow/cleanup", step=FIVE_MINUTES, shape=lambda _: {"value": last}),
            functions=[plan],
        )
    )
    assert found.verdict is Verdict.PASSED
    assert "no run was due" in " ".join(item.reason for item in found.not_compared)


def test_a_workflow_paused_before_is_no_new_failure() -> None:
    """State 13 before, in and after."""
    found = one("workflow/old", bad(-31, 200, detail="paused"))
    assert found.verdict is Verdict.PASSED
    assert "no new failure" in " ".join(item.reason for item in found.not_compared)


def test_what_was_broken_before_is_not_laid_to_the_move() -> None:
    """Nor is it a pass."""
    found = one("web_app", bad(-31, 200, detail="HTTP 404"))
    assert ["bad-before"] == [gap.rule for gap in found.missing]


def flowing(name: str, *, stop: float, resume: float) -> Judgement:
    """A count that rises every minute, but for a while."""

    def shape(minute: float) -> dict[str, object]:
        held = min(minute, stop) if minute < resume else minute
        return {"value": str(int(held) + 100)}

    return judged(
        timeline(every(name, step=MINUTE, shape=shape), functions=[watched(name, every=MINUTE)])
    )


@pytest.mark.parametrize("name", ["sms", "push"])
def test_other_channels_must_go_on(name: str) -> None:
    """SMS that stop with the mail; a push of minute 10 that leaves at minute 62."""
    found = flowing(name, stop=10, resume=62)
    assert ["no-progress"] == [f.rule for f in found.findings]
    assert name in named(found)
    assert "minute 62" in named(found)


def test_other_channels_that_go_on_pass() -> None:
    """Nothing stopped."""
    assert flowing("sms", stop=10, resume=10).verdict is Verdict.PASSED


def queue(after: str) -> Judgement:
    """A queue that grows in the window and ends like this."""

    def shape(minute: float) -> dict[str, object]:
        grown = f"{7 + int(minute * 3)}/400"
        return {"value": "7/400" if minute < 0 else grown if minute < 61 else after}

    return one("mc_ping", shape)


def test_events_that_stay_pending() -> None:
    """Accepted, never processed: 190 of 400 and steady long after the close."""
    found = queue("190/400")
    assert ["queue-not-draining"] == [f.rule for f in found.findings] or found.missing
    assert "190/400" in named(found)


def test_a_queue_that_never_drains_is_a_finding() -> None:
    """It stands at the highest that it ever was."""
    found = one("mc_ping", lambda m: {"value": "190/400" if m >= 60 else "7/400"})
    assert ["queue-not-draining"] == [f.rule for f in found.findings]
    assert "Pending" in named(found)


def test_a_queue_that_drains_passes() -> None:
    """It may grow while no mail leaves."""
    assert queue("7/400").verdict is Verdict.PASSED


@pytest.mark.parametrize("function", ["resource/logo", "sftp"])
def test_other_bytes_and_host_keys(function: str) -> None:
    """Both digests, both fingerprints."""
    found = one(function, lambda m: {"value": "sha256:new" if m >= 0 else "sha256:old"})
    assert ["changed"] == [f.rule for f in found.findings]
    assert ("sha256:old", "sha256:new") == (found.findings[0].before, found.findings[0].after)


def test_a_renewed_certificate_is_cleared() -> None:
    """Another one that is good: routine."""
    found = one("certificate/t.news", lambda m: {"value": "B" if m >= 20 else "A"})
    assert found.verdict is Verdict.PASSED
    assert ["certificate-renewed"] == [item.rule for item in found.cleared]


@pytest.mark.parametrize(
    ("name", "reason", "rules"),
    [
        ("soap", None, ["server-time-leapt"]),
        ("soap", "clock stepped by -60.000 s, or the machine slept", []),
        ("mirror_page", None, []),
    ],
)
def test_server_time_that_leaps_ahead(name: str, reason: str | None, rules: list[str]) -> None:
    """No single skew explains it; but a cache may date a page, and our own step proves nothing."""
    told: Shape = lambda m: {"stamp": at(m) + (MINUTE if m >= 20 else 0 * MINUTE)}  # noqa: E731 - a table of shapes
    gaps = [Gap(since=at(20), until=at(20.1), reason=reason)] if reason else []
    found = judged(timeline(every(name, shape=told), gaps=gaps)).findings
    assert rules == [f.rule for f in found]


def test_each_endpoint_has_its_own_clock() -> None:
    """The clock of the tracking host, an hour ahead, is not that of the workflows' database."""
    ahead = timedelta(hours=1)

    def run(minute: float) -> dict[str, object]:
        return {"value": format_instant(at(minute // 5 * 5))}

    line = timeline(
        every("workflow/tracking", shape=run),
        every("tracking", shape=lambda m: {"stamp": at(m) + ahead}),
        every("soap", shape=lambda m: {"stamp": at(m)}),
    )
    assert judged(line).verdict is Verdict.PASSED


def test_names_that_a_certificate_no_longer_holds_are_found() -> None:
    """Trusted for this host, but somebody else's is gone; more names are a renewal."""
    old = f"{'1' * 64} until 2024-03-01T00:00:00Z by CA for m.example, t.example"

    def renewed(names: str) -> Judgement:
        new = f"{'2' * 64} until 2024-06-01T00:00:00Z by CA for {names}"
        return one("certificate/t.example", lambda m: {"value": old if m < 30 else new})

    fewer = renewed("t.example")
    assert ["certificate-names-lost"] == [f.rule for f in fewer.findings]
    assert "m.example" in fewer.findings[0].witness
    more = renewed("m.example, s.example, t.example")
    assert (Verdict.PASSED, ["certificate-renewed"]) == (
        more.verdict,
        [cleared.rule for cleared in more.cleared],
    )


def test_server_time_that_goes_back() -> None:
    """Monotone, beyond the tolerance."""

    def shape(minute: float) -> dict[str, object]:
        return {"stamp": at(minute if minute < 20 else minute - 1)}

    found = one("soap", shape)
    assert ["server-time-went-back"] == [f.rule for f in found.findings]


# Masks, baselines, vantages, gaps


def masked(length: float, day: float | None = None) -> Judgement:
    """A restart at 22:30 for some seconds, in the window and a day before."""
    mine = instance(
        masks=({"function": "mta", "daily_at": "22:30", "for": "5m", "reason": "restart"},)
    )
    now = every("mta", shape=bad(30, 30 + length / 60, "silent"))
    then = every("mta", since=-1440, until=-1380, shape=bad(-1410, -1410 + (day or 0) / 60))
    return judged(timeline(now, then if day else (), began=-1440), agreed=mine)


def test_known_noise_is_cleared_and_named() -> None:
    """Declared before the run, as on the day before."""
    found = masked(15, day=15)
    assert found.verdict is Verdict.PASSED
    assert "22:30, as known noise" in found.cleared[0].explanation
    assert "22:30" in (found.could_hide or "")


def test_masked_and_longer_than_ever_is_a_finding() -> None:
    """A mask excuses the known, not the rest."""
    found = masked(120, day=15)
    assert ["masked-longer-than-before"] == [f.rule for f in found.findings]


def test_what_outlasts_its_mask_convicts() -> None:
    """Seven minutes of a mask of five."""
    assert ["silent"] == [f.rule for f in masked(420).findings]


def two(there: Shape) -> Judgement:
    """Silence here, and what a second vantage saw."""
    return judged(
        timeline(every(shape=bad(20, 25, "silent"))),
        timeline(every(shape=there), vantage="there"),
    )


def test_a_second_vantage_must_agree_on_silence() -> None:
    """It answered there all the time."""
    found = two(lambda _: {})
    assert ["vantages-disagree"] == [gap.rule for gap in found.missing]
    assert ["silent"] == [f.rule for f in two(bad(21, 24, "silent")).findings]


def test_a_deaf_second_vantage_does_not_acquit() -> None:
    """Where it heard nothing, it says nothing."""
    found = two(bad(10, 30, "silent", heard=False))
    assert ["silent"] == [f.rule for f in found.findings]


def test_a_wrong_answer_convicts_from_one_vantage() -> None:
    """The other saw none of it."""
    found = judged(timeline(every(shape=bad(20, 25))), timeline(every(), vantage="there"))
    assert ["wrong-answer"] == [f.rule for f in found.findings]


def blind(since: float, until: float) -> Judgement:
    """A watch that did not look for a while."""
    kept = [s for s in every() if not at(since) <= s.sent < at(until)]
    gap = Gap(since=at(since), until=at(until), reason="killed")
    return judged(timeline(kept, gaps=[gap]))


def test_a_watcher_blind_for_twelve_minutes() -> None:
    """No sample, no claim."""
    found = blind(20, 32)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "minute 20 to minute 32" in named(found)
    assert found.off_track is not None


def test_a_restart_of_seconds_is_none() -> None:
    """No longer than what hides between probes anyway."""
    assert blind(20, 20.2).verdict is Verdict.PASSED


def test_no_timeline_no_verdict() -> None:
    """Empty is never a pass."""
    assert ["no-timeline"] == [gap.rule for gap in judged().missing]


def test_a_window_that_nobody_watched_is_not_left_open() -> None:
    """No watch can follow it: HOLD, and not GO until the due."""
    found = judged()
    assert found.reason == found.off_track


def test_nothing_probed_is_no_pass() -> None:
    """All functions off."""
    found = judged(timeline(functions=[watched(not_probed="switched off in the estate")]))
    assert "nothing-probed" in [gap.rule for gap in found.missing]


def test_functions_that_were_not_probed_are_listed() -> None:
    """With the reason; those the estate switched off too."""
    plan: Iterable[Watched] = [watched(), watched("sms", not_probed="the product lacks it")]
    mine = instance(functions={"report": False, "landing_page": {"url": "/webApp/x"}})
    found = judged(timeline(every(), functions=plan), agreed=mine)
    assert found.verdict is Verdict.PASSED
    told = {item.what: item.reason for item in found.not_compared}
    assert {"sms", "report", "landing_page"} == set(told)
    assert "switched off in the estate" == told["report"]


@pytest.mark.parametrize("minute", [-1.0, 30.0, 70.0])
def test_before_it_has_settled_time_is_missing(minute: float) -> None:
    """Open, on track, and it says until when."""
    line = timeline(every(until=min(minute, SETTLED)), ended=minute, settled=False)
    found = judged(line, at_minute=minute)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.off_track is None
    assert found.missing[0].settles_by is not None


def test_reading_order_does_not_matter() -> None:
    """The same samples backwards are the same judgement."""
    samples = (*every(shape=bad(20, 25)), *every("soap", shape=bad(3, 9, "silent")))
    plan = [watched(), watched("soap")]
    forth = timeline(samples, functions=plan)
    back = timeline(functions=plan)
    back = type(back)(
        **{name: getattr(forth, name) for name in forth.__dataclass_fields__ if name != "samples"},
        samples=tuple(reversed(forth.samples)),
    )
    assert judged(forth) == judged(back)


def test_an_email_activity_that_waits_is_allowed() -> None:
    """The workflows otherwise go on; ping may shout."""
    found = judged(timeline(every("workflow/x", shape=lambda _: {"detail": "1 e-mail waits"})))
    assert found.verdict is not Verdict.FAILED
    assert one("ping", lambda m: {"detail": "OK" if m > 0 else "Ok"}).verdict is Verdict.PASSED


def test_a_single_sample_is_no_coverage() -> None:
    """A function asked once in the window shows nothing."""
    found = judged(timeline([sample(-1), sample(5)]))
    assert "too-few-samples" in [gap.rule for gap in found.missing]


def test_a_quiet_night_is_no_lost_click() -> None:
    """Without a click of our own there may be none to record."""

    def shape(minute: float) -> dict[str, object]:
        return {"value": format_instant(at(-50 if minute < 5 else 5))}

    plan = [watched(), watched("tracking_log", every=FIVE_MINUTES, period=HOUR)]
    samples = every("tracking_log", step=FIVE_MINUTES, shape=shape)
    assert judged(timeline(every(), samples, functions=plan)).verdict is Verdict.PASSED


def test_our_own_clicks_must_be_recorded() -> None:
    """The watch clicked; by the documented period the log must move."""
    last = format_instant(at(-1))
    plan = [watched("seed_link"), watched("tracking_log", every=FIVE_MINUTES, period=HOUR)]
    samples = every("tracking_log", step=FIVE_MINUTES, shape=lambda _: {"value": last})
    found = judged(timeline(every("seed_link"), samples, functions=plan))
    assert ["no-progress"] == [f.rule for f in found.findings]
    assert last in named(found)


def test_a_workflow_paused_shortly_before_is_no_standstill() -> None:
    """Its state says why it makes no progress."""
    last = format_instant(at(-40))
    shape = bad(-31, 200, detail="state 13 paused", value=last)
    plan = [watched("workflow/old", period=HOUR)]
    found = judged(timeline(every("workflow/old", shape=shape), functions=plan))
    assert found.verdict is Verdict.PASSED


def test_a_workflow_begun_in_the_window_needs_no_samples_before_it() -> None:
    """It was not there to be asked."""
    found = judged(timeline(every("workflow"), every("workflow/new", since=30)))
    assert found.verdict is Verdict.PASSED


def test_what_answered_once_is_judged_whatever_the_watch_says_later() -> None:
    """A page that vanished is no page that was never there."""
    plan = [watched("mcping", not_probed="HTTP 404")]
    found = judged(timeline(every("mcping", shape=bad(0, 200)), functions=plan))
    assert found.verdict is Verdict.FAILED


def test_pending_events_are_named() -> None:
    """The last one that was taken in."""
    events = every("message_center", shape=lambda _: {"detail": "event 4711"})
    pending = every("mcping", shape=lambda m: {"value": "190/400" if m >= 60 else "7/400"})
    assert "event 4711" in named(judged(timeline(events, pending)))


def test_noise_that_confirm_does_not_hold_is_remarked() -> None:
    """One in ten bad before: three in a row come by chance."""

    def shape(minute: float) -> dict[str, object]:
        noisy = minute < 0 and round(minute * 12) % 10 == 0
        return {"state": "silent", "detail": "timeout"} if noisy else {}

    found = one("soap", shape)
    assert found.verdict is Verdict.PASSED
    assert "confirm: " in found.remarks[0]


hostile = st.builds(
    lambda function, minute, state, heard, value, stamp: sample(
        minute, state, function=function, heard=heard, value=value, stamp=stamp
    ),
    st.sampled_from(["tracking", "workflow/x", "tracking_log", "sms", "mcping", "resource"]),
    st.floats(-60, 200),
    st.sampled_from(["ok", "wrong", "silent"]),
    st.booleans(),
    st.sampled_from([None, "", "1/0", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00"]),
    st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
)


@settings(max_examples=50)
@given(st.lists(hostile, min_size=1, max_size=20), st.floats(-10, 300), st.booleans())
def test_it_always_judges(found: list[Sample], minute: float, settled: bool) -> None:
    """Whatever instances answer, there is a judgement."""
    assert judged(timeline(found, settled=settled), at_minute=minute).reason
