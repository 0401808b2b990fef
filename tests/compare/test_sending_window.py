# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`sending_window`: every window fault of the catalogue in a small world of mails."""

from collections.abc import Callable, Iterable
from datetime import timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.estates import END, IPS, START, estate, instance, notice, wave
from tests.builders.mails import mail, msfbl
from tests.builders.timelines import at, every, timeline

from wavegate.clock import format_instant
from wavegate.compare.sending_window import WindowCase, compare_sending_window
from wavegate.compare.spans import Span
from wavegate.estate.model import Instance, Wave, Window
from wavegate.estate.policy import Policy
from wavegate.record.message import Received
from wavegate.record.timeline import Gap, Timeline, Watched
from wavegate.verdict import Judgement, Verdict

SECOND = timedelta(seconds=1)
UNTIL = 135.0
LISTENED = (Span(since=at(-120), until=at(200)),)


def letter(
    minute: float,
    ip: str = IPS[0],
    *,
    n: int = 0,
    connected: float | None = None,
    written: float | None = None,
    hop: float | None = None,
    headers: dict[str, str] | None = None,
    recipient: str = "seed@seed.example",
) -> Received:
    """A mail that ended at a minute. written, hop: what Date and its last own hop say."""
    passed = _text(minute if hop is None else hop)
    lines = {
        "Received": f"from [10.0.0.5] by mta.example with ESMTP id 1; {passed}",
        "Date": _text(minute if written is None else written),
        "Message-ID": f"<{ip}-{minute:.4f}-{n}@news.acme.example>",
    }
    begun = at(connected if connected is not None else minute - 0.001)
    return mail(
        ip, at=at(minute), connected=begun, headers=lines | (headers or {}), recipient=recipient
    )


def _text(minute: float) -> str:
    whole = at(minute).replace(microsecond=0)
    return format_datetime(whole)


def flow(
    ips: Iterable[str] = IPS,
    *,
    since: float = -60,
    stop: float = 0,
    resume: float = 60,
    until: float = UNTIL,
    silent: Callable[[str, float], bool] = lambda _ip, _minute: False,
) -> tuple[Received, ...]:
    """One mail a minute from each address, but in the window and where it is silent."""
    minutes = [since + 0.5 + n for n in range(round(until - since))]
    return tuple(
        letter(minute, ip)
        for minute in minutes
        for ip in ips
        if not stop <= minute < resume and not silent(ip, minute)
    )


def judged(
    mails: Iterable[Received],
    *,
    agreed: Instance | None = None,
    window: Wave | None = None,
    lines: tuple[Timeline, ...] | None = None,
    listening: tuple[Span, ...] = LISTENED,
    at_minute: float = UNTIL + 15,
    policy: Policy | None = None,
) -> Judgement:
    """The judgement on some mail; the watch and the sink were there all the time."""
    mine, this = agreed or instance(), window or wave()
    assert this.window is not None
    start, end, found = this.window.start, this.window.end, tuple(mails)
    often = Watched(name="tracking", every=timedelta(minutes=1), expects="status OK")
    watch = timeline(every(step=often.every), ended=UNTIL, functions=[often])
    return compare_sending_window(
        WindowCase(
            estate=estate(mine, policy=policy or Policy()),
            wave=this,
            instance=mine,
            at=at(at_minute),
            timelines=(watch,) if lines is None else lines,
            mail_before=tuple(m for m in found if m.ended < start),
            mail_window=tuple(m for m in found if start <= m.ended < end),
            mail_after=tuple(m for m in found if m.ended >= end),
            listening=listening,
        )
    )


def rules(found: Judgement) -> list[str]:
    """The rules of the findings, or of the gaps."""
    return sorted({f.rule for f in found.findings} or {gap.rule for gap in found.missing})


def named(found: Judgement) -> str:
    """All that the findings, or else the gaps, name."""
    told = [w for f in found.findings for w in (*f.witness, f.subject, f.explanation)]
    return " | ".join(told or [gap.what for gap in found.missing])


