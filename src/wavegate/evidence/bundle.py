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
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from wavegate.evidence.manifest import MANIFEST, OUTSIDE, SEAL, SEAL_TOKENS, digests_of
from wavegate.evidence.manifest import write as write_manifest
from wavegate.evidence.predicates import SealPredicate
from wavegate.evidence.run_list import RUN, Random, tag, write_run
from wavegate.evidence.signer import Signer
from wavegate.evidence.statement import write
from wavegate.evidence.tree import Tree, open_tree
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

_LAST = OUTSIDE | {CUSTOMER, VERIFY_MD, VERIFY_SH}
"""What an extract gets when it is sealed."""


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
        with open_tree(folder) as tree:
            entries, files = _seal_extracts(tree, run, wave, agreed or {}, random)
            files |= digests_of(tree, files)
        run_list = write_run(entries, random)
        files |= {
            VERIFY_MD: _put(folder / VERIFY_MD, instructions(run, wave)),
            VERIFY_SH: _put(folder / VERIFY_SH, script()),
        }
        named = (VERDICTS, *(name for name in REPORTS if name in files))
        subjects = {name: files[name] for name in named}
        subjects[RUN] = _put(folder / RUN, run_list)
        subjects[MANIFEST] = _put(folder / MANIFEST, write_manifest(files))
        predicate = SealPredicate(
            run=run,
            wave=wave,
            timestamps_required=timestamps_required,
            tool=tool,
            suites=suites,
            drill=drill,
            lines=run_list.count(b"\n"),
        )
        (folder / SEAL).write_bytes(sign(write(subjects, predicate), signer))
        _sync_all(folder, (*files, MANIFEST, RUN, SEAL))


def add_tokens(folder: Path, tokens: Sequence[bytes]) -> None:
    """Put trusted timestamps over the seal beside it, as they came. Durable on return."""
    with _disk_errors(folder):
        for name, token in zip(SEAL_TOKENS, tokens, strict=False):
            (folder / name).write_bytes(token)
            _sync(folder / name)
        _sync(folder)


def _seal_extracts(
    tree: Tree, run: str, wave: str | None, agreed: Mapping[str, str], random: Random
) -> tuple[dict[str, str], dict[str, str]]:
    """Finish each extract: the entries of RUN, and the digests of all files of extracts."""
    entries: dict[str, str] = {}
    files: dict[str, str] = {}
    inside: dict[str, list[str]] = {}
    for name in tree.names:
        if name.startswith(FOLDER):
            inside.setdefault(name.split("/")[1], []).append(name)
    for customer, names in inside.items():
        secret = agreed.get(customer)
        told = CustomerFile(
            customer=customer,
            run=run,
            records=sum(name.split("/")[2:4] == ["records", "objects"] for name in names),
            salt=random(SALT_BYTES).hex(),
            agreed=secret is not None,
        )
        own = _seal_extract(tree, names, told, wave)
        entries[tag(run, secret or random(32).hex(), customer)] = own[MANIFEST]
        files |= {f"{FOLDER}{customer}/{name}": found for name, found in own.items()}
    return entries, files


def _seal_extract(
    tree: Tree, names: Sequence[str], told: CustomerFile, wave: str | None
) -> dict[str, str]:
    """Write what an extract has last; the SHA-256 of each of its files, MANIFEST too."""
    place = f"{FOLDER}{told.customer}/"
    listed = [name for name in names if name.removeprefix(place) not in _LAST]
    files = {name.removeprefix(place): digest(tree.read(name)) for name in listed}
    extract = tree.root / place
    files |= {
        CUSTOMER: _put(extract / CUSTOMER, told.to_bytes()),
        VERIFY_MD: _put(extract / VERIFY_MD, extract_instructions(told.run, wave)),
        VERIFY_SH: _put(extract / VERIFY_SH, extract_script()),
    }
    return {**files, MANIFEST: _put(extract / MANIFEST, write_manifest(files))}


def _put(path: Path, content: bytes | str) -> str:
    """Write a file; the SHA-256 of its bytes."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.write_bytes(data)
    return digest(data)


def _sync_all(folder: Path, names: Iterable[str]) -> None:
    """Make files and their folders durable; what a store wrote below `records/` is so already."""
    folders: set[str] = set()
    for name in names:
        if name.startswith("records/"):
            continue
        _sync(f"{folder}/{name}")
        parent = name.rpartition("/")[0]
        while parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    for parent in folders:
        _sync(f"{folder}/{parent}")


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
