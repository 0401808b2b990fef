# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`scope`: exactly the affected instances move, each in one wave.

Decided by the estate; for an affected instance outside the wave also by its mail, which must
neither have stopped in the window nor newly bear the sign of the move.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from wavegate.compare.waves import waves_of
from wavegate.decision import Withdrawal
from wavegate.estate.model import Estate, Instance, Wave, Window
from wavegate.record.message import Received
from wavegate.record.trace import sender_lines
from wavegate.verdict import (
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    Verdict,
    inconclusive,
    judgement,
)

PROMISE = "scope"
ENOUGH_MAIL = 20
QUIET_RATIO = 3
EDGE_GAPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeCase:
    """What `scope` is judged on.

    mail_window: the mails received in the window; None where it is not known that the receiving
    side listened through all of it. withdrawal: how the instance was withdrawn from the wave, None
    where it was not. withdrawn_from: other waves that list it and from which it was withdrawn.
    """

    estate: Estate
    wave: Wave
    instance: Instance
    mail_before: tuple[Received, ...] = ()
    mail_window: tuple[Received, ...] | None = None
    mail_after: tuple[Received, ...] = ()
    withdrawal: Withdrawal | None = None
    withdrawn_from: frozenset[str] = frozenset()

    @property
    def waves(self) -> tuple[str, ...]:
        """The waves in which it moves, as the estate lists them and nobody withdrew it since."""
        listed = waves_of(self.estate, self.instance.name)
        gone = self.withdrawn_from | ({self.wave.name} if self.withdrawal else set())
        return tuple(name for name in listed if name not in gone)


def compare_scope(case: ScopeCase) -> Judgement:
    """Judge `scope` for one instance of the wave, or for an affected one outside it.

    One that was withdrawn stays behind: it is judged as outside, and is no forgotten one.
    """
    if case.instance.name in case.wave.instances and case.withdrawal is None:
        return _inside(case)
    return _outside(case)


def _inside(case: ScopeCase) -> Judgement:
    instance, name, waves = case.instance, case.instance.name, case.waves
    findings = []
    if not instance.affected:
        findings.append(_on_premise(instance, case.wave))
    if len(waves) > 1:
        findings.append(_two_waves(name, waves))
    if instance.wave == "unplanned":
        findings.append(_unplanned(name, case.wave))
    kind = f"{instance.product}, {instance.hosting}"
    return judgement(
        findings=findings,
        shown=f"{name} ({kind}) stands in wave {case.wave.name} and in no other",
        could_hide="an instance that the estate does not list at all",
    )


def _on_premise(instance: Instance, wave: Wave) -> Finding:
    return Finding(
        rule="on-premise-in-wave",
        subject=f"instance:{instance.name}",
        expected="an on-premise instance is not part of the migration",
        observed=f"{instance.name} is {instance.product} on-premise and stands in wave {wave.name}",
        explanation=f"{instance.name} is on-premise and must be in no wave",
        witness=(instance.name, "on-premise", wave.name),
        after="on-premise",
    )


def _two_waves(name: str, waves: tuple[str, ...]) -> Finding:
    listed = " and ".join(waves)
    return Finding(
        rule="in-several-waves",
        subject=f"instance:{name}",
        expected="each affected instance stands in exactly one wave",
        observed=f"{name} stands in {listed}",
        explanation=f"{name} stands in {len(waves)} waves: {listed}",
        witness=(name, *waves),
        after=" ".join(waves),
    )


def _unplanned(name: str, wave: Wave) -> Finding:
    return Finding(
        rule="unplanned-in-wave",
        subject=f"instance:{name}",
        expected="an instance marked unplanned moves later, in no wave",
        observed=f"{name} is marked unplanned and stands in wave {wave.name}",
        explanation=f"the estate contradicts itself about {name}",
        witness=(name, wave.name),
        after="unplanned",
    )


def _outside(case: ScopeCase) -> Judgement:
    name, waves = case.instance.name, case.waves
    deliberate = waves or case.instance.wave == "unplanned" or case.withdrawal
    findings = [] if deliberate else [_in_no_wave(case.instance)]
    findings += [_two_waves(name, waves)] if len(waves) > 1 else []
    findings += [*_moved_too(case), *_stopped_too(case)]
    if findings:
        return judgement(findings=findings, shown="-", could_hide="-")
    doubt = _sign_without_before(case)
    if doubt:
        return inconclusive(doubt)
    place = f"in {' and '.join(waves)}" if waves else "unplanned"
    if case.withdrawal:
        place = f"withdrawn by {case.withdrawal.by}"
    return Judgement(
        verdict=Verdict.NOT_APPLICABLE,
        reason=f"{name} is not in this wave ({place}) and shows no sign of having moved",
        not_compared=tuple(_not_looked_at(case)),
    )


