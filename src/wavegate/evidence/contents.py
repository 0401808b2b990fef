# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a sealed bundle holds, for those who hand it on in other forms: verdicts and evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wavegate.canonical import digest
from wavegate.errors import WavegateError
from wavegate.evidence.bundle import VERDICTS
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.predicates import RecordPredicate
from wavegate.evidence.sealed import OBJECTS, Opener, Sealed, open_sealed, read_object
from wavegate.evidence.sealed_claims import Claim
from wavegate.evidence.sealed_records import read_records
from wavegate.evidence.sealed_verdicts import BASELINE, ESTATE, PLAN, read_verdicts
from wavegate.evidence.tree import Tree, open_tree
from wavegate.evidence.trust import Trust
from wavegate.evidence.verdicts import Verdicts
from wavegate.record.mail_sources import MailSourcesRecord
from wavegate.record.mails import MailsRecord

_MEDIA = {"json": "application/json", "html": "text/html", "pdf": "application/pdf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One file of a bundle that a verdict may rest on.

    name: its path from the bundle's root. digest: SHA-256 of its bytes. signed: what its signed
    statement says of it, None for what is no record.
    """

    name: str
    digest: str
    signed: RecordPredicate | None = None

    @property
    def media_type(self) -> str:
        """The media type; a record's bytes are canonical JSON."""
        return _MEDIA.get(self.name.rpartition(".")[2], "application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A bundle, or an extract, whose files are the sealed ones.

    keyids: whose seal was verified with a key from outside, empty where none was given. manifest,
    verdicts_digest: SHA-256 of MANIFEST and of verdicts.json. exhibits: by every digest that a
    verdict may name; a message or report within a record is under its own digest too.
    """

    verdicts: Verdicts
    keyids: tuple[str, ...]
    manifest: str
    verdicts_digest: str
    exhibits: Mapping[str, Exhibit]


def read_contents(folder: Path, trust: Trust | None) -> Contents:
    """Read a bundle, each file once and matched against its seal.

    trust: None where no key was given; then nobody vouches for it. It is no full verification:
    that is `verify_bundle`. Raises InvalidError, InputError as that does.
    """
    opener = Opener(trust=trust)
    with open_tree(folder) as tree:
        sealed = open_sealed(tree, opener, expect_run=None, expect_wave=None)
        verdicts = read_verdicts(sealed)
        claims = read_records(tree, sealed, opener).claims
        inner = {part: claim for claim in claims for part in _parts(tree, sealed, claim)}
    return Contents(
        verdicts=verdicts,
        keyids=sealed.keyids,
        manifest=sealed.manifest,
        verdicts_digest=sealed.files[VERDICTS],
        exhibits=_exhibits(sealed, verdicts, {**inner, **{c.record: c for c in claims}}),
    )


def _parts(tree: Tree, sealed: Sealed, claim: Claim) -> frozenset[str]:
    """The digests of the messages or reports in a record; none in one that is damaged."""
    name = object_path(claim.record)
    if claim.signed.kind not in {"mails", "mail-sources"} or name not in sealed.files:
        return frozenset()
    try:
        data = read_object(tree, sealed, name)
        if claim.signed.kind == "mails":
            mails = MailsRecord.from_bytes(data, digest=claim.record)
            return frozenset(message.digest for message in mails.messages)
        sources = MailSourcesRecord.from_bytes(data, digest=claim.record)
        return frozenset(report.digest for report in sources.reports)
    except WavegateError:
        return frozenset()


def _exhibits(
    sealed: Sealed, verdicts: Verdicts, claims: Mapping[str, Claim]
) -> Mapping[str, Exhibit]:
    """Files by digest; the plan and the agreed estates under the digests that verdicts name."""
    found = {value: Exhibit(name=name, digest=value) for name, value in sealed.files.items()}
    for named, claim in claims.items():
        if claim.record in found:
            name = object_path(claim.record)
            found[named] = Exhibit(name=name, digest=claim.record, signed=claim.signed)
    for name in (PLAN, BASELINE):
        if name in sealed.small:
            payload = digest(read_unverified(sealed.small[name]))
            found[payload] = Exhibit(name=name, digest=sealed.files[name])
    estate = Exhibit(name=ESTATE, digest=sealed.files[ESTATE])
    return found | dict.fromkeys(verdicts.digests.estate.values(), estate)


def object_path(record: str) -> str:
    """Where a bundle keeps the bytes of a record."""
    return f"{OBJECTS}{record[:2]}/{record}"
