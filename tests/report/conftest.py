# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Runs of every kind to report on: all verdicts, hostile text, waivers, limits, retakes, none."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wavegate.canonical import digest
from wavegate.decision import AppliedWaiver, Cell, GridCell, Withdrawal, decide
from wavegate.estate.model import Waiver, Window
from wavegate.evidence.approvals import Approvable
from wavegate.evidence.verdicts import (
    ApprovalEntry,
    Attempt,
    Context,
    DecisionEntry,
    Digests,
    PlanUsed,
    Verdicts,
    build,
)
from wavegate.promise import PROMISES
from wavegate.record.snapshot import Tool
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    inconclusive,
    judgement,
    not_applicable,
)

START = datetime(2024, 1, 16, 22, tzinfo=UTC)
END = START + timedelta(hours=1)
AT = END + timedelta(hours=2, minutes=12, microseconds=42)
HOSTILE = (
    "<script>alert('x')</script>",
    "<img src=http://evil.example/x.png onerror=alert(1)>",
    "javascript:alert(1)",
    "v=spf1 \u202e moc.live \u2066x\u2069",
    "zero\u200bwidth\ufeff and \u00adsoft",
    "\x1b[31mred\x1b[0m \x07 bell",
    "line\nbreak | `code` [link](http://evil.example) **bold** <!-- -->",
    '"><a href="https://evil.example">x</a>',
    "{{ 7 * 7 }} {% raw %} &amp; ]]> [red]rich[/red]",
)
INSTANCES = {
    "acme-prod1": "acme",
    "acme-prod2": "acme",
    "acme-mkt": "acme",
    "borealis-prod": "borealis",
    "borealis-stage": "borealis",
    "cumulus-dev1": "cumulus",
    "cumulus-prod": "cumulus",
    "cumulus-tx": "cumulus",
}


def record(text: str) -> str:
    """A digest such as a record has."""
    return digest(text.encode())


def passed(promise: str, instance: str) -> Judgement:
    """A PASSED judgement; two promises share their text over instances."""
    shared = promise in {"spf", "notice"}
    return judgement(
        shown="Every IPv4 and IPv6 address gets the result it got before."
        if shared
        else f"{promise} of {instance}: all 3 subjects read the same before and after.",
        could_hide="A server that answers us otherwise than it answers receivers.",
        records=[record(f"{instance} before"), record(f"{instance} after")],
    )


def spf_failed(instance: str) -> Judgement:
    """The shared include that lost a network: one cause at each instance."""
    return judgement(
        findings=[
            Finding(
                rule="address-lost",
                subject="_spf.campaign.example TXT",
                expected="198.51.100.7 gets pass",
                observed="198.51.100.7 gets softfail",
                explanation="198.51.100.7 passed SPF before and gets softfail after: the include "
                "_spf.campaign.example lost ip4:198.51.100.0/24.",
                witness=("198.51.100.7", "_spf.campaign.example"),
                before="v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ~all",
                after="v=spf1 ip4:192.0.2.0/24 ~all",
                records=(record(f"{instance} before"), record(f"{instance} after")),
            )
        ],
        shown="-",
        could_hide="-",
        cleared=[
            Cleared(
                rule="txt-split",
                subject=f"news.{instance.split('-', maxsplit=1)[0]}.example TXT",
                before='"v=spf1 include:_spf.campaign.example -all"',
                after='"v=spf1 include:_spf.campaign" ".example -all"',
                explanation="The same text in other character-strings (RFC 7208 3.3).",
            )
        ],
    )


def ptr_failed(instance: str) -> Judgement:
    """A PTR that is gone, at this instance only."""
    return judgement(
        findings=[
            Finding(
                rule="ptr-missing",
                subject="192.0.2.11",
                expected=f"PTR mta2.{instance}.example.com",
                observed="NXDOMAIN from both servers",
                explanation="192.0.2.11 had the PTR mta2.acme.example.com and has none after.",
                witness=("192.0.2.11", "11.2.0.192.in-addr.arpa"),
                before="mta2.acme.example.com",
                after=None,
                records=(record("ptr"),),
            )
        ],
        missing=[
            Missing(
                what="127.0.0.3:5300 was silent after",
                on=On.OPERATOR,
                rule="silent-after",
                subject="127.0.0.3:5300",
                command="wavegate capture --phase after",
            )
        ],
        shown="-",
        could_hide="-",
    )


