# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Signed headers are not fewer, and no signer is missing: what a verifying signature still covers.

A header field counts that every signature of a signer covered before, and that a message after
bears without its being covered, or covered fewer times (RFC 6376 8.15: a field listed once more
than it stands there cannot be added to).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from wavegate.compare.signatures import Signed, authors
from wavegate.mailauth.dkim import Verified
from wavegate.verdict import Finding

Signer = tuple[str, str]
"""d= and s=."""


def fewer_headers(before: Iterable[Signed], after: Iterable[Signed]) -> Iterable[Finding]:
    """One finding per signer and set of header fields that it does not cover any more."""
    always = _always(before)
    lost: dict[tuple[Signer, tuple[str, ...]], list[Signed]] = {}
    every: Counter[Signer] = Counter()
    for one in after:
        for found in one.passing:
            signer = (found.domain, found.selector)
            gone = _gone(always.get(signer), found, one)
            every[signer] += 1
            if gone:
                lost.setdefault((signer, gone), []).append(one)
    for (signer, names), mails in sorted(lost.items(), key=lambda item: item[0]):
        yield _fewer(signer, names, mails, every[signer])


def _always(before: Iterable[Signed]) -> Mapping[Signer, Counter[str]]:
    """Per signer the header fields that each of its signatures covered, how often at least."""
    found: dict[Signer, Counter[str]] = {}
    for one in before:
        for result in one.passing:
            signer, covered = (result.domain, result.selector), Counter(result.headers)
            found[signer] = found[signer] & covered if signer in found else covered
    return found


def _gone(always: Counter[str] | None, found: Verified, one: Signed) -> tuple[str, ...]:
    if always is None:
        return ()
    gone = always - Counter(found.headers)
    return tuple(sorted(name for name in gone if one.mail.header(name) is not None))


def _fewer(signer: Signer, names: tuple[str, ...], mails: list[Signed], total: int) -> Finding:
    domain, selector = signer
    first, spelt = mails[0], ", ".join(map(_spell, names))
    return Finding(
        rule="fewer-signed-headers",
        subject=f"h= of d={domain} s={selector}",
        expected=f"signatures by d={domain}, s={selector} cover {spelt}, as each did before",
        observed=f"{len(mails)} of {total} do not; the first is {first.mail.message_id}",
        explanation=f"signatures by d={domain}, s={selector} do not cover {spelt} any more: it may "
        "be changed on the way, and the signature verifies all the same",
        witness=(*map(_spell, names), domain, selector, first.mail.message_id),
        before=f"covers {spelt}",
        after=f"does not cover {spelt}",
        records=(first.mail.digest,),
    )


def _spell(name: str) -> str:
    """A header field name as it is usually written."""
    return "-".join(part.capitalize() for part in name.split("-"))


def missing_signers(before: tuple[Signed, ...], after: tuple[Signed, ...]) -> Iterable[Finding]:
    """Signers of all mail of an author before that sign none of it after, beside others that do."""
    for author in sorted(authors(before) & authors(after)):
        old = [_signers(one) for one in before if one.author == author and one.passing]
        new = [one for one in after if one.author == author and one.passing]
        if not old or not new:
            continue
        steady = frozenset.intersection(*old)
        left = frozenset().union(*map(_signers, new))
        if steady & left:  # else all of them changed, which is told as another signer
            yield from (_missing(author, signer, new) for signer in sorted(steady - left))


def _signers(one: Signed) -> frozenset[Signer]:
    return frozenset((found.domain, found.selector) for found in one.passing)


def _missing(author: str, signer: Signer, mails: list[Signed]) -> Finding:
    domain, selector = signer
    first = mails[0].mail
    return Finding(
        rule="signer-gone",
        subject=f"{selector}._domainkey.{domain} TXT",
        expected=f"mail from {author} is signed by d={domain}, s={selector} too",
        observed=f"none of {len(mails)} messages is, such as {first.message_id}",
        explanation=f"mail from {author} bore a verifying signature by d={domain}, s={selector} "
        "before, and bears none after",
        witness=(author, domain, selector, first.message_id),
        before="signs",
        after="does not sign",
        records=(first.digest,),
    )
