# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Everything that reads bytes from somebody else, with good bytes to begin from.

A target may refuse by the errors that it names, which are one sentence for a person, or by what it
returns; anything else is a finding. One that opens what is sealed fails by itself where it accepts
other bytes than the sealed ones. Of a look at a queue only the header is among them: its rows can
end the process that reads them, so a bundle's are read in one of their own (test_whole_records).
"""

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.builders import mailboxes
from tests.builders.queues import look, row
from tests.builders.snapshots import snapshot, zone
from tests.builders.timelines import every, timeline
from tests.evidence.small_bundle import AT, GOOD, KEY, START, make

from wavegate.answer import NoData
from wavegate.canonical import loads
from wavegate.errors import DamagedError, InputError, InvalidError, WavegateError
from wavegate.estate.load import loads as load_estate
from wavegate.evidence.customer_file import CustomerFile
from wavegate.evidence.envelope import open_envelope, read_unverified
from wavegate.evidence.manifest import parse as parse_manifest
from wavegate.evidence.predicates import PlanPredicate, RecordPredicate, SealPredicate
from wavegate.evidence.run_list import parse_run
from wavegate.evidence.statement import read as read_statement
from wavegate.evidence.timestamp import read_token
from wavegate.evidence.trust import Role, Trust, dump, everything
from wavegate.evidence.trust import load as load_trust
from wavegate.evidence.verdicts import parse as parse_verdicts
from wavegate.evidence.verify import verify_bundle
from wavegate.mailauth import dkim, dmarc_record, spf_record
from wavegate.mailauth.dkim_key import effective_key
from wavegate.observe import dns_wire
from wavegate.observe.dns_names import absolute
from wavegate.observe.mailbox_files import split_mbox
from wavegate.observe.mailbox_item import MailboxError
from wavegate.observe.mailbox_message import Reader
from wavegate.observe.report_files import unpack
from wavegate.record import safe_xml, soap
from wavegate.record.campaign_view import read_redir
from wavegate.record.certificate import read_certificate
from wavegate.record.dns_view import decode
from wavegate.record.host_view import policy_lines
from wavegate.record.journal import read_journal
from wavegate.record.mail_sources import MailSourcesRecord
from wavegate.record.mails import MailsRecord
from wavegate.record.observation import Seen
from wavegate.record.outline import LISTS, outline
from wavegate.record.queue_file import to_bytes as queue_to_bytes
from wavegate.record.queue_header import header_of
from wavegate.record.snapshot import Snapshot
from wavegate.record.timeline import Timeline

ROOT = Path(__file__).parents[2]
TRUST = Trust(keys=(everything(KEY.public),))
Run = Callable[[bytes], object]
NOTHING: tuple[type[Exception], ...] = ()


@dataclass(frozen=True)
class Target:
    """A reader. seeds: good bytes. refuses: the errors by which it says that bytes are not good."""

    name: str
    seeds: Callable[[], tuple[bytes, ...]]
    run: Run
    refuses: tuple[type[Exception], ...] = NOTHING

    def check(self, data: bytes) -> bool:
        """Whether the bytes were read; False where they were refused. Raises what is a finding."""
        try:
            self.run(data)
        except self.refuses as error:
            if isinstance(error, WavegateError) and not error.message:
                raise AssertionError("an error without a sentence") from error
            return False
        return True


@cache
def _work() -> Path:
    """A folder that goes with the process."""
    holder = tempfile.TemporaryDirectory(prefix="wavegate-fuzz-")
    _HELD.append(holder)
    return Path(holder.name)


_HELD: list[tempfile.TemporaryDirectory[str]] = []


@cache
def bundle() -> Path:
    """A good bundle."""
    return make(_work() / "bundle", GOOD)


def _files(*patterns: str) -> Callable[[], tuple[bytes, ...]]:
    """The files of the good bundle by pattern."""
    return lambda: tuple(
        path.read_bytes() for pattern in patterns for path in sorted(bundle().glob(pattern))
    )


def _kept(*names: str) -> Callable[[], tuple[bytes, ...]]:
    return lambda: tuple((ROOT / "fixtures" / name).read_bytes() for name in names)


def _payloads() -> tuple[bytes, ...]:
    return tuple(
        read_unverified(data) for data in _files("*.dsse.json", "records/**/*.dsse.json")()
    )


def _open(data: bytes) -> None:
    """Whatever opens has the payload that was signed: there is none in its place."""
    opened = open_envelope(data, TRUST, Role.SEAL)
    if opened.payload not in _payloads():
        raise AssertionError("a payload that nobody signed")


def _statement(data: bytes) -> None:
    for kind in (RecordPredicate, PlanPredicate, SealPredicate):
        try:
            read_statement(data, kind)
        except InvalidError:
            continue


def _trust(data: bytes) -> None:
    path = _work() / "trust.json"
    path.write_bytes(data)
    load_trust(path)


def _tokens() -> tuple[bytes, ...]:
    return _kept("bundles/v2/bundle/seal.tsr")()


@cache
def _stamped() -> bytes:
    """What the token is over."""
    return read_unverified(_kept("bundles/v2/bundle/seal.dsse.json")()[0])


def _token(data: bytes) -> None:
    read_token(data, _stamped())


def _estates() -> tuple[bytes, ...]:
    short = b"version: 1\ncustomers: [{name: acme}]\nwaves: []\ninstances: []\n"
    return (short, *_kept("estates/full.yaml")(), *_files("estate.json")())


def _soaps() -> tuple[bytes, ...]:
    names = sorted(path.name for path in (ROOT / "fixtures/wire").glob("campaign-*"))
    return _kept(*(f"wire/{name}" for name in names))()


def _certificates() -> tuple[bytes, ...]:
    (pem,) = _kept("bundles/v2/tsa-root.pem")()
    return (x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER),)


def _records() -> tuple[bytes, ...]:
    sources = MailSourcesRecord(instance="i", customer="c", wave="w", looks=(), reports=())
    made = (timeline(every(step=timedelta(minutes=9))).to_bytes(), sources.to_bytes())
    taken = snapshot("before", zone(START)).to_bytes()
    return (*_files("records/objects/*/*")(), taken, *made)


def _record(read: Callable[..., object]) -> Run:
    return lambda data: read(data, digest="0" * 64)


def _outlines(data: bytes) -> None:
    for schema in LISTS:
        try:
            outline(data, schema, where="x")
        except DamagedError:
            continue


def _journals() -> tuple[bytes, ...]:
    beats = [{"n": number, "prev": "0" * 64, "kind": "heartbeat"} for number in range(1, 5)]
    header = {"n": 0, "prev": None, "schema": "wavegate/mail/v1"}
    return (b"".join(json.dumps(line).encode() + b"\n" for line in (header, *beats)),)


def _journal(data: bytes) -> None:
    told: list[object] = []
    read = read_journal(
        io.BytesIO(data), journal="j", schema="wavegate/mail/v1", note=told.append, max_line=9_000
    )
    for line in read:
        assert isinstance(line.fields, dict)


def _reports() -> tuple[bytes, ...]:
    xml = mailboxes.report([mailboxes.row("192.0.2.10", 12), mailboxes.row("2001:db8::1", 3)])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", xml)
        archive.writestr("b.xml", xml)
    return xml, gzip.compress(xml), packed.getvalue()


def _report(data: bytes) -> None:
    for xml in unpack(data):
        for element in safe_xml.parse(xml).iter():
            safe_xml.children(element)


def _soap(data: bytes) -> None:
    soap.read(data)
    read_redir(data)


def _messages() -> tuple[bytes, ...]:
    one = mailboxes.message()
    signed = (
        b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=x; h=from; bh=AA==; b=AA==\r\n" + one
    )
    return one, signed


def _mboxes() -> tuple[bytes, ...]:
    one = mailboxes.message()
    begin = b"From a@b.example Mon Jan  1 00:00:00 2024\n"
    return (begin + one + b"\n" + begin + one,)


def _message(data: bytes) -> None:
    reader = Reader(kind="imap", receiver=mailboxes.RECEIVER, at=AT, tolerance=timedelta(minutes=5))
    reader.read(data)
    dkim.verify(data, lambda _name: effective_key(NoData()), AT)


def _answers() -> tuple[bytes, ...]:
    found = []
    for path in sorted((ROOT / "fixtures/wire").glob("*.hex")):
        lines = path.read_text().splitlines()
        text = "".join(x for x in lines if not x.startswith(("#", "asked", "expect")))
        found.append(bytes.fromhex(text))
    return tuple(found)


def _answer(data: bytes) -> None:
    for name, kind in (("news.acme.example.", "TXT"), ("t.news.acme.example.", "A")):
        question = dns_wire.Question(absolute(name), kind).wire
        if dns_wire.answers(data, question):
            for role in ("authoritative", "parent", "resolver"):
                decode(dns_wire.outcome(data, role), absolute(name), kind)
        decode(Seen(data), absolute(name), kind)


def _policies() -> tuple[bytes, ...]:
    return (
        b"v=spf1 a mx ip4:192.0.2.0/24 ip6:2001:db8::/32 include:x.example exists:%{i}.x -all",
        b"v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example!10m; adkim=s; pct=50",
        b"version: STSv1\nmode: enforce\nmx: *.a.example\nmax_age: 86400\n",
    )


def _policy(data: bytes) -> None:
    spf_record.parse(data)
    dmarc_record.choose((data,))
    policy_lines(data)


def _looks() -> tuple[bytes, ...]:
    return (queue_to_bytes(look([row(number) for number in range(20)])),)


@cache
def _paths() -> frozenset[Path]:
    return frozenset(path for path in bundle().rglob("*") if path.is_file())


def _folder(data: bytes) -> None:
    """The bundle with other bytes in one file: they are refused."""
    name, _, content = data.partition(b"\0")
    path = bundle() / name.decode("ascii", "replace")
    if path not in _paths():
        return
    known = path.read_bytes()
    path.chmod(0o644)
    try:
        path.write_bytes(content)
        if verify_bundle(bundle(), TRUST).ok and content != known:
            raise AssertionError(f"{name!r} was changed, and the bundle is valid")
    finally:
        path.write_bytes(known)


def _folders() -> tuple[bytes, ...]:
    return tuple(
        path.relative_to(bundle()).as_posix().encode() + b"\0" + path.read_bytes()
        for path in sorted(_paths())
    )


TARGETS = (
    Target("strict JSON", _files("verdicts.json", "estate.json"), loads, (DamagedError,)),
    Target("envelope", _files("*.dsse.json", "records/signed/*/*/*"), _open, (InvalidError,)),
    Target("statement", _payloads, _statement),
    Target("bundle folder", _folders, _folder, (InvalidError,)),
    Target("MANIFEST", _files("MANIFEST"), parse_manifest, (InvalidError,)),
    Target("RUN", _files("RUN"), parse_run, (InvalidError,)),
    Target("verdicts", _files("verdicts.json"), parse_verdicts, (DamagedError,)),
    Target(
        "CUSTOMER.json",
        _files("customers/*/CUSTOMER.json"),
        CustomerFile.from_bytes,
        (InvalidError, DamagedError),
    ),
    Target("trust file", lambda: (dump(TRUST),), _trust, (InputError,)),
    Target("timestamp", _tokens, _token, (InvalidError,)),
    Target("estate", _estates, lambda data: load_estate(data, "e.yaml"), (InputError,)),
    Target("snapshot", _records, _record(Snapshot.from_bytes), (DamagedError,)),
    Target("mails", _records, _record(MailsRecord.from_bytes), (DamagedError,)),
    Target("mail sources", _records, _record(MailSourcesRecord.from_bytes), (DamagedError,)),
    Target("timeline", _records, _record(Timeline.from_bytes), (DamagedError,)),
    Target("outer fields", _records, _outlines),
    Target("queue look, its header", _looks, _record(header_of), (DamagedError,)),
    Target("journal", _journals, _journal),
    Target("SOAP and redir", _soaps, _soap),
    Target("DMARC report, gzip, zip", _reports, _report, (ValueError,)),
    Target("mail", _messages, _message),
    Target("mbox", _mboxes, lambda data: list(split_mbox(io.BytesIO(data), "m")), (MailboxError,)),
    Target("DNS message", _answers, _answer),
    Target("SPF, DMARC, MTA-STS", _policies, _policy),
    Target("certificate", _certificates, read_certificate, (ValueError,)),
)