def test_a_window_kept_passes() -> None:
    """Nothing inside, mail before and after from every address."""
    found = judged(flow())
    assert found.verdict is Verdict.PASSED
    assert all(ip in (found.shown or "") for ip in IPS)
    assert "240 messages would have come" in (found.could_hide or "")


def test_one_address_goes_on() -> None:
    """Named with a message and its receive time, and no other address."""
    leaked = [letter(20 * n + 0.3, IPS[1], n=n) for n in range(1, 3)]
    found = judged([*flow(), *leaked])
    assert ["sent-in-window"] == rules(found)
    assert [IPS[1]] == [f.subject for f in found.findings]
    assert leaked[0].message_id in named(found)
    assert format_instant(leaked[0].connected) in named(found)


def test_a_single_message_convicts() -> None:
    """Minute 31."""
    found = judged([*flow(), letter(31)])
    assert ["sent-in-window"] == rules(found)
    assert "minute 31" in named(found)


def test_a_transactional_leak_names_its_binding() -> None:
    """A separate binding that was overlooked."""
    leaked = letter(10, IPS[3], headers={"X-MSFBL": msfbl(IPS[3])})
    assert f"acme_{IPS[3]}_prod.marketing_1" in named(judged([*flow(), leaked]))


def test_back_eight_minutes_early() -> None:
    """The promise as written says none in the window."""
    found = judged(flow(resume=52))
    assert ["sent-in-window"] == rules(found)
    assert "minute 52.5" in named(found)


def test_resumed_late() -> None:
    """25 minutes, from all addresses."""
    found = judged(flow(resume=84.5))
    assert ["resumed-late"] == rules(found)
    assert "minute 84.5" in named(found)
    assert "24.5 min" in named(found)


def test_one_address_resumes_late() -> None:
    """The others are back."""
    found = judged(flow(silent=lambda ip, m: ip == IPS[2] and 60 <= m < 130, until=140))
    assert {IPS[2]} == {f.subject for f in found.findings}
    assert "minute 130.5" in named(found)


def test_one_address_never_comes_back() -> None:
    """Not yet is open; past its time it is a finding."""
    mails = flow(silent=lambda ip, m: ip == IPS[2] and m >= 60, until=140)
    assert ["not-back"] == rules(judged(mails))
    early = judged([m for m in mails if m.ended < at(62)], at_minute=62)
    assert "not-back-yet" in rules(early)
    assert early.verdict is Verdict.INCONCLUSIVE


def test_a_stretched_window_is_measured_by_what_was_announced() -> None:
    """95 minutes where 60 were announced."""
    long = Window(start=START, end=at(95))
    stretched = wave(window=long, announced_duration=timedelta(minutes=60))
    found = judged(flow(resume=95), window=stretched)
    assert ["window-longer-than-announced"] == rules(found)
    assert {"95 min", "60 min"} == set(found.findings[0].witness)


def test_a_shorter_window_breaks_nothing() -> None:
    """Announced for longer."""
    told = wave(announced_duration=timedelta(minutes=90))
    assert judged(flow(), window=told).verdict is Verdict.PASSED


def test_stopped_early() -> None:
    """Last message at minute -40."""
    found = judged(flow(stop=-40))
    assert ["stopped-early"] == rules(found)
    assert "minute -40.5" in named(found)


def test_flapping_after() -> None:
    """Back is when it flows: silent 70 to 78 and 90 to 101."""
    found = judged(flow(silent=lambda _, m: 70 <= m < 78 or 90 <= m < 101))
    assert ["stopped-again"] == rules(found)
    assert "minute 69.5" in named(found)
    assert "minute 89.5" in named(found)


def test_a_planned_stop_is_no_flapping() -> None:
    """Announced before, and judged by another promise."""
    mine = instance(planned=({"stop": "new-a", "at": at(70), "for": "8m"},))
    mails = flow(silent=lambda _, m: 70 <= m < 78)
    assert judged(mails, agreed=mine).verdict is Verdict.PASSED


def test_one_message_is_no_flow() -> None:
    """Five are asked for; until then it is open."""
    found = judged(flow(until=62), at_minute=62)
    assert ["not-flowing-yet"] == rules(found)
    assert found.off_track is None


