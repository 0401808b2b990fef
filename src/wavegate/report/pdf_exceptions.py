# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The exceptions page of the PDF, the promises' sources, how it was made and how to verify it."""

from collections.abc import Iterator
from typing import Literal

from wavegate.evidence.verdicts import Attempt, DecisionEntry, Verdicts, WaiverEntry
from wavegate.report import model
from wavegate.report.approval import Backing, of_baseline, of_limit, of_waiver
from wavegate.report.html import captures
from wavegate.report.model import Standing
from wavegate.report.page import Page
from wavegate.report.pdf_cover import Asked
from wavegate.report.pdf_findings import causes, source
from wavegate.report.pdf_shown import MOST, not_applicable
from wavegate.report.pdf_text import (
    LIMIT,
    Block,
    Ink,
    Spans,
    commands,
    entries,
    facts,
    heading,
    join,
    moment,
    paragraph,
    plain,
    table,
)

ESTATES = 50
"""Customers whose agreed estate is named by its digest."""
_BUNDLE = "wavegate verify BUNDLE --key PUB\nsh verify.sh PUB"
_PDF = "pdfsig {name}"
_KEY = (
    "pdfsig -dump {name}\n"
    "openssl pkcs7 -inform DER -in {name}.sig0 -print_certs \\\n"
    "  | openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum"
)


def exceptions(ink: Ink, verdicts: Verdicts, page: Page) -> Iterator[Block]:
    """Limits, waivers, retakes, fixes and decisions: all that departs from the plain rule."""
    yield {"kind": "break"}
    yield heading(1, ink.texts("pdf.exceptions"))
    yield paragraph(ink.say("pdf.exceptions_lead"), "lead")
    yield from _limits(ink, verdicts)
    yield from _withdrawn(ink, verdicts)
    yield from _waivers(ink, verdicts, page)
    yield from _retakes(ink, verdicts)
    yield from _remedied(ink, verdicts)
    yield from _decisions(ink, verdicts)
    yield from not_applicable(ink, page)


def _section(
    ink: Ink, name: Literal["limits", "withdrawn", "waivers", "decisions", "retakes"]
) -> Iterator[Block]:
    yield heading(2, ink.texts(f"{name}.title"))
    yield paragraph(ink.say(f"{name}.lead"), "lead")


