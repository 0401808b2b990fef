# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Further tamperings: of the seal's form, of RUN, of waivers, and by somebody with another key."""

import base64
import contextlib
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from tests.evidence.attacks import (
    ATTACKS,
    SEAL,
    VERDICTS,
    WAIVER,
    Attack,
    Json,
    _set_predicate,
    _set_subject,
    _signed,
    _waive,
    manifest,
    raw,
    resigned,
    seal,
    signature,
    statement,
    verdicts,
)
from tests.evidence.small_bundle import (
    AT,
    GOOD,
    NAMES,
    OTHER_KEY,
    WAVE,
    Edit,
    edit_json,
    make,
    plan,
)

from wavegate.canonical import digest
from wavegate.clock import format_instant
from wavegate.evidence.envelope import sign
from wavegate.evidence.statement import grid_subject, write

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def twin(signed: str) -> str:
    """The other signature (r, n-s) that verifies alike, in base64."""
    r, s = decode_dss_signature(base64.b64decode(signed))
    return base64.b64encode(encode_dss_signature(r, P256_ORDER - s)).decode()


def _add_twin(envelope: Json) -> None:
    entries = envelope["signatures"]
    assert isinstance(entries, list)
    entries.append({**entries[0], "sig": twin(entries[0]["sig"])})


def _seal_of_another_run(folder: Path) -> None:
    """The seal of another honest bundle by the same signer, laid over this one."""
    other = make(folder.parent / "other", replace(GOOD, bad=((NAMES[0], "spf"),)))
    (folder / SEAL).write_bytes((other / SEAL).read_bytes())


def _payload(old: bytes, new: bytes) -> Edit:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return resigned(change)


def run_list(change: Callable[[bytes], bytes], lines: int | None = None) -> Edit:
    """Change RUN by a liar who holds the key of the seal. lines: how many the seal tells."""

    def edit(folder: Path) -> None:
        changed = change((folder / "RUN").read_bytes())
        (folder / "RUN").write_bytes(changed)

        def seal_it(found: Json) -> None:
            _set_subject(found, "RUN", digest(changed))
            _set_predicate(found, lines=changed.count(b"\n") if lines is None else lines)

        statement(seal_it)(folder)

    return edit