def hostile_failed() -> Judgement:
    """Every field of a finding filled with what an attacker would publish."""
    return judgement(
        findings=[
            Finding(
                rule="terms-differ",
                subject=f"evil.example TXT {HOSTILE[0]}",
                expected=HOSTILE[3],
                observed=HOSTILE[1],
                explanation=f"The record changed to {HOSTILE[0]} and {HOSTILE[6]}",
                witness=HOSTILE,
                before=HOSTILE[5],
                after=" ".join(HOSTILE) + " v=spf1" + " ip4:203.0.113.9" * 300,
                records=(record("hostile"),),
            )
        ],
        shown="-",
        could_hide="-",
        remarks=[HOSTILE[7], "checkdmarc: the record has more than 10 lookups"],
        not_compared=[NotCompared(what=HOSTILE[4], reason=HOSTILE[8])],
    )


def waiting(what: str, count: int | None, on: On, settles: datetime | None = None) -> Judgement:
    """An INCONCLUSIVE that needs more of something."""
    return inconclusive(
        Missing(
            what=what,
            count=count,
            on=on,
            rule="too-few",
            subject="pool main",
            settles_by=settles,
            command="wavegate gate --wave 2024-01-w1",
        )
    )


def _cell(instance: str, promise: str, found: Judgement | None, **extra: Any) -> Cell:
    later = {"throughput": timedelta(days=15), "queued_mail": timedelta(hours=85)}
    grid = GridCell(
        instance=instance,
        customer=INSTANCES.get(instance, instance.split("-", maxsplit=1)[0]),
        promise=promise,
        due=END + later.get(promise, timedelta()),
    )
    fields = {"not_applicable", "limit_by", "outside", "withdrawn"}
    grid = replace(grid, **{k: v for k, v in extra.items() if k in fields})
    return replace(
        Cell(grid=grid, judgement=found), **{k: v for k, v in extra.items() if k not in fields}
    )


def run_of(cells: Iterable[Cell], **extra: Any) -> Verdicts:
    """The verdicts of some cells, decided as the gate decides."""
    rows = tuple(cells)
    inside = {cell.grid.instance: () for cell in rows if not cell.grid.outside}
    context = Context(
        run="2024-01-17T011200Z-7f3a",
        wave="2024-01-w1",
        at=AT,
        holds=inside,
        promises=tuple(PROMISES.values()),
        digests=Digests(
            estate={name: record(name) for name in sorted(set(INSTANCES.values()))},
            policy=record("policy"),
            suites=record("suites"),
            tool=record("tool"),
        ),
        tool=Tool(version="0.1.0", source=record("source")),
        window=Window(start=START, end=END),
        attempts={},
        plan=PlanUsed(version=2, digest=record("plan"), at=START - timedelta(days=3)),
    )
    context = replace(context, **extra)
    decision = decide(
        rows, at=context.at, holds=context.holds, final=context.final, partial=context.partial
    )
    return build(rows, decision, context)


def _attempt(
    name: str,
    phase: str,
    number: int,
    began: datetime,
    because: str | None = None,
    *,
    used: bool = True,
    complete: bool = True,
) -> Attempt:
    return Attempt.model_validate(
        {
            "phase": phase,
            "sequence": number,
            "digest": record(f"{name} {number}"),
            "because": because,
            "began": began,
            "ended": began + timedelta(minutes=2),
            "used": used,
            "forced": False,
            "complete": complete,
        }
    )