def _limits(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    yield from _section(ink, "limits")
    cells = (cell for cell in verdicts.cells if not cell.outside)
    found = model.shared(cells, lambda cell: [cell.limit] if cell.limit else [])
    if not found:
        yield paragraph(ink.say("limits.none"), "none")
        return
    yield entries(
        (
            join([("strong", plain(one.promise, LIMIT))], ink.quote(one.item.reason), by="  "),
            [
                _approved(ink, one.item.approved_by),
                *_backing(ink, of_limit(verdicts, one.promise, one.item, one.instances)),
            ],
            ink.names(one.instances, 12),
        )
        for one in found[:MOST]
    )
    yield from _rest(ink, len(found))


def _withdrawn(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    yield from _section(ink, "withdrawn")
    found = model.withdrawals(verdicts)
    if not found:
        yield paragraph(ink.say("withdrawn.none"), "none")
        return
    yield entries(
        (
            join([("strong", plain(gone.instance, LIMIT))], ink.quote(gone.how.why), by="  "),
            [
                join(
                    join(ink.say("withdrawn.by", "soft"), [("", plain(gone.how.by, LIMIT))]),
                    ink.instant(gone.how.at),
                    by=", ",
                )
            ],
            [("", plain(gone.customer, LIMIT))],
        )
        for gone in found[:MOST]
    )
    yield from _rest(ink, len(found))


def _approved(ink: Ink, by: str | None) -> Spans:
    if by is None:
        return ink.say("limits.by_grid", "soft")
    return join(ink.say("word.by", "soft"), [("", plain(by, LIMIT))])


def _waivers(ink: Ink, verdicts: Verdicts, page: Page) -> Iterator[Block]:
    yield from _section(ink, "waivers")
    if not verdicts.waivers:
        yield paragraph(ink.say("waivers.none"), "none")
    else:
        yield entries(_waiver(ink, verdicts, waiver) for waiver in verdicts.waivers[:MOST])
        yield from _rest(ink, len(verdicts.waivers))
    yield from causes(ink, verdicts, page, Standing.WAIVED)


def _waiver(ink: Ink, verdicts: Verdicts, waiver: WaiverEntry) -> tuple[Spans, list[Spans], Spans]:
    if waiver.cause:
        what = join(ink.say("word.cause", "strong"), ink.code(waiver.cause[:16]))
    else:
        names = (waiver.promise or "", waiver.instance or "")
        what = [("strong", plain(" · ".join(names), LIMIT))]
    state = ink.say("waivers.unused", "soft")
    if waiver.until < verdicts.at:
        state = ink.say("waivers.expired", "gone")
    elif waiver.applied:
        state = ink.say("waivers.in_force", n=waiver.applied)
    until = join(ink.say("word.until", "soft"), ink.instant(waiver.until))
    by = join(_approved(ink, waiver.approved_by), until, by=", ")
    backing = _backing(ink, of_waiver(verdicts, waiver))
    return join(what, ink.quote(waiver.reason), by="  "), [by, *backing], state


def _backing(ink: Ink, found: Backing | None) -> Iterator[Spans]:
    """The signatures of approvers, or that there is none."""
    if found is None:
        return
    for one in found.signed[:6]:
        told = {"keyid": one.keyid, "by": one.by, "at": moment(one.at)}
        yield ink.say("approval.signed", **told)
        yield from (ink.say(f"way.{way}", "gone") for way in one.implementer)
    if found.claims == found.of:
        yield ink.say("approval.claim", "soft")
    elif found.claims:
        yield ink.say("approval.claim_of", "soft", n=found.claims, all=found.of)
    for name in found.changed[:6]:
        yield ink.say("approval.changed", "gone", by=name)


def _retakes(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    yield from _section(ink, "retakes")
    found, regular = captures(verdicts)
    if found:
        keys = ("instance", "phase", "number", "began", "counts", "because", "record")
        columns = [ink.texts(f"retakes.{key}") for key in keys]
        rows = (_attempt(ink, name, attempt) for name, attempt in found[:MOST])
        yield table(columns, ["fr", "auto", "auto", "auto", "auto", "fr", "auto"], rows)
        yield from _rest(ink, len(found))
    else:
        key = "retakes.no_retake" if regular else "retakes.no_capture"
        yield paragraph(ink.say(key), "none")
    if regular:
        yield paragraph(ink.say("retakes.plain", n=regular))


def _attempt(ink: Ink, name: str, attempt: Attempt) -> list[Spans]:
    odd = [] if attempt.complete else ink.say("retakes.incomplete", "gone")
    forced = ink.say("retakes.forced", "gone") if attempt.forced else []
    return [
        ink.names((name,)),
        [("", attempt.phase)],
        [("", str(attempt.sequence))],
        ink.instant(attempt.began),
        join(ink.say("word.yes" if attempt.used else "word.no"), odd, forced, by=", "),
        ink.quote(attempt.because or "", 200),
        ink.code(attempt.digest[:12]),
    ]


def _remedied(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    yield heading(2, ink.texts("pdf.remedied"))
    found = model.shared(verdicts.cells, lambda cell: [cell.remedied] if cell.remedied else [])
    if not found:
        yield paragraph(ink.say("pdf.no_remedied"), "none")
        return
    yield entries(
        (
            join([("strong", plain(one.promise, LIMIT))], ink.quote(one.item), by="  "),
            [],
            ink.names(one.instances, 12),
        )
        for one in found[:MOST]
    )
    yield from _rest(ink, len(found))


def _decisions(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    yield from _section(ink, "decisions")
    if not verdicts.decisions:
        yield paragraph(ink.say("decisions.none"), "none")
        return
    yield entries(_decision(ink, found) for found in verdicts.decisions[:MOST])
    yield from _rest(ink, len(verdicts.decisions))


def _decision(ink: Ink, found: DecisionEntry) -> tuple[Spans, list[Spans], Spans]:
    """What was decided and why; by whom, when, signed by which key; and about what."""
    course = [("strong", plain(ink.texts(f"course.{found.decision}"), LIMIT))]
    claim = found.signed_as == "record"
    lines = [
        join([("", plain(found.by, LIMIT))], ink.instant(found.at), by=", "),
        ink.say("decisions.run", "soft", run=found.run) if found.run else [],
        join(ink.say("decisions.signed", "soft"), ink.code(found.keyid)),
        ink.say("decisions.may_record", "gone") if claim else [],
        *(ink.say(f"way.{way}", "gone") for way in found.implementer),
    ]
    about = ink.names((found.instance,)) if found.instance else ink.say("decisions.about_wave")
    return join(course, ink.quote(found.why), by="  "), [line for line in lines if line], about


def promises(ink: Ink, verdicts: Verdicts) -> Iterator[Block]:
    """Each promise with its source, and whether it is in force."""
    yield heading(1, ink.texts("promises.title"))
    yield paragraph(ink.say("promises.lead"), "lead")
    if not verdicts.promises:
        yield paragraph(ink.say("promises.none"), "none")
        return
    yield entries(
        (
            join(
                [("strong", plain(promise.id, LIMIT))],
                [("", plain(ink.texts.sentence(promise), LIMIT))],
                by="  ",
            ),
            [source(ink, promise)],
            ink.say("promises.in_force" if promise.source.in_force else "promises.withdrawn"),
        )
        for promise in verdicts.promises
    )


def production(ink: Ink, verdicts: Verdicts, asked: Asked) -> Iterator[Block]:
    """Command, versions, digests of what went in, counts that reconcile."""
    yield heading(1, ink.texts("produced.title"))
    yield facts(_produced(ink, verdicts, asked))


def _produced(ink: Ink, verdicts: Verdicts, asked: Asked) -> Iterator[tuple[Spans, Spans]]:
    digests = verdicts.digests
    if asked.command:
        yield ink.say("pdf.command"), ink.code(asked.command)
    tool, source_of = verdicts.tool, ink.say("produced.source", "soft")
    version = [("", plain(f"Wavegate {tool.version},", LIMIT))]
    yield ink.say("produced.tool"), join(version, source_of, ink.code(tool.source))
    yield ink.say("produced.tool_digest"), ink.code(digests.tool)
    yield ink.say("produced.suites"), ink.code(digests.suites)
    yield ink.say("produced.policy"), ink.code(digests.policy)
    yield from _estate(ink, verdicts)
    yield ink.say("produced.plan"), _plan(ink, verdicts)
    drill = [("", plain(ink.texts.named(verdicts.drill), LIMIT))]
    yield ink.say("produced.drill"), drill
    yield ink.say("pdf.counts"), _counts(ink, verdicts)


def _estate(ink: Ink, verdicts: Verdicts) -> Iterator[tuple[Spans, Spans]]:
    """The agreed estate of each customer; the name of the row stands once."""
    found = sorted(verdicts.digests.estate.items())
    name = ink.say("produced.estate")
    if not found:
        yield name, ink.say("word.none", "soft")
    for customer, value in found[:ESTATES]:
        yield name, join([("", plain(customer, 80))], ink.code(value))
        name = []
    if len(found) > ESTATES:
        yield [], ink.more(len(found) - ESTATES, "word.more_in_verdicts")


def _plan(ink: Ink, verdicts: Verdicts) -> Spans:
    plan = verdicts.plan
    if plan is None:
        return ink.say("produced.no_plan", "gone")
    made = ink.say("produced.plan_version", version=plan.version, at=moment(plan.at))
    behind = _backing(ink, of_baseline(verdicts))
    return join(made, ink.code(plan.digest), *behind, by=", ")


def _counts(ink: Ink, verdicts: Verdicts) -> Spans:
    """How many cells of each verdict; every cell is in exactly one of these counts."""
    found = {word: n for word, n in model.counts(verdicts.cells) if n and word != "open"}
    if sum(found.values()) != len(verdicts.cells):
        raise ValueError("the counts of the verdicts do not add up to the cells")
    return ink.say(
        "pdf.counts_value",
        cells=ink.texts("pdf.cells", n=len(verdicts.cells)),
        words=", ".join(f"{count} {word}" for word, count in found.items()) or "0",
    )


def verification(ink: Ink, *, signed: bool, name: str) -> Iterator[Block]:
    """How to verify the bundle, and this file alone. name: of this file."""
    yield heading(1, ink.texts("verify.title"))
    yield paragraph(ink.say("pdf.verify_bundle"))
    yield commands(_BUNDLE)
    yield paragraph(ink.say("verify.stock"))
    if not signed:
        yield paragraph(ink.say("pdf.verify_pdf_unsigned"))
        return
    yield paragraph(ink.say("pdf.verify_pdf"))
    yield commands(_PDF.format(name=name))
    yield paragraph(ink.say("pdf.verify_key"))
    yield commands(_KEY.format(name=name))


def _rest(ink: Ink, count: int) -> Iterator[Block]:
    if count > MOST:
        yield paragraph(ink.more(count - MOST, "word.more_in_verdicts"))
