# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a seal vouches for: opened, expected, and every file of the bundle matched against it."""

from collections.abc import Mapping
from dataclasses import dataclass

from wavegate.canonical import digest, dumps, loads
from wavegate.errors import DamagedError, InvalidError
from wavegate.evidence.bundle import REPORTS, VERDICTS
from wavegate.evidence.customer_file import CUSTOMER, FOLDER, CustomerFile
from wavegate.evidence.envelope import EnvelopeError, Opened, open_envelope, read_unverified
from wavegate.evidence.fields import Fields
from wavegate.evidence.left_out import left_out
from wavegate.evidence.manifest import MANIFEST, OUTSIDE, SEAL, SEAL_TOKENS, parse
from wavegate.evidence.predicates import SealPredicate
from wavegate.evidence.run_list import RUN, parse_run
from wavegate.evidence.statement import Statement, read
from wavegate.evidence.tree import Tree
from wavegate.evidence.trust import Role, Trust

OBJECTS = "records/objects/"
_AGAIN = "get the bundle again from whoever sealed it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Opens envelopes by the trust in hand; without any, says what they claim and no more."""

    trust: Trust | None

    def open(self, data: bytes, role: Role, *, where: str, timed: bool = True) -> Opened:
        """The payload and who signed it; timed as for `open_envelope`, whose errors it raises."""
        if self.trust is None:
            return Opened(payload=read_unverified(data), keyids=())
        return open_envelope(data, self.trust, role, where=where, timed=timed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A bundle, or an extract, whose files are the sealed ones.

    files: digest by path. small: the bytes of all but the records' objects and, in a bundle, but
    what its extracts keep beside their own MANIFEST and verdicts. keyids: who sealed. run_list: of
    RUN, None in a bundle from before there was one. customer: of an extract, None for a bundle.
    manifest: SHA-256 of MANIFEST. payload: the bytes that were signed. tokens: timestamps over them
    by their names, not yet looked at.
    """

    statement: Statement[SealPredicate]
    keyids: tuple[str, ...]
    files: Mapping[str, str]
    small: Mapping[str, bytes]
    manifest: str
    payload: bytes
    tokens: Mapping[str, bytes]
    run_list: Mapping[str, str] | None = None
    customer: CustomerFile | None = None

    def __getitem__(self, name: str) -> bytes:
        """The bytes of a file that must be there. Raises InvalidError."""
        if name not in self.small:
            raise InvalidError("the file is missing", where=name, cure=_AGAIN)
        return self.small[name]

    def objects(self) -> tuple[str, ...]:
        """The names of the records' objects."""
        return tuple(name for name in self.files if name.startswith(OBJECTS))

    def under(self, prefix: str) -> tuple[str, ...]:
        """The names of small files under a folder prefix."""
        return tuple(name for name in self.small if name.startswith(prefix))


def open_sealed(
    tree: Tree, opener: Opener, *, expect_run: str | None, expect_wave: str | None
) -> Sealed:
    """Check seal, MANIFEST and every small file; each is read once. Raises InvalidError."""
    if SEAL not in tree.names:
        raise _no_seal(tree)
    envelope = tree.read(SEAL)
    _check_canonical(envelope)
    opened = opener.open(envelope, Role.SEAL, where=SEAL, timed=False)
    statement = read(opened.payload, SealPredicate, where=SEAL)
    _check_payload(opened.payload)
    _check_expected("run", statement.predicate.run, expect_run)
    _check_expected("wave", statement.predicate.wave, expect_wave)
    extract = CUSTOMER in tree.names
    run_list = _read_run(tree, statement)
    _check_subjects(statement.subjects, tree.names, extract=extract)
    manifest = tree.read(MANIFEST)
    _check_manifest(tree, manifest, statement, run_list, extract=extract)
    files = parse(manifest)
    _check_complete(files, tree.names)
    small = _read_small(tree, files)
    for name in set() if extract else set(statement.subjects) - {MANIFEST, RUN}:
        _match(name, small[name], statement.subjects[name])
    return Sealed(
        statement=statement,
        keyids=opened.keyids,
        files=files,
        small=small,
        manifest=digest(manifest),
        payload=opened.payload,
        tokens={name: tree.read(name) for name in SEAL_TOKENS if name in tree.names},
        run_list=run_list,
        customer=_customer(small, files, statement.predicate.run) if extract else None,
    )


def _no_seal(tree: Tree) -> InvalidError:
    """Why there is no seal, as far as the names that are there tell it."""
    tops = {name.partition("/")[0] for name in tree.names}
    text, cure = "there is no seal", "give the folder of a bundle"
    if len(tops) == 1 and f"{min(tops)}/{SEAL}" in tree.names:
        text, cure = f"{text}; it lies one folder deeper", f"give {tree.root / min(tops)}"
    elif CUSTOMER in tree.names:
        text = f"{text}: this is an extract as it lies in a bundle"
        cure = "hand it out with its seal: wavegate report BUNDLE --customer NAME --out EXTRACT"
    elif "FORMAT" in tree.names:
        text, cure = f"{text}: this is a store", "give a folder that `wavegate gate` made of it"
    return InvalidError(text, where=SEAL, cure=cure)


def _read_run(tree: Tree, statement: Statement[SealPredicate]) -> Mapping[str, str] | None:
    """RUN, as the seal vouches for it; None where neither knows of one."""
    told, lines = statement.subjects.get(RUN), statement.predicate.lines
    if (told is None) != (lines is None):
        raise InvalidError("the seal counts the lines of a RUN that it has not", where=SEAL)
    if told is None:
        return None
    if RUN not in tree.names:
        raise InvalidError("the file is missing", where=RUN, cure=_AGAIN)
    data = tree.read(RUN)
    _match(RUN, data, told)
    found = parse_run(data)
    if len(found) != lines:
        raise InvalidError(f"{len(found)} lines where the seal says {lines}", where=RUN)
    return found


def _check_manifest(
    tree: Tree,
    manifest: bytes,
    statement: Statement[SealPredicate],
    run_list: Mapping[str, str] | None,
    *,
    extract: bool,
) -> None:
    """MANIFEST is the seal's own; of an extract, it stands in exactly one line of RUN."""
    listed = list((run_list or {}).values()).count(digest(manifest))
    if not extract:
        if listed:
            text = f"an extract without {CUSTOMER}: it was taken out of it"
            raise InvalidError(text, where=MANIFEST, cure=_AGAIN)
        _match(MANIFEST, manifest, statement.subjects[MANIFEST])
    elif listed != 1:
        text = f"it stands in {listed} lines of RUN: this is no extract of that run, unchanged"
        if gone := left_out(tree):
            text = f"{text}; planned, and not in it: {', '.join(gone)}"
        raise InvalidError(text, where=MANIFEST, cure=_AGAIN)


def _customer(small: Mapping[str, bytes], files: Mapping[str, str], run: str) -> CustomerFile:
    if CUSTOMER not in small:
        raise InvalidError("it is not listed in MANIFEST", where=CUSTOMER, cure=_AGAIN)
    found = CustomerFile.from_bytes(small[CUSTOMER])
    records = sum(name.startswith(OBJECTS) for name in files)
    if (found.run, found.records) != (run, records):
        text = f"{found.records} records of run {found.run!r}; here are {records} of {run!r}"
        raise InvalidError(text, where=CUSTOMER, cure=_AGAIN)
    return found


def read_object(tree: Tree, sealed: Sealed, name: str) -> bytes:
    """The bytes of one object, matched against MANIFEST. Raises InvalidError."""
    data = tree.read(name)
    _match(name, data, sealed.files[name])
    return data


def _check_canonical(envelope: bytes) -> None:
    """One canonical form with one signature, so that stock tools read what we read."""
    try:
        found = loads(envelope)
        canonical = dumps(found) == envelope
        signatures = Fields(found, "payload", "payloadType", "signatures").items("signatures")
    except (DamagedError, ValueError) as error:
        text = error.message if isinstance(error, DamagedError) else str(error)
        raise EnvelopeError(f"not a signed envelope: {text}", where=SEAL, cure=_AGAIN) from error
    if not canonical:
        raise EnvelopeError("not in canonical form, as we write it", where=SEAL, cure=_AGAIN)
    if len(signatures) != 1:
        text = f"{len(signatures)} signatures where a seal has one"
        raise EnvelopeError(text, where=SEAL, cure=_AGAIN)


def _check_payload(payload: bytes) -> None:
    if dumps(loads(payload)) != payload:
        raise InvalidError("the statement is not in canonical form", where=SEAL, cure=_AGAIN)


def _check_expected(what: str, found: str | None, expected: str | None) -> None:
    if expected is not None and found != expected:
        raise InvalidError(
            f"the bundle is of {what} {found!r}, expected {expected!r}",
            where=SEAL,
            cure=f"give the bundle of that {what}, or another --expect-{what}",
        )


def _check_subjects(subjects: Mapping[str, str], names: tuple[str, ...], *, extract: bool) -> None:
    """The seal is over all reports; of an extract, only its RUN is looked for here."""
    if extract and RUN not in subjects:
        raise InvalidError("it seals no RUN: no extract can belong to it", where=SEAL, cure=_AGAIN)
    present = {name for name in (*REPORTS, RUN) if name in names}
    wanted = {MANIFEST, VERDICTS, *present}
    absent, foreign = sorted(wanted - set(subjects)), sorted(set(subjects) - wanted)
    if absent and not extract:
        raise InvalidError(f"the seal does not vouch for {absent[0]}", where=SEAL, cure=_AGAIN)
    if foreign and not extract:
        raise InvalidError(f"sealed, but not here: {foreign[0]}", where=SEAL, cure=_AGAIN)
    if not {MANIFEST, VERDICTS} <= set(names):
        raise InvalidError("MANIFEST or verdicts.json is missing", where=SEAL, cure=_AGAIN)


def _check_complete(files: Mapping[str, str], names: tuple[str, ...]) -> None:
    missing = sorted(set(files) - set(names))
    extra = sorted(set(names) - set(files) - OUTSIDE)
    for kind, found in (("missing", missing), ("not listed in MANIFEST", extra)):
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise InvalidError(f"{kind}: {found[0]}{more}", where=MANIFEST, cure=_AGAIN)


def _read_small(tree: Tree, files: Mapping[str, str]) -> dict[str, bytes]:
    small: dict[str, bytes] = {}
    for name, expected in files.items():
        if not name.startswith(OBJECTS):
            data = tree.read(name)
            _match(name, data, expected)
            if _kept(name):
                small[name] = data
    return small


def _kept(name: str) -> bool:
    """Whether its bytes are needed: of a bundle's extracts only what is compared."""
    inner = name.removeprefix(FOLDER).partition("/")[2]
    return not name.startswith(FOLDER) or inner in {MANIFEST, CUSTOMER, VERDICTS}


def _match(name: str, data: bytes, expected: str) -> None:
    if digest(data) == expected:
        return
    if digest(data.replace(b"\r\n", b"\n")) == expected:
        text = "its line endings were changed: CRLF where LF belongs"
    else:
        text = "it was changed after the bundle was sealed"
    raise InvalidError(text, where=name, cure=_AGAIN)
