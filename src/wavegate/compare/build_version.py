# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`build_version`: the Campaign build is the one that ran before.

Three sources: /r/test of every front, Logon, and X-mailer of mail. One of them that shows another
build convicts; to acquit, /r/test or Logon must show the same one, for X-mailer often carries no
build. A build that is hidden after is not a changed build (/r/test hides it from callers outside
its security zone).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wavegate.compare.senders import speaks_for
from wavegate.estate.model import Instance
from wavegate.record.campaign_view import LOGONS, R_TEST, CampaignView, NotSeen, Redir
from wavegate.record.message import Received
from wavegate.verdict import (
    Cleared,
    Finding,
    Judgement,
    Missing,
    NotCompared,
    On,
    judgement,
)

PROMISE = "build_version"
MAILER = "X-mailer"
RECAPTURE = "wavegate capture --phase after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What one application front shows of its version at /r/test; None where it is hidden."""

    name: str
    build: str | None
    commit: str | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogonVersion:
    """What Logon shows of the version; None where it is not told."""

    build: str | None
    commit: str | None
    release: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEvidence:
    """One side of the comparison.

    fronts: every answer of /r/test. logon: None where Logon showed nothing. mailers: X-mailer
    values of mail that speaks for the instance, each with one message id. silent: why a source
    did not show a version, by source.
    """

    instance: Instance
    fronts: tuple[Front, ...]
    logon: LogonVersion | None
    mailers: Mapping[str, str]
    silent: Mapping[str, str] = field(default_factory=dict)
    records: tuple[str, ...] = ()

    def values(self, trait: str) -> Mapping[str, tuple[str, ...]]:
        """Each value of `build` or `commit` or `version`, with the sources that show it."""
        found: dict[str, list[str]] = {}
        for front in self.fronts:
            value = getattr(front, trait)
            if value is not None:
                found.setdefault(value, []).append(f"{R_TEST} of {front.name}")
        value = getattr(self.logon, "release" if trait == "version" else trait, None)
        if value is not None and trait != "commit":
            found.setdefault(value, []).append("Logon")
        return {value: tuple(sorted(set(sources))) for value, sources in sorted(found.items())}


def gather(
    instance: Instance,
    view: CampaignView,
    mails: tuple[Received, ...] = (),
    *,
    verified: frozenset[str] = frozenset(),
    records: tuple[str, ...] = (),
) -> BuildEvidence:
    """The evidence of one side. verified: digests of mails whose signature verifies."""
    logon = view.logon
    shown = None if isinstance(logon, NotSeen) else logon
    return BuildEvidence(
        instance=instance,
        fronts=tuple(_front(redir) for redir in view.redir if not redir.hidden),
        logon=LogonVersion(
            build=shown.build_number, commit=shown.commit_id, release=shown.release_name
        )
        if shown
        else None,
        mailers=_mailers(instance, mails, verified),
        silent=dict(_silent(view)),
        records=records,
    )


def _front(redir: Redir) -> Front:
    name = redir.local_host or redir.host or redir.source.asked.get("url", "the front")
    return Front(name=name, build=redir.build, commit=redir.sha1, version=redir.version)


def _silent(view: CampaignView) -> Iterable[tuple[str, str]]:
    if isinstance(view.logon, NotSeen):
        yield "Logon", view.logon.reason
    if not view.redir_asked:
        yield R_TEST, "not asked"
    elif not view.redir:
        yield R_TEST, "; ".join([*_problems(view), *_content_types(view)]) or "no answer"
    elif all(redir.hidden for redir in view.redir):
        yield R_TEST, "answers without a build: this caller is outside its security zone"


def _problems(view: CampaignView) -> list[str]:
    found = [p for p in view.problems if R_TEST in p and not any(logon in p for logon in LOGONS)]
    return list(dict.fromkeys(found))


def _content_types(view: CampaignView) -> list[str]:
    """What came instead of an answer, such as the text/html of a maintenance page."""
    found = {looked.heard.get("content_type", "") for looked in view.redir_asked}
    return sorted(found - {""})


def _mailers(
    instance: Instance, mails: tuple[Received, ...], verified: frozenset[str]
) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for mail in mails:
        value = mail.header(MAILER)
        if value is not None and speaks_for(instance, mail, verified):
            found.setdefault(value, mail.message_id)
    return dict(sorted(found.items()))


def compare_build_version(before: BuildEvidence, after: BuildEvidence) -> Judgement:
    """Judge `build_version` for one instance."""
    findings = [
        *_changed("build", "build-differs", before, after),
        *_changed("commit", "commit-differs", before, after),
        *_logon_commit(before, after),
        *_changed("version", "version-differs", before, after),
        *_disagreement(before, after),
        *_mailer(before, after),
    ]
    cleared = tuple(_attribute_added(before, after))
    not_compared = tuple(_not_compared(before, after))
    missing = [] if findings else list(_gaps(before, after))
    return judgement(
        findings=findings,
        missing=missing,
        cleared=cleared,
        not_compared=not_compared,
        shown=_shown(after),
        could_hide="a front that the balancer did not show us, or a change under the same build",
        records=(*before.records, *after.records),
        remarks=_mailer_remarks(before, after),
    )


def _changed(
    trait: str, rule: str, before: BuildEvidence, after: BuildEvidence
) -> Iterable[Finding]:
    """A value after that no source showed before, where one did show any."""
    old, new = before.values(trait), after.values(trait)
    if not old:
        return
    for value, sources in new.items():
        if value in old or (trait == "version" and not _same_source(old, sources)):
            continue
        was, where = ", ".join(old), ", ".join(sources)
        yield Finding(
            rule=rule,
            subject=f"{trait} {was}",
            expected=f"{trait} {was}, as before",
            observed=f"{where}: {trait} {value}",
            explanation=f"the {trait} was {was} and is {value} ({where})",
            witness=(was, value, *sources),
            before=was,
            after=value,
            records=after.records,
        )


