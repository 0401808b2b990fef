# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Looks and reports survive being recorded; anything else that claims to be one is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.mails import mail

from wavegate.canonical import digest, dumps, loads
from wavegate.errors import DamagedError
from wavegate.record.dmarc_report import DmarcReport, ReportRow, Signature, within
from wavegate.record.listening import Listener
from wavegate.record.local_store import LocalStore
from wavegate.record.mail_journal import collected, read_mails
from wavegate.record.mail_look import MailLook
from wavegate.record.mail_sources import MailSourcesRecord
from wavegate.record.mail_writer import MailJournalWriter

TEXTS = st.text("aé.<>\n", max_size=8)
COUNTS = st.integers(0, 2**53 - 1)
INSTANTS = st.timedeltas(timedelta(), timedelta(days=36_500)).map(
    lambda since: datetime(2000, 1, 1, tzinfo=UTC) + since
)
LOOKS = st.builds(
    MailLook,
    kind=st.sampled_from(["imap", "maildir", "mbox", "eml", "dmarc_reports"]),
    place=TEXTS,
    receiver=st.none() | TEXTS,
    began=INSTANTS,
    ended=INSTANTS,
    met=COUNTS,
    kept=COUNTS,
    left_out=COUNTS,
    whole=st.booleans(),
    problems=st.lists(TEXTS, max_size=2).map(tuple),
    mark=st.none() | TEXTS,
)
ROWS = st.builds(
    ReportRow,
    ip=TEXTS,
    count=COUNTS,
    author=TEXTS,
    disposition=TEXTS,
    dkim=st.booleans(),
    spf=st.booleans(),
    signatures=st.lists(
        st.builds(Signature, domain=TEXTS, selector=TEXTS, result=TEXTS), max_size=2
    ).map(tuple),
    spf_domain=TEXTS,
    spf_result=TEXTS,
)
REPORTS = st.builds(
    lambda xml, **fields: DmarcReport(xml=xml, digest=digest(xml or b""), **fields),
    st.none() | st.binary(max_size=9),
    org=TEXTS,
    report=TEXTS,
    domain=TEXTS,
    begin=INSTANTS,
    end=INSTANTS,
    rows=st.lists(ROWS, max_size=2).map(tuple),
    unread=COUNTS,
    place=TEXTS,
)


@given(st.lists(LOOKS, max_size=2), st.lists(REPORTS, max_size=2))
def test_record_is_read_back_equal(looks: list[MailLook], reports: list[DmarcReport]) -> None:
    """Freezing loses nothing."""
    record = MailSourcesRecord(
        instance="a", customer="b", wave="c", looks=tuple(looks), reports=tuple(reports)
    )
    data = record.to_bytes()
    assert record == MailSourcesRecord.from_bytes(data, digest=digest(data))


@pytest.mark.parametrize("key", ["schema", "looks", "reports", "instance"])
def test_record_without_a_part_is_damaged(key: str) -> None:
    """A record that lost a part is none."""
    record = MailSourcesRecord(instance="a", customer="b", wave="c", looks=(), reports=())
    fields = loads(record.to_bytes())
    assert isinstance(fields, dict)
    del fields[key]
    with pytest.raises(DamagedError):
        MailSourcesRecord.from_bytes(dumps(fields), digest="0" * 64)


def test_span_must_hold_all_that_a_report_covers() -> None:
    """A report that mixes both sides of an edge belongs to neither."""
    begin = datetime(2024, 1, 16, tzinfo=UTC)
    day = timedelta(days=1)
    report = DmarcReport(
        org="o",
        report="r",
        domain="d",
        begin=begin,
        end=begin + day,
        rows=(),
        unread=0,
        xml=None,
        digest="",
        place="",
    )
    assert within(report, begin, begin + day)
    assert not within(report, begin + timedelta(hours=1), begin + 2 * day)
    assert not within(report, begin - day, begin + timedelta(hours=23))


def test_only_collections_are_known_as_collected(tmp_path: Path) -> None:
    """What a sink received does not keep a mailbox's copy of it from being recorded."""
    store = LocalStore.open(tmp_path, create=True)
    (tmp_path / "mail").mkdir()
    for n, listen in enumerate([("127.0.0.1:2525",), ()]):
        listener = Listener(listen=listen, vantage="here", heartbeat=timedelta(seconds=5))
        writer = MailJournalWriter(tmp_path / "mail", listener)
        writer.append([mail(n=n)])
        writer.close()
    assert frozenset({mail(n=1).digest}) == collected(store).digests
    assert [("127.0.0.1:2525",)] == [span.listener.listen for span in read_mails(store).listening]