def test_a_retry_that_connects_in_the_window_left_then() -> None:
    """Judged by the connection, not by Date; told apart from fresh mail."""
    found = judged([*flow(), letter(9, written=-10, hop=-2)])
    assert ["spool-delivered-in-window"] == rules(found)
    assert "minute 9" in named(found)
    assert "spool" in named(found)


def test_the_watch_was_blind() -> None:
    """From minute 20 to 32, though the sink listened."""
    gap = Gap(since=at(20), until=at(32), reason="killed")
    found = judged(flow(), lines=(timeline(every(), gaps=[gap]),))
    assert ["watch-gap"] == rules(found)
    assert "minute 20 to minute 32" in named(found)


def test_a_watch_that_stood_still_is_missed_though_it_recorded_no_gap() -> None:
    """A process that was stopped writes nothing about it; between its looks nobody looked."""
    asleep = (*every(until=20), *every(since=32))
    found = judged(flow(), lines=(timeline(asleep),))
    assert ["watch-gap"] == rules(found)
    assert "minute 20" in named(found)
    assert "minute 32" in named(found)
    awake = timeline(every("ping"), vantage="there")
    assert Verdict.PASSED is judged(flow(), lines=(timeline(asleep), awake)).verdict


def test_what_is_probed_seldom_is_not_missed_between_its_turns() -> None:
    """An instance of which only the exchanger is probed, every five minutes, is watched."""
    seldom = Watched(name="inbound_mail", every=timedelta(minutes=5), expects="220")
    looks = every("inbound_mail", step=timedelta(minutes=5))
    assert Verdict.PASSED is judged(flow(), lines=(timeline(looks, functions=[seldom]),)).verdict


def test_the_sink_was_down() -> None:
    """Silence because nobody listened."""
    spans = (Span(since=at(-120), until=at(10)), Span(since=at(25), until=at(200)))
    found = judged(flow(), listening=spans)
    assert ["sink-not-listening"] == rules(found)
    assert "sink" in named(found)
    assert "minute 10 to minute 25" in named(found)


def test_a_leak_convicts_though_the_sink_was_down_later() -> None:
    """What was heard was heard."""
    spans = (Span(since=at(-120), until=at(10)), Span(since=at(25), until=at(200)))
    assert ["sent-in-window"] == rules(judged([*flow(), letter(5)], listening=spans))


def shifted(mails: Iterable[Received], by: float) -> list[Received]:
    """The same mails as a sink sees them whose clock is ahead by some minutes."""
    return [
        Received(
            **{
                **{f: getattr(m, f) for f in m.__dataclass_fields__},
                "connected": m.connected + timedelta(minutes=by),
                "ended": m.ended + timedelta(minutes=by),
            }
        )
        for m in mails
    ]


def test_no_alarm_rests_on_an_uncorrected_clock() -> None:
    """A sink 90 s fast: a message of minute -1 looks like minute 0.5."""
    found = judged(shifted([*flow(stop=-1), letter(-1)], 1.5))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert ["in-the-skew-edge"] == rules(found)


def test_a_leak_is_found_through_a_wrong_clock() -> None:
    """Well inside, no skew of 90 s excuses it."""
    assert ["sent-in-window"] == rules(judged(shifted([*flow(stop=-1), letter(31)], 1.5)))


def test_the_tolerance_of_the_policy_widens_nothing() -> None:
    """A clock tolerance of an hour excuses no mail."""
    found = judged([*flow(), letter(2)], policy=Policy(clock_tolerance=timedelta(hours=1)))
    assert ["sent-in-window"] == rules(found)


def test_a_transaction_open_at_the_opening_left_before() -> None:
    """Connection at minute -0.05, final 250 at +0.03: an edge case, named."""
    edge = letter(0.03, connected=-0.05)
    found = judged([*flow(), edge])
    assert found.verdict is Verdict.PASSED
    assert ["in-flight"] == [item.rule for item in found.cleared]
    assert edge.message_id in found.cleared[0].explanation


