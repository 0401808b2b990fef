# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""DMARC aggregate reports: read offline and whole; bombs, entities and nonsense refused."""

import gzip
import io
import socket
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.mailboxes import report, row

from wavegate.canonical import digest, dumps
from wavegate.observe.mailbox_item import MailboxError, Unread
from wavegate.observe.report_files import MAX_MEMBERS, MAX_XML, reports_in, unpack
from wavegate.record.dmarc_report import DmarcReport, ReportRow, Signature

ROWS = [row("192.0.2.10", 12), row("2001:DB8::10", 3, dkim="fail"), row("::ffff:192.0.2.11")]
XML = report(ROWS)


def zipped(*members: bytes, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with files of such content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for n, data in enumerate(members):
            archive.writestr(f"{n}.xml", data)
    return out.getvalue()


def nameless(data: bytes) -> bytes:
    """A zip whose one file has no name."""
    member, out = zipfile.ZipInfo("x"), io.BytesIO()
    member.filename = ""
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, data)
    return out.getvalue()


def found_in(folder: Path, name: str, data: bytes) -> list[DmarcReport | Unread]:
    """What is read from a file of that name."""
    (folder / name).write_bytes(data)
    return list(reports_in(folder / name))


def only(folder: Path, data: bytes) -> DmarcReport:
    """The one report of a file."""
    (found,) = found_in(folder, "report.xml", data)
    assert isinstance(found, DmarcReport)
    return found


def reason(folder: Path, data: bytes) -> str:
    """Why a file is left out."""
    (found,) = found_in(folder, "report.bin", data)
    assert isinstance(found, Unread)
    return found.reason


@pytest.mark.parametrize("packed", [XML, gzip.compress(XML), zipped(XML)])
def test_report_is_read_from_each_packing(tmp_path: Path, packed: bytes) -> None:
    """Plain, gzip and zip give the same report, which is known by its XML."""
    found = only(tmp_path, packed)
    assert ("google.com", "123", "news.acme.example") == (found.org, found.report, found.domain)
    assert (digest(XML), XML, 0) == (found.digest, found.xml, found.unread)
    assert [("192.0.2.10", 12), ("2001:db8::10", 3), ("192.0.2.11", 10)] == [
        (one.ip, one.count) for one in found.rows
    ]


