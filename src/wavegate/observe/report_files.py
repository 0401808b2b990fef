# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""DMARC aggregate reports in files: XML, gzip and zip, unpacked within bounds, read by parsedmarc.

A report comes by mail from anyone. So it is unpacked to a bounded size, refused if it declares a
document type (entities live there) or is not well formed, and only then given to parsedmarc, which
is kept offline. Instants are read here: parsedmarc gives them in the machine's zone.
"""

import importlib
import io
import ipaddress
import logging
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wavegate.canonical import MAX_INT, digest
from wavegate.observe.mailbox_files import file_items
from wavegate.observe.mailbox_item import MailboxError, RawMessage, Unread, printable
from wavegate.record import safe_xml
from wavegate.record.dmarc_report import DmarcReport, ReportRow, Signature
from wavegate.record.trace import FIRST_YEAR, LAST_YEAR

ENDINGS = (".xml", ".gz", ".zip")
MAX_FILE = 10 * 1024 * 1024
MAX_XML = 8 * 1024 * 1024
MAX_ROWS = 20_000
MAX_MEMBERS = 20
"""Reports in one zip; RFC 9990 knows one."""
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BAD_ZIP = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, OSError),
    LookupError,  # of a member without a name
)
_PASS = "pass"  # noqa: S105 - a result of SPF and DKIM
_WORD = 64


def reports_in(path: Path) -> Iterator[DmarcReport | Unread]:
    """The reports of a file, or of a folder's files, by name.

    Raises MailboxError where there is no such place, or parsedmarc is not installed.
    """
    parser = _parsedmarc(path)
    for item in file_items(path, ENDINGS, MAX_FILE):
        if isinstance(item, Unread):
            yield item
            continue
        yield from _reports(parser, item)


def _reports(parser: Any, item: RawMessage) -> Iterator[DmarcReport | Unread]:
    try:
        for xml in unpack(item.data):
            yield _report(parser, xml, item.where)
    except ValueError as error:
        yield Unread(where=item.where, reason=printable(str(error)))


def unpack(data: bytes) -> Iterator[bytes]:
    """The XML documents in a file: itself, of a gzip, or the members of a zip.

    Raises ValueError: too large when unpacked, encrypted, cut short, packed in another way.
    """
    if data.startswith(_GZIP):
        yield _gunzip(data)
    elif data.startswith(_ZIP):
        yield from _unzip(data)
    elif len(data) > MAX_XML:
        raise ValueError(f"more than {MAX_XML} bytes")
    else:
        yield data


def _gunzip(data: bytes) -> bytes:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = unpacking.decompress(data, MAX_XML + 1)
    except zlib.error as error:
        raise ValueError(f"not gzip: {error}") from error
    if len(found) > MAX_XML:
        raise ValueError(f"unpacked it has more than {MAX_XML} bytes")
    if not unpacking.eof:
        raise ValueError("the gzip is cut short")
    return found


def _unzip(data: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise ValueError(f"more than {MAX_MEMBERS} files in one zip")
            for member in members:
                yield _member(archive, member)
    except _BAD_ZIP as error:
        raise ValueError(f"not a zip that can be read: {error}") from error
    except EOFError as error:
        raise ValueError("the zip is cut short") from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One file of a zip; the size that the zip tells is not believed."""
    if member.compress_type not in _PLAIN:  # others unpack without a bound
        raise ValueError("packed in another way than deflate")
    with archive.open(member) as stream:
        found = stream.read(MAX_XML + 1)
    if len(found) > MAX_XML:
        raise ValueError(f"unpacked it has more than {MAX_XML} bytes")
    return found


def _report(parser: Any, xml: bytes, place: str) -> DmarcReport:
    """One report. Raises ValueError for anything that is none."""
    root = safe_xml.parse(xml, largest=MAX_XML)
    records = sum(1 for child in safe_xml.children(root) if safe_xml.local_name(child) == "record")
    if records > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS} rows")
    try:
        found = parser.parse_aggregate_report_xml(xml, config=_offline(parser))
    except parser.InvalidAggregateReport as error:
        raise ValueError(f"no aggregate report: {error}") from error
    rows = [row for record in found["records"] if (row := _row(record))]
    return DmarcReport(
        org=_text(found["report_metadata"]["org_name"]),
        report=_text(found["report_metadata"]["report_id"]),
        domain=_name(found["policy_published"]["domain"]),
        begin=_instant(root, "begin"),
        end=_instant(root, "end"),
        rows=tuple(rows),
        unread=records - len(rows),
        xml=xml,
        digest=digest(xml),
        place=place,
    )


def _row(record: Mapping[str, Any]) -> ReportRow | None:
    """One row; None where it names no address or a count that is none."""
    try:
        address = ipaddress.ip_address(record["source"]["ip_address"])
        count, spf = int(record["count"]), record["auth_results"]["spf"]
        if not 0 < count <= MAX_INT:
            return None
        last = spf[-1] if spf else {}
        return ReportRow(
            ip=str(getattr(address, "ipv4_mapped", None) or address),
            count=count,
            author=_name(record["identifiers"]["header_from"]),
            disposition=_text(record["policy_evaluated"]["disposition"]),
            dkim=record["policy_evaluated"]["dkim"] == _PASS,
            spf=record["policy_evaluated"]["spf"] == _PASS,
            signatures=tuple(_signature(one) for one in record["auth_results"]["dkim"]),
            spf_domain=_name(last.get("domain")),
            spf_result=_text(last.get("result")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


def _signature(found: Mapping[str, Any]) -> Signature:
    selector = _text(found.get("selector")).lower()
    return Signature(
        domain=_name(found.get("domain")),
        selector="" if selector == "none" else selector,
        result=_text(found.get("result")),
    )


def _instant(root: Any, name: str) -> datetime:
    """An instant of the report's date range: seconds since 1970, UTC."""
    element = safe_xml.find(root, name)
    text = (element.text or "").strip().partition(".")[0] if element is not None else ""
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise ValueError(f"no instant under {name}")
    try:
        found = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"no instant under {name}") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"no instant under {name}")
    return found


def _text(value: object) -> str:
    return printable(value if isinstance(value, str) else "", _WORD)


def _name(value: object) -> str:
    return printable(value if isinstance(value, str) else "", 255).lower().rstrip(".")


def _offline(parser: Any) -> Any:
    """Neither DNS nor downloads, and counts that are not split over days."""
    return parser.ParserConfig(
        offline=True, always_use_local_files=True, normalize_timespan_threshold_hours=1e6
    )


def _parsedmarc(path: Path) -> Any:
    try:
        parser = importlib.import_module("parsedmarc")
    except ImportError as error:
        raise MailboxError(
            "the package parsedmarc, which reads aggregate reports, is not installed",
            where=str(path),
            cure="pip install 'wavegate[dmarc]'",
        ) from error
    logging.getLogger("parsedmarc").setLevel(logging.CRITICAL)  # it tells what we tell ourselves
    return parser
