# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether mail really received aligns with its From domain: the mail side of `dmarc`.

One aligned identity is enough (RFC 9989 4.4): the d= of a signature that verifies, or the
MAIL FROM domain (HELO where that is null) if SPF passes for the peer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from dns.name import Name

from wavegate.answer import Lookup
from wavegate.compare.senders import address as normal
from wavegate.compare.signatures import Signed, authors, mail_gaps
from wavegate.estate.model import Instance
from wavegate.mailauth.dkim import Outcome
from wavegate.mailauth.dmarc import InEffect, aligned, discover
from wavegate.mailauth.names import address_of, name_of
from wavegate.mailauth.spf import evaluate_client
from wavegate.mailauth.spf_macro import Sender
from wavegate.mailauth.spf_record import Result
from wavegate.verdict import Finding, Missing, On


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentSide:
    """What the mails say, to be joined with what the records say."""

    findings: tuple[Finding, ...]
    missing: tuple[Missing, ...]
    shown: str


class _Aligns(Enum):
    YES = "aligns"
    NO = "does not align"
    UNKNOWN = "is not known to align"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    """Everything that a mail's alignment rests on; equal identities are judged once."""

    author: str
    signers: frozenset[str]
    undecided: bool
    mail_from: str
    helo: str
    peer: str


def judge_alignment(
    instance: Instance,
    before: tuple[tuple[Signed, ...], Lookup],
    after: tuple[tuple[Signed, ...], Lookup],
) -> AlignmentSide:
    """Hold the mail of both phases, each with the DNS of its phase, against their From domains."""
    old, new = _judged(*before), _judged(*after)
    failing = [one for one in after[0] if new[_identity(one)] is _Aligns.NO]
    unsure = [one for one in after[0] if new[_identity(one)] is _Aligns.UNKNOWN]
    did = {one.author for one in before[0] if old[_identity(one)] is _Aligns.YES}
    good = len(after[0]) - len(failing) - len(unsure)
    return AlignmentSide(
        findings=tuple(_findings(failing, after[0], did)),
        missing=(*mail_gaps(instance, before[0], after[0]), *_missing(unsure)),
        shown=f"{good} of {len(after[0])} messages after align",
    )


def _judged(mails: tuple[Signed, ...], lookup: Lookup) -> dict[_Identity, _Aligns]:
    policies: dict[str, InEffect] = {}
    found: dict[_Identity, _Aligns] = {}
    for one in mails:
        identity = _identity(one)
        if identity not in found:
            found[identity] = _aligns(identity, lookup, policies)
    return found


def _identity(one: Signed) -> _Identity:
    mail_from = (one.mail.mail_from or "").rpartition("@")[2].lower().rstrip(".>")
    return _Identity(
        author=one.author,
        signers=frozenset(result.domain for result in one.passing),
        undecided=any(result.outcome is Outcome.TEMPERROR for result in one.results),
        mail_from=mail_from,
        helo=(one.mail.helo or "").lower().rstrip("."),
        peer=normal(one.mail.peer),
    )


def _aligns(identity: _Identity, lookup: Lookup, policies: dict[str, InEffect]) -> _Aligns:
    author = name_of(identity.author)
    if author is None:
        return _Aligns.NO
    if identity.author not in policies:
        policies[identity.author] = discover(author, lookup).tree
    policy = policies[identity.author]
    answers = [*_by_signature(identity, author, policy, lookup)]
    if True not in answers:
        answers.append(_by_spf(identity, author, policy, lookup))
    if True in answers:
        return _Aligns.YES
    unknown = None in answers or identity.undecided or bool(policy.unknown)
    return _Aligns.UNKNOWN if unknown else _Aligns.NO


def _by_signature(
    identity: _Identity, author: Name, policy: InEffect, lookup: Lookup
) -> Iterable[bool | None]:
    for signer in sorted(identity.signers):
        name = name_of(signer)
        yield name is not None and aligned(name, author, policy.adkim, lookup)


def _by_spf(identity: _Identity, author: Name, policy: InEffect, lookup: Lookup) -> bool | None:
    domain = name_of(identity.mail_from or identity.helo)
    client = address_of(identity.peer)
    if domain is None or client is None:
        return False
    matches = aligned(domain, author, policy.aspf, lookup)
    if matches is False:
        return False
    sender = Sender(domain=domain, client=client, helo=identity.helo or None)
    results = {piece.result for piece in evaluate_client(sender, lookup).pieces}
    if results == {Result.PASS}:
        return matches
    return None if Result.UNKNOWN in results or len(results) > 1 else False


def _findings(failing: list[Signed], every: tuple[Signed, ...], did: set[str]) -> Iterable[Finding]:
    for author in sorted(authors(failing)):
        mails = [one for one in failing if one.author == author]
        total = sum(1 for one in every if one.author == author)
        first = _identity(mails[0])
        signers = ", ".join(sorted(first.signers)) or "no signature that verifies"
        yield Finding(
            rule="mail-does-not-align",
            subject=author or "mail without a From domain",
            expected=f"mail from {author} has an aligned identity that passes",
            observed=f"{len(mails)} of {total} messages have none: MAIL FROM "
            f"{first.mail_from or 'null'}, DKIM {signers}; the first is {mails[0].mail.message_id}",
            explanation=f"{len(mails)} of {total} messages from {author} sent after do not align: "
            f"neither SPF of {first.mail_from or first.helo} nor DKIM ({signers}) speaks for it",
            witness=(
                mails[0].mail.message_id,
                *(name for name in (author, first.mail_from, first.peer) if name),
            ),
            before="aligns" if author in did else None,
            after="does not align",
            records=(mails[0].mail.digest,),
        )


def _missing(unsure: list[Signed]) -> Iterable[Missing]:
    for author in sorted(authors(unsure)):
        mails = [one for one in unsure if one.author == author]
        reasons = sorted(
            {
                result.reason
                for one in mails
                for result in one.results
                if result.outcome is Outcome.TEMPERROR
            }
        )
        yield Missing(
            what=f"whether {len(mails)} messages from {author} align: "
            f"{', '.join(reasons) or 'the DNS that it rests on was not answered'}",
            on=On.OPERATOR,
            rule="alignment-not-decidable",
            subject=author,
            count=len(mails),
            command="wavegate capture --phase after",
        )