def _same_source(old: Mapping[str, tuple[str, ...]], sources: tuple[str, ...]) -> bool:
    """/r/test's version and Logon's releaseName are only held against their own kind."""
    kinds = {source.split(" of ")[0] for found in old.values() for source in found}
    return any(source.split(" of ")[0] in kinds for source in sources)


def _logon_commit(before: BuildEvidence, after: BuildEvidence) -> Iterable[Finding]:
    """Logon's commitId; apart from /r/test's sha1, which may be written at another length."""
    old = before.logon.commit if before.logon else None
    new = after.logon.commit if after.logon else None
    if old and new and old != new:
        yield Finding(
            rule="commit-differs",
            subject=f"commit {old}",
            expected=f"commitId {old} at Logon, as before",
            observed=f"Logon: commitId {new}",
            explanation=f"the commit was {old} and is {new} (Logon)",
            witness=(old, new, "Logon"),
            before=old,
            after=new,
            records=after.records,
        )


def _disagreement(before: BuildEvidence, after: BuildEvidence) -> Iterable[Finding]:
    """Sources or fronts that show several builds after, where they agreed before."""
    old, new = before.values("build"), after.values("build")
    if len(new) < 2 or set(new) == set(old):
        return
    parts = [f"{', '.join(sources)}: {build}" for build, sources in new.items()]
    sources = sorted({source for found in new.values() for source in found})
    yield Finding(
        rule="sources-disagree",
        subject=f"instance:{after.instance.name}",
        expected="every front and every source shows one build",
        observed="; ".join(parts),
        explanation=f"several builds run at once: {'; '.join(parts)}",
        witness=(*new, *sources),
        before=" ".join(old) or None,
        after=" ".join(new),
        records=after.records,
    )


def _mailer(before: BuildEvidence, after: BuildEvidence) -> Iterable[Finding]:
    if not before.mailers:
        return
    was = ", ".join(before.mailers)
    for value, message_id in after.mailers.items():
        if value not in before.mailers:
            yield Finding(
                rule="mailer-differs",
                subject=f"{MAILER} {was}",
                expected=f"{MAILER}: {was}, as before",
                observed=f"{message_id} has {MAILER}: {value}",
                explanation=f"the sending module calls itself {value}, and {was} before",
                witness=(MAILER, _version(value), message_id),
                before=was,
                after=value,
            )


def _version(mailer: str) -> str:
    """`8.6.0` of `nlserver, Build 8.6.0`; the whole value where it has another shape."""
    return mailer.rpartition("Build ")[2] or mailer


def _attribute_added(before: BuildEvidence, after: BuildEvidence) -> Iterable[Cleared]:
    """The version attribute of /r/test came or went: display only, while build and sha1 hold."""
    old = {front.version for front in before.fronts}
    new = {front.version for front in after.fronts}
    if not old or not new or (old == {None}) == (new == {None}):
        return
    yield Cleared(
        rule="version-attribute-is-display",
        subject=f"{R_TEST} version",
        before=_texts(old),
        after=_texts(new),
        explanation="/r/test shows its version or not; the build is what is compared",
    )


def _texts(values: Iterable[str | None]) -> str:
    return ", ".join(sorted(value or "not shown" for value in values))


def _gaps(before: BuildEvidence, after: BuildEvidence) -> Iterable[Missing]:
    old, new = before.values("build"), after.values("build")
    name = after.instance.name
    if not old:
        yield Missing(
            what=f"the build from before the window: {_why(before)}; none can follow",
            on=On.OPERATOR,
            rule="build-not-seen-before",
            subject=f"instance:{name}",
        )
    elif not new:
        yield Missing(
            what=f"the build after: {_why(after)}",
            on=On.OPERATOR,
            rule="build-not-seen-after",
            subject=f"instance:{name}",
            command=RECAPTURE,
        )
    elif set(old) - set(new):
        lost = ", ".join(sorted(set(old) - set(new)))
        yield Missing(
            what=f"the front that showed build {lost} before: it did not answer after",
            on=On.OPERATOR,
            rule="front-not-seen-after",
            subject=f"build {lost}",
            command=RECAPTURE,
        )


def _why(side: BuildEvidence) -> str:
    reasons = [f"{source}: {reason}" for source, reason in sorted(side.silent.items())]
    return "; ".join(reasons) or "no source showed it"


def _not_compared(before: BuildEvidence, after: BuildEvidence) -> Iterable[NotCompared]:
    """Sources that were silent on a side, while another one spoke."""
    for label, side in (("before", before), ("after", after)):
        for source, reason in sorted(side.silent.items()):
            yield NotCompared(what=f"build at {source}", reason=f"{label}: {reason}")
    if bool(before.mailers) != bool(after.mailers):
        where = "after" if before.mailers else "before"
        yield NotCompared(what=f"{MAILER} of mail", reason=f"{where}: no mail shows it")


def _shown(after: BuildEvidence) -> str:
    parts = [f"build {b} at {', '.join(s)}" for b, s in after.values("build").items()]
    return f"the same {'; '.join(parts)}"


def _mailer_remarks(before: BuildEvidence, after: BuildEvidence) -> tuple[str, ...]:
    same = [value for value in after.mailers if value in before.mailers]
    return tuple(f"{MAILER} is unchanged: {value}" for value in same)
