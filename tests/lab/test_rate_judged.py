# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's sources on the rate through the harness's decoders and judgement, without sockets."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from lxml import etree
from tests.builders.estates import END, START, WINDOW, estate, instance, wave
from tests.builders.mails import mail
from tests.builders.snapshots import URL, snapshot
from tests.builders.tiny_http import soap

from wavegate.clock import format_instant, parse_instant
from wavegate.compare.throughput import ThroughputCase, compare_throughput
from wavegate.estate.policy import Policy
from wavegate.lab.campaign_query import execute
from wavegate.lab.clockwork import Clockwork
from wavegate.lab.faults import planted
from wavegate.lab.live import Live
from wavegate.lab.live_tables import table
from wavegate.lab.mta import MINUTES, MailFlow, Timing
from wavegate.lab.reference import reference_world
from wavegate.lab.world import Scene, World
from wavegate.observe.campaign_soap import group_query, series_query
from wavegate.observe.rate_probe import COUNTS, campaign_date
from wavegate.observe.witness_probe import units
from wavegate.record.message import Received
from wavegate.record.observation import Observation, Seen
from wavegate.record.rate_witnesses import LOGS, SINCE, UNTIL, WITNESS, read_witnesses
from wavegate.record.rates import RATES, SERIES, STAT, Deferral, read_history
from wavegate.record.snapshot import Snapshot
from wavegate.verdict import Judgement, Verdict

CLOCK = Clockwork(opens=START, closes=END, period=timedelta(minutes=10))
AT = CLOCK.share(2.6)
WORLD = reference_world()


def _answer(live: Live, document: etree._Element, told: dict[str, str]) -> Observation:
    """The lab's answer to a query, as a probe would have recorded it."""
    schema = document.get("schema", "")
    held = table(live, schema, AT)
    assert held is not None
    state = replace(live.state, tables=(held,))
    inner = etree.tostring(execute(state, document)).decode()
    body = f"<pdomOutput>{inner}</pdomOutput>"
    reply = f'<ExecuteQueryResponse xmlns="urn:xtk:queryDef">{body}</ExecuteQueryResponse>'
    return Observation(
        kind="soap", subject=f"{URL} xtk:queryDef#ExecuteQuery", asked={"schema": schema, **told},
        outcome=Seen(soap(reply)), at=AT, took_us=1, vantage="here",
    )  # fmt: skip


def _within(date: str, since: datetime, until: datetime) -> tuple[str, str]:
    return f"{date} >= {campaign_date(since)}", f"{date} < {campaign_date(until)}"


def _capture(live: Live) -> Snapshot:
    """Statistics of all time, and the log counted by unit."""
    where = _within("@date", CLOCK.share(-3.0), AT)
    statistics = series_query(STAT, COUNTS, where, order="@date")
    seen = [_answer(live, statistics, {SERIES: RATES, "body": "rates"})]
    for stretch in units(WINDOW, CLOCK.unit, AT):
        where = _within("@eventDate", stretch.since, stretch.until)
        document = group_query(
            LOGS[1], ("[@delivery-id]", "@status"), "count(@id)", where, lines=2000
        )
        told = {
            SERIES: WITNESS,
            "body": stretch.name,
            SINCE: format_instant(stretch.since),
            UNTIL: format_instant(stretch.until),
        }
        seen.append(_answer(live, document, told))
    return snapshot("after", seen, began=AT)


Mails = tuple[tuple[Received, ...], tuple[Received, ...]]


def _judged(world: World, mails: Mails = ((), ()), left: tuple[datetime, ...] = ()) -> Judgement:
    live = Live(world.before.instance("acme-prod1"), CLOCK, token="t0", began=CLOCK.share(-1.0))
    live.show("window", world.window.instance(live.name), CLOCK.opens)
    live.show("after", world.after.instance(live.name), CLOCK.closes)
    live.left += left
    taken, mine = [_capture(live)], instance()
    policy = Policy.model_validate({"throughput_unit": f"{CLOCK.unit.seconds}s"})
    return compare_throughput(
        ThroughputCase(
            estate=estate(mine, policy=policy),
            wave=wave(),
            instance=mine,
            at=AT,
            rates=read_history(taken, close=END, queued={}),
            witnesses=read_witnesses(taken),
            deferrals=_replies(live),
            mail_before=mails[0],
            mail_after=mails[1],
        )
    )