def test_row_holds_what_spf_and_dkim_came_to(tmp_path: Path) -> None:
    """Each row tells who signed with which selector, and which domain SPF passed."""
    expected = ReportRow(
        ip="192.0.2.10",
        count=12,
        author="news.acme.example",
        disposition="none",
        dkim=True,
        spf=True,
        signatures=(Signature(domain="news.acme.example", selector="acc1", result="pass"),),
        spf_domain="news.acme.example",
        spf_result="pass",
    )
    assert expected == only(tmp_path, XML).rows[0]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_span_does_not_depend_on_the_zone_of_the_machine(
    tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report of a day is of the same day wherever it is read."""
    import time

    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        found = only(tmp_path, XML)
    time.tzset()
    assert datetime(2024, 1, 15, tzinfo=UTC) == found.begin
    assert datetime(2024, 1, 15, 23, 59, 59, tzinfo=UTC) == found.end


def test_long_report_is_not_split(tmp_path: Path) -> None:
    """Counts stay as they were reported, over however many days."""
    found = only(tmp_path, report(ROWS, begin=1705276800, end=1705276800 + 10 * 86400))
    assert [12, 3, 10] == [one.count for one in found.rows]


def test_reading_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither DNS nor any download: a report must not make this machine ask strangers."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert 3 == len(only(tmp_path, XML).rows)


ENTITY = b'<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
REFUSED = {
    "entities": (ENTITY + XML[39:], "a document type is refused"),
    "external": (
        b'<!DOCTYPE f SYSTEM "file:///etc/passwd">' + XML[39:],
        "a document type is refused",
    ),
    "gzip-bomb": (gzip.compress(b"0" * (MAX_XML + 1)), "unpacked it has more than"),
    "zip-bomb": (zipped(b"0" * (MAX_XML + 1)), "unpacked it has more than"),
    "zip-no-name": (nameless(XML), "not a zip that can be read"),
    "zip-many": (zipped(*[b"x"] * (MAX_MEMBERS + 1)), "more than 20 files"),
    "zip-lzma": (zipped(XML, packing=zipfile.ZIP_LZMA), "another way than deflate"),
    "zip-cut": (zipped(XML)[:100], "not a zip"),
    "gzip-cut": (gzip.compress(XML)[:100], "cut short"),
    "gzip-broken": (gzip.compress(XML)[:40] + b"\0" * 80, "gzip"),
    "no-xml": (b"hello", "not XML"),
    "empty": (b"", "not XML"),
    "not-whole": (XML[:-20], "not XML"),
    "utf-16": (XML.decode().encode("utf-16"), "UTF-16"),
    "other-xml": (b"<feedback/>", "no aggregate report"),
    "too-large": (b" " * (MAX_XML + 1), "more than"),
    "many-rows": (report([row("192.0.2.1")[:8] + "</record>"] * 20_001), "more than 20000 rows"),
    "no-date": (XML.replace(b"1705276800", b"soon"), "no aggregate report"),
    "far-date": (XML.replace(b"1705276800", b"999999999999"), ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_report_is_left_out_with_its_reason(tmp_path: Path, name: str) -> None:
    """Whoever mails a report must not cost memory, files or an error that nobody understands."""
    data, expected = REFUSED[name]
    assert expected in reason(tmp_path, data)


BAD_ROWS = {
    "ip": row("not an address"),
    "negative": row("192.0.2.12", -5),
    "huge": row("192.0.2.12", 10**30),
    "text": row("192.0.2.12").replace("<count>10", "<count>ten"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_rows_that_cannot_be_read_are_counted(tmp_path: Path, name: str) -> None:
    """A row is not dropped unseen, and costs none of the others."""
    found = only(tmp_path, report([*ROWS, BAD_ROWS[name]]))
    assert (3, 1) == (len(found.rows), found.unread)


def test_folder_is_read_by_name_and_one_bad_file_costs_nothing(tmp_path: Path) -> None:
    """Reports collected from many receivers lie in one folder."""
    (tmp_path / "a.xml").write_bytes(b"junk")
    (tmp_path / "b.xml.gz").write_bytes(gzip.compress(XML))
    (tmp_path / "notes.txt").write_bytes(b"not a report")
    (tmp_path / "c.zip").symlink_to("/etc/hosts")
    places = [
        (found.place if isinstance(found, DmarcReport) else found.where)
        for found in reports_in(tmp_path)
    ]
    assert ["a.xml", "b.xml.gz", "c.zip"] == places


def test_missing_folder_is_told(tmp_path: Path) -> None:
    """A wrong path is not the absence of reports."""
    with pytest.raises(MailboxError, match="cannot be read"):
        list(reports_in(tmp_path / "nothing"))


def test_missing_package_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra nothing is read, and that is said."""
    import sys

    monkeypatch.setitem(sys.modules, "parsedmarc", None)
    with pytest.raises(MailboxError) as told:
        list(reports_in(tmp_path))
    assert "pip install 'wavegate[dmarc]'" == told.value.cure


def test_report_survives_the_journal(tmp_path: Path) -> None:
    """What is written down is read back equal, and its XML is bound by its digest."""
    found = only(tmp_path, XML)
    fields = found.to_fields()
    dumps(fields)
    assert found == DmarcReport.from_fields(fields)
    with pytest.raises(ValueError, match="digest"):
        DmarcReport.from_fields({**fields, "digest": "0" * 64})


def test_rows_of_other_domains_go_with_the_xml(tmp_path: Path) -> None:
    """A bundle holds only what is about the instance's own domains."""
    mixed = report(
        [
            *ROWS,
            row("192.0.2.77", domain="other.acme.example"),
            row("192.0.2.78", domain="xnews.acme.example"),
        ]
    )
    about = only(tmp_path, mixed).about(["news.acme.example"])
    assert (3, None) == (len(about.rows), about.xml)
    assert about == DmarcReport.from_fields(about.to_fields())


@given(st.binary(max_size=200))
def test_any_bytes_unpack_or_raise_one_error(data: bytes) -> None:
    """Garbage behind the right first bytes is an error that is told."""
    for head in (b"", b"\x1f\x8b", b"PK\x03\x04"):
        try:
            list(unpack(head + data))
        except ValueError:
            continue