def _unsorted(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join([lines[1], lines[0], *lines[2:]])


def _doubled(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join([lines[0], *lines[:-1]])


def _no_run(folder: Path) -> None:
    """RUN, its subject and its count never were."""
    (folder / "RUN").unlink()

    def forget(found: Json) -> None:
        subjects, predicate = found["subject"], found["predicate"]
        assert isinstance(subjects, list)
        assert isinstance(predicate, dict)
        found["subject"] = [one for one in subjects if one["name"] != "RUN"]

    statement(forget)(folder)


def _swap_phases(folder: Path) -> None:
    first, second = (_signed(folder, NAMES[0], number) for number in (1, 2))
    kept = first.read_bytes()
    for path, data in ((first, second.read_bytes()), (second, kept)):
        path.chmod(0o644)
        path.write_bytes(data)


def _foreign_plan(folder: Path) -> None:
    envelope = sign(write(grid_subject(plan()), plan()), OTHER_KEY)
    (folder / "plan.dsse.json").write_bytes(envelope)
    kept = folder / f"records/plans/{WAVE}/000001.dsse.json"
    kept.chmod(0o644)
    kept.write_bytes(envelope)


def _estate_waives(**other: object) -> Edit:
    """The estate has a waiver, and the verdicts apply another one."""

    def edit(folder: Path) -> None:
        found = {
            "promise": "spf",
            "instance": NAMES[0],
            "reason": "never mind",
            "approved_by": "nobody",
            "until": WAIVER["until"],
            **other,
        }
        edit_json(folder / "estate.json", lambda estate: estate.update(waivers=[found]))
        verdicts(_waive)(folder)

    return edit


def _subject(change: Callable[[dict[str, object]], object]) -> Edit:
    def edit(found: Json) -> None:
        subjects = found["subject"]
        assert isinstance(subjects, list)
        change(subjects[0])

    return statement(edit)


def _socket(folder: Path) -> None:
    """A socket, bound by its short name because a path may be too long for one."""
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as sock, contextlib.ExitStack() as back:
        back.callback(os.chdir, here)
        os.chdir(folder)
        sock.bind("sock")


def _digest(subject: dict[str, object]) -> dict[str, object]:
    found = subject["digest"]
    assert isinstance(found, dict)
    return found


def _add_subject(found: Json, name: str) -> None:
    subjects = found["subject"]
    assert isinstance(subjects, list)
    subjects.append({"name": name, "digest": {"sha256": "0" * 64}})


def _expired_waiver(folder: Path) -> None:
    """Estate and verdicts agree on a waiver whose time is over."""
    over = format_instant(AT - timedelta(days=1))
    _estate_waives(until=over)(folder)

    def end(found: Json) -> None:
        cells = found["cells"]
        assert isinstance(cells, list)
        cells[0]["waiver"] = {**WAIVER, "until": over}

    verdicts(end)(folder)


FAILED_SPF = replace(GOOD, bad=((NAMES[0], "spf"),))

FORM = (
    Attack(
        name="2 an empty signature",
        says="is not that of key",
        stock=True,
        outside=signature(lambda s: s.update(sig="")),
    ),
    Attack(
        name="5 the twin (r, n-s) beside a signature",
        says="2 signatures",
        stock=True,
        outside=seal(_add_twin),
    ),
    Attack(
        name="7 algorithm chosen by the signature",
        says="unknown field 'alg'",
        stock=True,
        outside=signature(lambda s: s.update(alg="HS256")),
    ),
    Attack(
        name="10 an unknown field of the statement",
        says="unknown field 'more'",
        stock=True,
        outside=statement(lambda s: s.update(more=1)),
    ),
    Attack(
        name="10 an unknown field of a subject",
        says="unknown field 'uri'",
        stock=True,
        outside=_subject(lambda s: s.update(uri="https://evil.example/")),
    ),
    Attack(
        name="10 a second digest of a subject",
        says="unknown field 'md5'",
        stock=True,
        outside=_subject(lambda s: s.update(digest={"md5": "0" * 32, **_digest(s)})),
    ),
    Attack(
        name="10 a subject that is not here",
        says="sealed, but not here: evil.txt",
        stock=True,
        outside=statement(lambda s: _add_subject(s, "evil.txt")),
    ),
    Attack(
        name="10 a subject twice",
        says="stands twice",
        stock=True,
        outside=statement(lambda s: _add_subject(s, "MANIFEST")),
    ),
    Attack(
        name="12 a float in the seal",
        says="not an integer",
        stock=True,
        outside=_payload(b'"lines":64', b'"lines":64.0'),
    ),
    Attack(
        name="12 NaN in the seal",
        says="not an integer",
        stock=True,
        outside=_payload(b'"lines":64', b'"lines":NaN'),
    ),
    Attack(
        name="12 an integer beyond 2^53 in the seal",
        says="beyond 2\\*\\*53",
        stock=True,
        outside=_payload(b'"lines":64', b'"lines":9007199254740993'),
    ),
    Attack(
        name="13 nesting in the envelope",
        says="nested deeper",
        stock=True,
        outside=raw(
            SEAL, lambda data: data[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        ),
    ),
    Attack(
        name="13 nesting in the seal",
        says="nested deeper",
        stock=True,
        outside=_payload(b'"lines":64', b'"lines":' + b"[" * 100_000 + b"]" * 100_000),
    ),
    Attack(
        name="14 lone surrogate in the seal",
        says="surrogates",
        stock=True,
        outside=_payload(b'"not drilled"', b'"\\ud800"'),
    ),
    Attack(
        name="14 NUL in the name of the run",
        says="run",
        stock=True,
        outside=statement(lambda s: _set_predicate(s, run="a\0b")),
    ),
    Attack(
        name="15 line break in base64",
        says="base64",
        stock=True,
        outside=seal(lambda e: e.update(payload=f"{e['payload']}\n")),
    ),
    Attack(
        name="16 an empty part of a path",
        says="plain names",
        stock=True,
        outside=manifest(lambda data: b"00" * 32 + b"  a//b\n" + data),
    ),
    Attack(
        name="16 a drive",
        says="plain names",
        stock=True,
        outside=manifest(lambda data: b"00" * 32 + b"  C:evil\n" + data),
    ),
    Attack(name="17 socket", says="a link, device or pipe", stock=True, outside=_socket),
    Attack(
        name="19 names that are one after normalising",
        says="plain names",
        stock=True,
        outside=lambda folder: [
            (folder / name).write_bytes(b"x") for name in ("caf\u00e9.md", "cafe\u0301.md")
        ],
    ),
    Attack(
        name="22 MANIFEST lists itself",
        says="cannot be listed",
        stock=True,
        outside=manifest(lambda data: b"00" * 32 + b"  MANIFEST\n" + data),
    ),
    Attack(
        name="24 the seal of another run laid over it",
        says="changed after",
        stock=True,
        outside=_seal_of_another_run,
    ),
    Attack(
        name="41 summary swapped",
        says="changed after",
        stock=True,
        outside=raw("summary.md", lambda _: b"# GO\n"),
    ),
)

PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n"
PAPERS = (
    Attack(
        name="40 PDF updated after sealing",
        says="changed after",
        stock=True,
        inside=lambda folder: (folder / "report.pdf").write_bytes(PDF),
        outside=raw("report.pdf", lambda data: data + PDF),
    ),
    Attack(
        name="40 PDF replaced by one without a signature",
        says="changed after",
        stock=True,
        inside=lambda folder: (folder / "report.pdf").write_bytes(PDF + b"signed"),
        outside=raw("report.pdf", lambda _: PDF),
    ),
    Attack(
        name="40 a second PDF beside it",
        says="not listed",
        stock=True,
        inside=lambda folder: (folder / "report.pdf").write_bytes(PDF),
        outside=lambda folder: (folder / "report-final.pdf").write_bytes(PDF),
    ),
    Attack(
        name="40 a PDF in a bundle that has none",
        says="does not vouch for report.pdf",
        stock=True,
        outside=lambda folder: (folder / "report.pdf").write_bytes(PDF),
    ),
)

RUN_LIST = (
    Attack(
        name="31 RUN changed",
        says="changed after",
        stock=True,
        outside=raw(
            "RUN", lambda data: data.replace(data[:1], b"0" if data[:1] != b"0" else b"1", 1)
        ),
    ),
    Attack(
        name="31 RUN removed",
        says="RUN",
        stock=True,
        outside=lambda folder: (folder / "RUN").unlink(),
    ),
    Attack(
        name="31 RUN removed, and its subject",
        says="RUN|lines",
        stock=True,
        outside=_no_run,
    ),
    Attack(
        name="31 line added to RUN",
        says="multiple of 64",
        stock=True,
        outside=run_list(lambda data: data + b"f" * 64 + b" " + b"0" * 64 + b"\n"),
    ),
    Attack(
        name="31 line removed from RUN",
        says="multiple of 64",
        stock=True,
        outside=run_list(lambda data: data[data.index(b"\n") + 1 :]),
    ),
    Attack(
        name="31 line doubled in RUN",
        says="twice or out of order",
        stock=True,
        outside=run_list(_doubled),
    ),
    Attack(
        name="31 RUN out of order",
        says="twice or out of order",
        stock=True,
        outside=run_list(_unsorted),
    ),
    Attack(
        name="31 RUN of another length than sealed",
        says="lines",
        stock=True,
        outside=run_list(lambda data: data, lines=128),
    ),
    Attack(
        name="31 RUN cut",
        says="cut off",
        stock=True,
        outside=run_list(lambda data: data[:-1], lines=64),
    ),
    Attack(
        name="32 the root of a tree in the seal",
        says="unknown field 'root'",
        stock=True,
        outside=statement(lambda s: _set_predicate(s, root="0" * 64, size=3)),
    ),
    Attack(
        name="32 a path in a tree beside RUN",
        says="not listed in MANIFEST: PROOF",
        stock=True,
        outside=lambda folder: (folder / "PROOF").write_bytes(b"0" * 64 + b"\n"),
    ),
    Attack(
        name="32 a tree in place of RUN",
        says="not a list of extracts|RUN",
        stock=True,
        outside=run_list(lambda _: (b"0" * 64 + b"\n") * 64),
    ),
    Attack(
        name="27 line endings of RUN",
        says="line endings",
        stock=True,
        outside=run_list(lambda data: data.replace(b"\n", b"\r\n")),
    ),
)

MORE_LIES = (
    Attack(
        name="4 a plan signed by an unknown key",
        says="no trusted key",
        stock=False,
        inside=_foreign_plan,
    ),
    Attack(
        name="14 trailing data in verdicts",
        says="not strict JSON",
        stock=None,
        inside=raw(VERDICTS, lambda data: data + b"{}"),
    ),
    Attack(
        name="23 records swapped between phases",
        says="signed as snapshot",
        stock=False,
        inside=_swap_phases,
    ),
    Attack(
        name="35 waiver of another instance",
        says="is waived, which the estate does not say",
        stock=False,
        recipe=FAILED_SPF,
        inside=_estate_waives(instance=NAMES[1]),
    ),
    Attack(
        name="35 waiver of another promise",
        says="is waived, which the estate does not say",
        stock=False,
        recipe=FAILED_SPF,
        inside=_estate_waives(promise="dkim"),
    ),
    Attack(
        name="35 waiver longer than the estate says",
        says="is waived, which the estate does not say",
        stock=False,
        recipe=FAILED_SPF,
        inside=_estate_waives(until=format_instant(AT + timedelta(days=1))),
    ),
    Attack(
        name="35 expired waiver applied",
        says="is told to be open or waived and is not|is not what the cells force",
        stock=False,
        recipe=FAILED_SPF,
        inside=_expired_waiver,
    ),
)


EVERY = (*ATTACKS, *FORM, *PAPERS, *RUN_LIST, *MORE_LIES)
