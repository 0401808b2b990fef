# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Building and sealing a bundle: the folder that outlives us.

It is built in a folder beside its place and renamed there when it is whole, so that a bundle
either is complete or is not there. No file under MANIFEST holds the digest of a MANIFEST, a seal
or a report: those come last, in this order: of each customer's extract CUSTOMER.json and
MANIFEST; RUN, which lists these; VERIFY.md and verify.sh, MANIFEST, seal.
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from wavegate.canonical import digest
from wavegate.errors import InputError, InternalError
from wavegate.evidence.customer_file import CUSTOMER, FOLDER, SALT_BYTES, CustomerFile
from wavegate.evidence.envelope import sign
from wavegate.evidence.instructions import (
    VERIFY_MD,
    VERIFY_SH,
    extract_instructions,
    extract_script,
    instructions,
    script,
)
from wavegate.evidence.manifest import MANIFEST, SEAL, SEAL_TOKENS, digests_of
from wavegate.evidence.manifest import write as write_manifest
from wavegate.evidence.predicates import SealPredicate
from wavegate.evidence.run_list import RUN, Random, tag, write_run
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import write
from wavegate.evidence.tree import open_tree
from wavegate.record.snapshot import Tool

VERDICTS = "verdicts.json"
NIGHT = "night.json"
REPORTS = (
    "report.html",
    "report.pdf",
    "report.de.html",
    "report.de.pdf",
    "report.en.html",
    "report.en.pdf",
    "summary.md",
    "junit.xml",
    NIGHT,
)
"""What a seal vouches for by name beside verdicts, where it is present: the reports, and what a
night says of the nights before it."""


@contextmanager
def building(final: Path) -> Iterator[Path]:
    """A new folder beside `final`, which takes that name when the block ends well.

    When it does not, the folder is removed. Raises InputError where something is there already,
    InternalError (read-only, disk full).
    """
    if final.exists() or final.is_symlink():
        raise InputError(
            "there is something already", where=str(final), cure="name a folder that is not there"
        )
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(8)}")
    with _disk_errors(final):
        temporary.mkdir(parents=True)
        try:
            yield temporary
            temporary.rename(final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        _sync(final.parent)


def seal_bundle(
    folder: Path,
    *,
    signer: Signer,
    run: str,
    wave: str | None,
    timestamps_required: bool,
    tool: Tool,
    suites: str,
    drill: str = "not drilled",
    agreed: Mapping[str, str] | None = None,
    random: Random = secrets.token_bytes,
) -> None:
    """Seal a folder that holds verdicts.json, reports, records and all else of a bundle.

    Each folder `customers/<name>/` is an extract, to which what vouches for it is added. agreed:
    the secret that was agreed with a customer, by name. suites: digest of the suites that judged.
    drill: its score. Durable on return.
    Raises InvalidError for a file that must not be in a bundle, InternalError (disk full).
    """
    with _disk_errors(folder):
        run_list, taken = _seal_extracts(folder, run, wave, agreed or {}, random)
        (folder / RUN).write_bytes(run_list)
        (folder / VERIFY_MD).write_bytes(instructions(run, wave).encode("utf-8"))
        (folder / VERIFY_SH).write_bytes(script().encode("ascii"))
        with open_tree(folder) as tree:
            files = digests_of(tree, taken)
        manifest = write_manifest(files)
        (folder / MANIFEST).write_bytes(manifest)
        predicate = SealPredicate(
            run=run,
            wave=wave,
            timestamps_required=timestamps_required,
            tool=tool,
            suites=suites,
            drill=drill,
            lines=run_list.count(b"\n"),
        )
        named = (VERDICTS, *(name for name in REPORTS if name in files))
        subjects = {MANIFEST: digest(manifest), RUN: digest(run_list)}
        subjects |= {name: files[name] for name in named}
        payload = write(subjects, predicate)
        (folder / SEAL).write_bytes(sign(payload, signer))
        _sync_all(folder)


def add_tokens(folder: Path, tokens: Sequence[bytes]) -> None:
    """Put trusted timestamps over the seal beside it, as they came. Durable on return."""
    with _disk_errors(folder):
        for name, token in zip(SEAL_TOKENS, tokens, strict=False):
            (folder / name).write_bytes(token)
            _sync(folder / name)
        _sync(folder)


def _seal_extracts(
    folder: Path, run: str, wave: str | None, agreed: Mapping[str, str], random: Random
) -> tuple[bytes, dict[str, str]]:
    """Finish each extract; the bytes of RUN, which lists their MANIFESTs, and all digests taken."""
    entries: dict[str, str] = {}
    taken: dict[str, str] = {}
    for extract in sorted((folder / FOLDER).iterdir()) if (folder / FOLDER).is_dir() else ():
        secret = agreed.get(extract.name)
        files = _seal_extract(extract, run, wave, random, agreed=secret is not None)
        entries[tag(run, secret or random(32).hex(), extract.name)] = files[MANIFEST]
        taken |= {f"{FOLDER}{extract.name}/{name}": found for name, found in files.items()}
    return write_run(entries, random), taken


def _seal_extract(
    extract: Path, run: str, wave: str | None, random: Random, *, agreed: bool
) -> dict[str, str]:
    """Write what an extract has last; the SHA-256 of each of its files, MANIFEST too."""
    customer = CustomerFile(
        customer=extract.name,
        run=run,
        records=sum(len(files) for _, _, files in os.walk(extract / "records/objects")),
        salt=random(SALT_BYTES).hex(),
        agreed=agreed,
    )
    (extract / CUSTOMER).write_bytes(customer.to_bytes())
    (extract / VERIFY_MD).write_bytes(extract_instructions(run, wave).encode("utf-8"))
    (extract / VERIFY_SH).write_bytes(extract_script().encode("ascii"))
    with open_tree(extract) as tree:
        files = digests_of(tree)
    manifest = write_manifest(files)
    (extract / MANIFEST).write_bytes(manifest)
    return {**files, MANIFEST: digest(manifest)}


def _sync_all(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in files:
            _sync(os.path.join(place, name))  # noqa: PTH118 - many thousand of them
        _sync(place)


def _sync(path: Path | str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InternalError(
            f"the bundle cannot be written: {error.strerror or error}",
            where=error.filename or str(place),
            cure="give a folder that can be written, on a disk with room (--out)",
        ) from error