def _replies(live: Live) -> tuple[Deferral, ...]:
    """What receivers said to mail that they put off, in the lab's log."""
    held = table(live, "nms:broadLogRcp", AT)
    assert held is not None
    rows = (dict(zip(held.columns, row, strict=True)) for row in held.rows)
    return tuple(
        Deferral(
            receiver=str(row["@address"]).partition("@")[2],
            at=parse_instant(str(row["@eventDate"]).replace(" ", "T")),
            reply=str(row["@failureReason"]),
        )
        for row in rows
        if str(row["@failureReason"]).startswith("4")
    )


def test_healthy_sources_agree() -> None:
    """Statistics and log tell the same, and the cell says so."""
    found = _judged(WORLD)
    assert Verdict.PASSED == found.verdict
    assert "the log tells 1.000 of what the statistics do" in (found.shown or "")


def test_relay_fast_arrival_slow_is_caught_by_the_log() -> None:
    """The statistics show the old rate; the log's feedback convicts, and names both rates."""
    found = _judged(planted(WORLD, ["relay-fast-arrival-slow"]))
    assert ["arrival-slower"] == [finding.rule for finding in found.findings]
    assert ("1200", "840", "receiving side") == found.findings[0].witness


@pytest.mark.parametrize(
    "fault", ["throughput-minus-20", "throughput-minus-30", "slow-start-day-two"]
)
def test_a_slow_relay_is_slow_in_the_log_as_well(fault: str) -> None:
    """The log denies no slow-down that the lab plays."""
    found = _judged(planted(WORLD, [fault]))
    assert Verdict.FAILED == found.verdict
    assert {"instance:acme-prod1 relay rate"} == {finding.subject for finding in found.findings}


def test_slow_large_messages_are_named() -> None:
    """The whole is as fast as before; one class of sizes is held back."""
    found = _judged(planted(WORLD, ["large-messages-slow"]))
    assert ["part-slower"] == [finding.rule for finding in found.findings]
    assert "over 300 kB" in found.findings[0].witness


def test_a_night_is_held_against_nights() -> None:
    """Half of the mean rate of before, and no slower than any night of before."""
    found = _judged(planted(WORLD, ["benign-night-load-lower"]))
    assert (Verdict.PASSED, ()) == (found.verdict, found.findings)


def test_a_burst_alone_settles_nothing() -> None:
    """Neither an improvement nor a loss: no steady sending was seen."""
    found = _judged(planted(WORLD, ["backlog-burst-only"]))
    assert Verdict.INCONCLUSIVE == found.verdict


def test_what_a_receiver_put_off_is_set_aside() -> None:
    """The unit in which big.example answered 421 counts for nobody, and is named."""
    found = _judged(planted(WORLD, ["benign-receiver-deferrals"]))
    assert Verdict.PASSED == found.verdict
    aside = [row for row in found.not_compared if "big.example" in row.reason]
    assert len(aside) == 10
    assert {"421"} == {row.reason.partition("(")[2][:3] for row in aside}


def test_a_starved_receiver_is_named() -> None:
    """As many messages as before, counted on both sides; one receiver gets a tenth of its own."""
    world = planted(WORLD, ["one-destination-starved"])
    before = _stream(world.before, CLOCK.share(-2.1), CLOCK.opens)
    after = _stream(world.after, CLOCK.closes, AT)
    left = tuple(mail.ended for mail in (*before, *after))
    found = _judged(world, (before, after), left)
    assert ["big.example"] == [finding.subject for finding in found.findings]


def _stream(scene: Scene, since: datetime, until: datetime) -> tuple[Received, ...]:
    """What the sink receives of a flow that sends as the world says."""
    state = scene.instance("acme-prod1")
    timing = Timing(opens=START, guard=timedelta(), pace=1.0, window=CLOCK.window)
    flow = MailFlow(
        state.name, scene, timing, moves=True, target=("", 0), recipient="s@seed.example",
        progress=asyncio.Event(),
    )  # fmt: skip
    every = CLOCK.window / (MINUTES * (state.mailing.stream or 1.0))
    instants = [since + number * every for number in range((until - since) // every)]
    way = flow._streams[0]
    return tuple(mail(recipient=flow._letter(way).recipient, at=at) for at in instants)