def _varied_cells() -> list[Cell]:
    special: dict[tuple[str, str], tuple[Judgement | None, dict[str, Any]]] = {}
    for name in ("acme-prod1", "acme-prod2", "borealis-prod"):
        special[name, "spf"] = (spf_failed(name), {})
    special["acme-prod1", "reverse_dns"] = (ptr_failed("acme-prod1"), {})
    special["cumulus-prod", "dmarc"] = (hostile_failed(), {})
    special["cumulus-dev1", "dkim"] = (
        waiting("no mail from 2001:db8::10 after the move: more messages", 37, On.CUSTOMER),
        {},
    )
    special["cumulus-tx", "build_version"] = (None, {})
    special["borealis-stage", "sound_evidence"] = (
        waiting("the move itself was not seen", None, On.US),
        {"waiver": AppliedWaiver(reason="late", approved_by="R. Roe", until=START)},
    )
    special["acme-mkt", "sending_ips"] = (
        waiting("more messages from 192.0.2.10", 12, On.OPERATOR),
        {
            "waiver": AppliedWaiver(
                reason="quiet pool", approved_by="J. Doe", until=AT + timedelta(days=9)
            )
        },
    )
    for name in INSTANCES:
        special[name, "throughput"] = (
            waiting("more days of loaded buckets", 6, On.TIME, END + timedelta(days=6)),
            {},
        )
    special["cumulus-dev1", "throughput"] = (
        not_applicable("no load in dev"),
        {"not_applicable": "no load in dev", "limit_by": "C. Approver"},
    )
    special["acme-prod2", "queued_mail"] = (
        replace(
            waiting("the queue of delivery DM42 was not listed", None, On.OPERATOR),
            off_track="no queue was listed before the window",
        ),
        {},
    )
    special["acme-mkt", "dkim"] = (passed("dkim", "acme-mkt"), {"remedied": "after 31 min"})
    return [
        _cell(name, promise, found, **extra)
        for name in INSTANCES
        for promise in PROMISES
        for found, extra in [special.get((name, promise), (passed(promise, name), {}))]
    ]


def decided() -> tuple[DecisionEntry, ...]:
    """Decisions by people: by an approver, by who did the work, and with hostile texts."""
    whole = DecisionEntry(
        decision="keep",
        instance=None,
        by="A. Approver",
        why="SPF is repaired by CHG-77",
        at=AT - timedelta(minutes=9),
        run="2024-01-17T005900Z-11aa",
        sequence=1,
        keyid="c1" * 32,
        signed_as="approve",
        implementer=(),
        digest=record("decision 1"),
    )
    own = {"signed_as": "record", "implementer": ("key", "name"), "by": f"R. Roe {HOSTILE[0]}"}
    later = {"decision": "roll-back", "instance": "acme-prod1", "why": " ".join(HOSTILE)}
    return whole, whole.model_copy(update=own | later | {"digest": record("decision 2")})


def approved() -> tuple[ApprovalEntry, ...]:
    """A limit that an approver signed, and a waiver whose wording changed since."""
    limit = Approvable(
        kind="limit",
        promise="throughput",
        instance="cumulus-dev1",
        cause=None,
        reason="no load in dev",
        approved_by="C. Approver",
        until=None,
    )
    signed = ApprovalEntry(
        kind="limit",
        promise="throughput",
        instance="cumulus-dev1",
        cause=None,
        by="Cora Approver",
        at=START - timedelta(days=1),
        keyid="e5" * 32,
        stands=True,
        implementer=("key",),
        content=limit.digest,
        digest=record("approval 1"),
    )
    other = {"kind": "waiver", "promise": "sending_ips", "instance": "acme-mkt", "stands": False}
    more = {"by": f"Dan {HOSTILE[0]}", "content": record("other words"), "implementer": ()}
    return signed, signed.model_copy(update=other | more | {"digest": record("approval 2")})


def _withdrawn() -> list[Cell]:
    """The cells of an instance that was withdrawn before the window."""
    gone = Withdrawal(by="W. Drawer", why=f"CHG-9 {HOSTILE[1]}", at=START - timedelta(days=1))
    return [
        _cell(
            "cumulus-late",
            promise,
            not_applicable("stays" if promise == "scope" else gone.reason),
            outside=True,
            withdrawn=gone,
            not_applicable=None if promise == "scope" else gone.reason,
        )
        for promise in ("scope", "spf", "dkim")
    ]