def test_an_old_connection_is_no_excuse_for_later_mail() -> None:
    """The second message over it began inside."""
    held = [letter(0.03, connected=-0.05), letter(9, connected=-0.05, n=1)]
    found = judged([*flow(), *held])
    assert ["sent-in-window"] == rules(found)
    assert held[1].message_id in named(found)
    assert held[0].message_id not in named(found)


def test_an_idle_connection_whose_first_mail_is_late_cannot_be_told() -> None:
    """When its transaction began is not recorded."""
    assert ["in-the-skew-edge"] == rules(judged([*flow(), letter(9, connected=-0.05)]))


def _minute(found: Received) -> float:
    return (found.ended - START) / timedelta(minutes=1)


def test_a_hop_three_seconds_slow_is_no_matter() -> None:
    """Received lines that disagree by seconds."""
    slow = [letter(_minute(m), m.peer, hop=_minute(m) - 0.05) for m in flow()]
    assert judged(slow).verdict is Verdict.PASSED


def test_late_in_the_mailbox_left_before() -> None:
    """The first trusted Received line counts."""
    mx = "198.51.100.25"
    mine = instance(mail=({"sink": True, "trusted_receiver": "mx.seed.example"},))
    line = f"from r10.news.acme.example by mx.seed.example with ESMTP id 7; {_text(-2)}"
    late = letter(9, mx, headers={"Received": line}, recipient="x7f3k9q2m4z8w1c6v5b0n@seed.example")
    found = judged([*flow(), late], agreed=mine)
    assert found.verdict is Verdict.PASSED
    assert ["handed-on"] == [item.rule for item in found.cleared]
    assert late.message_id in found.cleared[0].explanation


def test_a_trusted_line_does_not_excuse_a_sending_address() -> None:
    """What a sending IP gives us, it sends now."""
    mine = instance(mail=({"sink": True, "trusted_receiver": "mx.seed.example"},))
    line = f"from x by mx.seed.example with ESMTP id 7; {_text(-2)}"
    found = judged([*flow(), letter(9, headers={"Received": line})], agreed=mine)
    assert found.verdict is Verdict.FAILED


def test_mail_of_strangers_convicts_nobody() -> None:
    """Anyone can write to a sink."""
    found = judged([*flow(), letter(20, "198.51.100.9")])
    assert ["in-window-unproven"] == rules(found)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_an_unguessable_recipient_proves_the_stranger() -> None:
    """Nobody else knows the seed address."""
    leaked = letter(20, "198.51.100.9", recipient="x7f3k9q2m4z8w1c6v5b0n@seed.example")
    assert ["sent-in-window"] == rules(judged([*flow(), leaked]))


def test_without_a_watch_there_is_no_verdict() -> None:
    """Its timeline proves that somebody looked."""
    assert ["no-timeline"] == rules(judged(flow(), lines=()))


@pytest.mark.parametrize(
    ("kept", "rule"), [("after", "no-mail-before"), ("before", "no-mail-after")]
)
def test_mail_on_both_sides_is_needed(kept: str, rule: str) -> None:
    """Or mail of the window would not have been seen either."""
    mails = [m for m in flow() if (m.ended < START) == (kept == "before")]
    found = judged(mails)
    assert rule in {gap.rule for gap in found.missing}


def test_under_five_mails_before_are_too_few() -> None:
    """Auto cannot be learned."""
    mails = [m for m in flow() if m.ended >= at(-4) or m.peer != IPS[0]]
    found = judged(mails)
    assert ["too-little-mail-before"] == rules(found)
    assert [1] == [gap.count for gap in found.missing]


def test_sparse_mail_needs_seeds() -> None:
    """Silent for 12 minutes between two mails: three times that is over half of the window."""
    sparse = [letter(-59 + 12 * n) for n in range(5)]
    rest = [m for m in flow() if m.peer != IPS[0] or m.ended >= END]
    found = judged([*sparse, *rest])
    assert ["seeds-needed"] == rules(found)
    assert "seeds needed" in found.reason