def _in_no_wave(instance: Instance) -> Finding:
    name = instance.name
    return Finding(
        rule="in-no-wave",
        subject=f"instance:{name}",
        expected="each affected instance stands in a wave or is marked `wave: unplanned`",
        observed=f"{name} ({instance.product}, {instance.hosting}) stands in no wave",
        explanation=f"{name} is affected and in no wave: forgotten?",
        witness=(name,),
        after="in no wave",
    )


def _moved_too(case: ScopeCase) -> Iterable[Finding]:
    """Mail after that bears the sign of the move, which no mail before did."""
    signed = tuple(m for m in case.mail_after if bears_sign(case.instance, m))
    if not signed or not case.mail_before:
        return
    if any(bears_sign(case.instance, mail) for mail in case.mail_before):
        return
    name = case.instance.name
    yield Finding(
        rule="moved-outside-its-wave",
        subject=f"instance:{name}",
        expected=f"{name} is not in wave {case.wave.name} and does not move with it",
        observed="its mail bears the sign of the move after the window, and did not before",
        explanation=f"{name} moved although it is not in the wave",
        witness=(name, signed[0].message_id),
        before="sign not seen",
        after="sign seen",
        records=(signed[0].digest,),
    )


def _stopped_too(case: ScopeCase) -> Iterable[Finding]:
    """A silence that begins and ends with the window, in mail that was never so quiet before."""
    window, during = case.wave.window, case.mail_window
    if window is None or during is None or during or not _fell_silent(case, window):
        return
    name = case.instance.name
    yield Finding(
        rule="stopped-outside-its-wave",
        subject=f"instance:{name}",
        expected=f"{name} is not in wave {case.wave.name} and goes on sending",
        observed="no mail of it arrived in the window, and mail flowed right before and after",
        explanation=f"the mail of {name} stopped in the window of a wave that it is not in",
        witness=(name,),
        before="sending",
        after="stopped in the window",
    )


def _fell_silent(case: ScopeCase, window: Window) -> bool:
    times = sorted(mail.ended for mail in case.mail_before)
    if len(times) < ENOUGH_MAIL or not case.mail_after:
        return False
    gaps = [later - earlier for earlier, later in pairwise(times)]
    longest = max(*gaps, timedelta(microseconds=1))
    back = min(mail.ended for mail in case.mail_after)
    return (
        longest * QUIET_RATIO <= window.end - window.start
        and window.start - times[-1] <= longest * EDGE_GAPS
        and back - window.end <= longest * EDGE_GAPS
    )


def _sign_without_before(case: ScopeCase) -> Missing | None:
    signed = [m for m in case.mail_after if bears_sign(case.instance, m)]
    if not signed or case.mail_before:
        return None
    name = case.instance.name
    return Missing(
        what=f"mail of {name} from before the window: its mail after bears the sign of the move, "
        "and without mail before it cannot be told whether that is new",
        on=On.OPERATOR,
        rule="sign-without-before",
        subject=f"instance:{name}",
    )


def _not_looked_at(case: ScopeCase) -> Iterable[NotCompared]:
    name = case.instance.name
    if case.mail_window is None:
        yield NotCompared(
            what=f"whether mail of {name} stopped in the window",
            reason="nothing shows that the receiving side listened through the window",
        )
    if case.instance.moved_when is None:
        yield NotCompared(
            what=f"whether {name} moved", reason="the estate names no sign of the move for it"
        )
    elif not case.mail_after:
        yield NotCompared(what=f"whether {name} moved", reason="no mail of it arrived after")


def bears_sign(instance: Instance, mail: Received) -> bool:
    """Whether the `by` host of a Received header matches the instance's `moved_when`."""
    if instance.moved_when is None or instance.moved_when.received_by is None:
        return False
    pattern = re.compile(instance.moved_when.received_by)
    return any(pattern.search(host) for host in received_by(mail))


def received_by(mail: Received) -> tuple[str, ...]:
    """The `by` hosts of the sender's Received headers, top to bottom (RFC 5321 section 4.4)."""
    found = (re.search(r"(?:^|\s)by\s+([^\s;()]+)", line) for line in sender_lines(mail))
    return tuple(match[1].rstrip(".") for match in found if match)