def _waived() -> tuple[Waiver, ...]:
    """A waiver that applies, one that has ended, and one of a cause that was never seen."""
    return (
        Waiver(
            promise="sending_ips",
            instance="acme-mkt",
            reason="quiet pool",
            approved_by="J. Doe",
            until=AT + timedelta(days=9),
        ),
        Waiver(
            promise="sound_evidence",
            instance="borealis-stage",
            reason="late",
            approved_by="R. Roe",
            until=START,
        ),
        Waiver(
            cause=record("never seen"),
            reason=f"kept for later {HOSTILE[0]}",
            approved_by="R. Roe",
            until=AT + timedelta(days=30),
        ),
    )


@pytest.fixture(scope="session")
def varied() -> Verdicts:
    """A NO-GO with all verdicts, shared causes, waivers, limits, retakes and hostile text."""
    cells = _varied_cells()
    cells.append(
        _cell("delta-prod1", "scope", not_applicable("moves later: unplanned"), outside=True)
    )
    cells += _withdrawn()
    ptr = ptr_failed("acme-prod1").findings[0].cause("reverse_dns")
    return run_of(
        cells,
        decide_by=START + timedelta(hours=6),
        attempts={
            "acme-prod1": (
                _attempt("a", "before", 1, START - timedelta(days=2)),
                _attempt("a", "after", 2, END + timedelta(minutes=5)),
            ),
            "acme-mkt": (
                _attempt("m", "before", 1, START - timedelta(days=2)),
                _attempt("m", "after", 2, END + timedelta(minutes=5), used=False),
                _attempt("m", "after", 3, END + timedelta(minutes=36), "fix:CHG-123"),
            ),
        },
        waivers=_waived(),
        decisions=decided(),
        approvals=approved(),
        not_checked=("the move itself: the estate names no moved_when",),
        notes=(f"checkdmarc disagrees once, {ptr[:8]}",),
    )


@pytest.fixture(scope="session")
def good() -> Verdicts:
    """A GO that is closed."""
    return run_of(
        _cell(name, promise, passed(promise, name)) for name in INSTANCES for promise in PROMISES
    )


@pytest.fixture(scope="session")
def empty() -> Verdicts:
    """A run over nothing: HOLD."""
    return run_of([], plan=None, partial="there is no plan for this wave")


@pytest.fixture(scope="session")
def huge() -> Verdicts:
    """500 instances, a third of them with the same failed include."""
    names = [f"customer{n % 60:02}-instance-{n:03}" for n in range(500)]
    return run_of(
        _cell(
            name,
            promise,
            spf_failed(name) if promise == "spf" and number % 3 == 0 else passed(promise, name),
        )
        for number, name in enumerate(names)
        for promise in PROMISES
    )


@pytest.fixture(scope="session")
def held() -> Verdicts:
    """A run before the window has ended: HOLD for every instance."""
    holds = dict.fromkeys(INSTANCES, ("its window has not ended",))
    cells = [_cell(name, "scope", passed("scope", name)) for name in INSTANCES]
    return run_of(cells, holds=holds)


@pytest.fixture(scope="session")
def chaos() -> Verdicts:
    """Each of 1,280 cells failed for its own cause."""
    return run_of(
        _cell(f"node-{number:02}", promise, ptr_like(f"{promise} {number}"))
        for number in range(80)
        for promise in PROMISES
    )


def ptr_like(subject: str) -> Judgement:
    """A finding about a subject that no other cell shares."""
    finding = Finding(
        rule="differs",
        subject=subject,
        expected="as before",
        observed="otherwise",
        explanation=f"{subject} differs",
        before="a",
        after="b",
    )
    return judgement(findings=[finding], shown="-", could_hide="-")


@pytest.fixture(scope="session")
def fleet() -> Verdicts:
    """2,001 instances of one promise, of which the last by name failed."""
    names = [*(f"i{number:04}" for number in range(2000)), "z-last"]
    return run_of(
        _cell(n, "spf", spf_failed(n) if n == "z-last" else passed("spf", n)) for n in names
    )


@pytest.fixture
def make_hostile() -> Callable[[], Verdicts]:
    """A run whose names themselves are hostile, as no estate would load them."""

    def make() -> Verdicts:
        return run_of(
            _cell(text, promise, ptr_like(text) if number % 2 else passed(promise, text))
            for number, text in enumerate(filter(str.isascii, HOSTILE))
            for promise in ("spf", HOSTILE[0], "not-compared")
        )

    return make
