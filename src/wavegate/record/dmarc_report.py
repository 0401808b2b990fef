# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""DMARC aggregate reports (RFC 9990, RFC 7489 appendix C) as data: who sent how much, and passed.

A report is another receiver's word on the mail of a domain: per sending address a count, and what
SPF and DKIM came to. It is kept with the XML that it was read from.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from wavegate.canonical import digest as digest_of
from wavegate.clock import format_instant
from wavegate.record.fields import flag, instant, items, members, number, text, text_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A DKIM signature as the receiver judged it. selector: "" where the report names none."""

    domain: str
    selector: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """The mail of one address with one outcome. ip: normal text. count: messages.

    author: the domain of From. disposition: what the receiver did. dkim, spf: whether an aligned
    identity passed. signatures: every DKIM result. spf_domain, spf_result: of MAIL FROM (or HELO),
    "" where the report tells none.
    """

    ip: str
    count: int
    author: str
    disposition: str
    dkim: bool
    spf: bool
    signatures: tuple[Signature, ...] = ()
    spf_domain: str = ""
    spf_result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcReport:
    """One aggregate report. org, report: who reports, and their name for it.

    domain: whose policy it is about. begin, end: the span it covers. unread: rows that could not
    be read. xml: what it was read from, unpacked; None where only some rows were kept. digest:
    SHA-256 of the XML. place: the file.
    """

    org: str
    report: str
    domain: str
    begin: datetime
    end: datetime
    rows: tuple[ReportRow, ...]
    unread: int
    xml: bytes | None
    digest: str
    place: str

    @property
    def name(self) -> str:
        """The report in a few words."""
        return f"{self.org} {self.report}"

    def about(self, domains: Iterable[str]) -> "DmarcReport":
        """Only the rows of these domains and of names below them; the XML, which has all, goes."""
        own = tuple(domains)
        rows = (
            row for row in self.rows if any(f".{row.author}".endswith(f".{name}") for name in own)
        )
        return replace(self, rows=tuple(rows), xml=None)

    def to_fields(self) -> dict[str, object]:
        """The fields of canonical JSON; the XML is base64."""
        return {
            "org": self.org,
            "report": self.report,
            "domain": self.domain,
            "begin": format_instant(self.begin),
            "end": format_instant(self.end),
            "rows": [_row_to_fields(row) for row in self.rows],
            "unread": self.unread,
            "xml": None if self.xml is None else base64.b64encode(self.xml).decode("ascii"),
            "digest": self.digest,
            "place": self.place,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> "DmarcReport":
        """Read back what `to_fields` wrote. Raises ValueError, TypeError or KeyError."""
        coded = text_or_none(fields["xml"])
        xml = None if coded is None else base64.b64decode(coded, validate=True)
        if xml is not None and digest_of(xml) != text(fields["digest"]):
            raise ValueError("the XML does not match its digest")
        return cls(
            org=text(fields["org"]),
            report=text(fields["report"]),
            domain=text(fields["domain"]),
            begin=instant(fields["begin"]),
            end=instant(fields["end"]),
            rows=tuple(_row(item) for item in items(fields["rows"])),
            unread=number(fields["unread"]),
            xml=xml,
            digest=text(fields["digest"]),
            place=text(fields["place"]),
        )


def within(report: DmarcReport, since: datetime, until: datetime) -> bool:
    """Whether all that a report covers lies in a span."""
    return since <= report.begin and report.end <= until


def _row_to_fields(row: ReportRow) -> dict[str, object]:
    return {
        "ip": row.ip,
        "count": row.count,
        "author": row.author,
        "disposition": row.disposition,
        "dkim": row.dkim,
        "spf": row.spf,
        "signatures": [[s.domain, s.selector, s.result] for s in row.signatures],
        "spf_domain": row.spf_domain,
        "spf_result": row.spf_result,
    }


def _row(value: object) -> ReportRow:
    fields = members(value)
    return ReportRow(
        ip=text(fields["ip"]),
        count=number(fields["count"]),
        author=text(fields["author"]),
        disposition=text(fields["disposition"]),
        dkim=flag(fields["dkim"]),
        spf=flag(fields["spf"]),
        signatures=tuple(_signature(item) for item in items(fields["signatures"])),
        spf_domain=text(fields["spf_domain"]),
        spf_result=text(fields["spf_result"]),
    )


def _signature(value: object) -> Signature:
    domain, selector, result = (text(part) for part in items(value))
    return Signature(domain=domain, selector=selector, result=result)