def test_gaps_in_which_the_sink_was_deaf_are_not_gaps() -> None:
    """The longest gap is taken from the part of the hour that was heard."""
    spans = (Span(since=at(-120), until=at(-40)), Span(since=at(-20), until=at(200)))
    mails = [m for m in flow(stop=-2.4) if not at(-40) <= m.ended < at(-20)]
    assert judged(mails, listening=spans).verdict is Verdict.PASSED
    early = [m for m in mails if m.ended < at(-5) or m.ended >= END]
    assert ["stopped-early"] == rules(judged(early, listening=spans))


def test_an_agreed_limit_counts_instead() -> None:
    """resume_within as a length."""
    mails = flow(resume=64)
    assert ["resumed-late"] == rules(judged(mails))
    generous = Policy(resume_within=timedelta(minutes=10))
    assert judged(mails, policy=generous).verdict is Verdict.PASSED


@pytest.mark.parametrize("resting", [lambda m: m < 200, lambda m: m < 60 or m > 130])
def test_what_did_not_send_before_cannot_be_back(resting: Callable[[float], bool]) -> None:
    """A listed address without mail before convicts nobody, though the limit is agreed."""
    agreed = Policy(resume_within=timedelta(minutes=3))
    found = judged(flow(silent=lambda ip, m: ip == IPS[2] and resting(m), until=140), policy=agreed)
    assert (Verdict.INCONCLUSIVE, ["too-little-mail-before"]) == (found.verdict, rules(found))


def test_a_moved_window_is_said() -> None:
    """The notice's window is not the judged one; `notice` judges that."""
    other = {"start": at(-2880), "end": at(-2820)}
    moved = wave(notices=(notice(announces=other),))
    found = judged(flow(), window=moved)
    assert found.verdict is Verdict.PASSED
    assert "moved" in found.not_compared[0].reason


@pytest.mark.parametrize("minute", [-5.0, 30.0])
def test_before_the_close_time_is_missing(minute: float) -> None:
    """And a leak is a leak already."""
    mails = [m for m in flow() if m.ended < at(minute)]
    line = timeline(every(until=minute), ended=minute, settled=False)
    found = judged(mails, lines=(line,), at_minute=minute)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.off_track is None
    if minute > 0:
        bad = judged([*mails, letter(10)], lines=(line,), at_minute=minute)
        assert ["sent-in-window"] == rules(bad)


def test_instants_count_and_not_their_zone() -> None:
    """The window written with +01:00."""
    zone = timezone(timedelta(hours=1))
    local = wave(window=Window(start=START.astimezone(zone), end=END.astimezone(zone)))
    assert judged(flow(), window=local).verdict is Verdict.PASSED


@settings(max_examples=15)
@given(minute=st.floats(0.02, 59.9), ip=st.sampled_from(IPS))
def test_any_mail_inside_convicts(minute: float, ip: str) -> None:
    """Wherever in the window it left, beyond the whole second that hops tell."""
    found = judged([*flow(), letter(minute, ip)])
    assert {ip} == {f.subject for f in found.findings}


@settings(max_examples=10)
@given(st.data())
def test_reading_order_does_not_matter(data: st.DataObject) -> None:
    """The same mails in any order are the same judgement."""
    mails = [*flow(since=-20, until=80), letter(10), letter(11, IPS[2])]
    assert judged(mails) == judged(data.draw(st.permutations(mails)))


@settings(max_examples=30)
@given(
    mails=st.lists(
        st.tuples(
            st.floats(-60, 200),
            st.sampled_from([*IPS, "198.51.100.9", "no address"]),
            st.floats(0, 100),
            st.sampled_from([None, "", "; ;", "x; Fri, 31 Dec 9999 23:59:59 -0100", "by x; 1"]),
        ),
        max_size=20,
    ),
    minute=st.floats(-10, 300),
)
def test_it_always_judges(mails: list[tuple[float, str, float, str | None]], minute: float) -> None:
    """Whatever comes by mail, there is a judgement."""
    found = [
        letter(m, ip, connected=m - held, headers=None if line is None else {"Received": line})
        for m, ip, held, line in mails
    ]
    assert judged(found, at_minute=minute).reason
