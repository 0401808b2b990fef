# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Decoding recorded Campaign answers: every documented form, and what is hidden stays unknown."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.snapshots import URL, logon, redir, snapshot

from wavegate.record.campaign_view import (
    CampaignView,
    NotSeen,
    OptionValue,
    ServerInfo,
    server_date,
)
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable
from wavegate.record.safe_xml import parse
from wavegate.record.soap import Fault, NotSoap, Reply, read

WIRE = Path(__file__).parents[2] / "fixtures" / "wire"
AT = datetime(2024, 1, 17, 2, 2, 7, 963000, tzinfo=UTC)


def wire(name: str) -> bytes:
    """A recorded body."""
    return (WIRE / f"campaign-{name}").read_bytes()


def called(action: str, outcome: Outcome, **asked: str) -> Observation:
    """One SOAP call."""
    return Observation(
        kind="soap",
        subject=f"{URL} {action}",
        asked={"url": URL, "action": action, "body": "-", **asked},
        outcome=outcome,
        at=AT,
        took_us=1,
        vantage="here",
    )


def view(*observations: Observation) -> CampaignView:
    """The view of a snapshot of these."""
    return CampaignView(snapshot("before", observations))


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("r-test-v7.xml", ("OK", "9282", "cc45440", None, "acme_mkt_prod1", AT, True)),
        ("r-test-v8.xml", ("OK", "9282", "8f3ef8e", "8.5.1", "acme_mkt_prod1", AT, True)),
        ("r-test-hidden.xml", ("OK", None, None, None, None, AT, True)),
        (
            "r-test-slashes.xml",
            ("OK", "9282", None, None, None, AT.replace(microsecond=0), False),
        ),
    ],
)
def test_every_documented_redir(file: str, fields: tuple[object, ...]) -> None:
    """All forms of /r/test give their fields; what a zone hides is None."""
    (found,) = view(redir("", body=wire(file).decode())).redir
    assert (
        found.status,
        found.build,
        found.sha1,
        found.version,
        found.instance,
        found.date,
        found.zone_known,
    ) == fields
    assert found.hidden == (found.build is None and found.version is None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-08-27 08:02:07.963-07", (datetime(2021, 8, 27, 15, 2, 7, 963000, UTC), True)),
        ("2021-08-27 08:02:07.963+02", (datetime(2021, 8, 27, 6, 2, 7, 963000, UTC), True)),
        ("2021-08-27 08:02:07.963+05:30", (datetime(2021, 8, 27, 2, 32, 7, 963000, UTC), True)),
        ("2021-08-27 08:02:07.963Z", (datetime(2021, 8, 27, 8, 2, 7, 963000, UTC), True)),
        ("2021-08-27T08:02:07Z", (datetime(2021, 8, 27, 8, 2, 7, 0, UTC), True)),
        ("2021/08/27 08:02:07", (datetime(2021, 8, 27, 8, 2, 7, 0, UTC), False)),
        ("2021-02-30 08:02:07Z", (None, False)),
        ("0001-01-01 00:00:00+14", (None, False)),
        ("yesterday", (None, False)),
        ("", (None, False)),
        (None, (None, False)),
    ],
)  # fmt: skip
def test_server_dates(text: str | None, expected: tuple[datetime | None, bool]) -> None:
    """An instant, and whether the server named its zone; nonsense is no instant."""
    assert server_date(text) == expected


def test_logon_tells_the_server() -> None:
    """Build, release, commit, instance, database and packages, from a reply with tokens cut."""
    found = view(called("xtk:session#Logon", Seen(wire("logon.xml")))).logon
    assert isinstance(found, ServerInfo)
    assert (found.build_number, found.release_name, found.commit_id) == ("9282", "7.3.4", "8f3ef8e")
    assert (found.instance_name, found.database_id) == ("acme_mkt_prod1", "uFE80000000000000A1")
    assert found.installed_packages == frozenset({"nms:core", "nms:mobile"})
    assert found.server_date == datetime(2024, 1, 17, 2, 2, 8, 1000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Unreachable("HTTP 403 XSV-350012"), "HTTP 403 XSV-350012"),
        (
            Seen(wire("fault-zone.xml")),
            "XSV-350013 The IP address of this caller is in no zone that may open a session.",
        ),
        (Seen(wire("option.xml")), "a reply to GetOption, not to Logon"),
        (Seen(wire("maintenance.html")), "a document type is refused"),
        (Seen(wire("entity-bomb.xml")), "a document type is refused"),
        (Seen(b"\xff\xfe"), None),
    ],
)
def test_logon_that_was_not_seen(outcome: Outcome, reason: str | None) -> None:
    """A refusal, a fault or a page is NotSeen with its reason, never an empty server."""
    found = view(called("xtk:session#Logon", outcome)).logon
    assert isinstance(found, NotSeen)
    assert reason is None or found.reason == reason


def test_nothing_asked_is_not_seen() -> None:
    """An empty snapshot shows nothing, and says so."""
    empty = view()
    assert (empty.redir, empty.options, empty.problems) == ((), {}, ())
    assert empty.logon == NotSeen("Logon was not tried")
    assert empty.rows("xtk:workflow") == NotSeen("xtk:workflow was not queried")
    assert isinstance(empty.packages, NotSeen)


def option(name: str, outcome: Outcome) -> Observation:
    """One GetOption."""
    return called("xtk:session#GetOption", outcome, option=name)


def test_options_by_name() -> None:
    """Present, absent and unreadable options are three things."""
    found = view(
        option("a", Seen(wire("option.xml"))),
        option("b", Absent("no such option", wire("option-none.xml"))),
        option("c", Unreachable("timeout")),
        option("d", Seen(wire("workflows.xml"))),
    ).options
    a, b = found["a"], found["b"]
    assert isinstance(a, OptionValue)
    assert isinstance(b, OptionValue)
    assert (a.value, a.type, a.exists) == ("9236", 6, True)
    assert (b.value, b.type, b.exists) == ("", 0, False)
    assert found["c"] == NotSeen("timeout")
    assert found["d"] == NotSeen("a reply to ExecuteQuery, not to GetOption")


QUERY = "xtk:queryDef#ExecuteQuery"


def test_rows_over_all_pages() -> None:
    """Pages are joined in order; one page that was not seen makes the list unknown."""
    one = called(QUERY, Seen(wire("workflows.xml")), schema="xtk:workflow", page="1")
    two = called(QUERY, Seen(wire("workflows.xml")), schema="xtk:workflow", page="2")
    lost = called(QUERY, Unreachable("timeout"), schema="xtk:workflow", page="3")
    rows = view(one, two).rows("xtk:workflow")
    assert not isinstance(rows, NotSeen)
    assert [row.values["internalName"] for row in rows] == ["tracking", "cleanup"] * 2
    assert view(one, lost).rows("xtk:workflow") == NotSeen("timeout")


def test_problems_name_what_failed() -> None:
    """Everything unreachable or unreadable is listed with its subject, sorted."""
    found = view(
        redir("", body="<html>"),
        called("xtk:session#Logon", Unreachable("HTTP 403 XSV-350012")),
        called("xtk:session#GetUserInfo", Seen(wire("fault-zone.xml"))),
        called("xtk:session#Logoff", Unreachable("timeout")),
    ).problems
    assert [line.split(" ")[1].rstrip(":") for line in found] == [
        "/r/test",
        "xtk:session#GetUserInfo",
        "xtk:session#Logoff",
        "xtk:session#Logon",
    ]


def test_one_look_per_answer() -> None:
    """Fronts are told apart by their own answers, and the source is kept with each."""
    looks = [redir(f"build='9282' localHost='front-{n}'", n=n) for n in range(4)]
    found = view(*looks, logon()).redir
    assert [one.local_host for one in found] == [f"front-{n}" for n in range(4)]
    assert [one.source for one in found] == looks


# hostile bytes


@given(st.binary(max_size=300))
def test_no_bytes_upset_the_view(data: bytes) -> None:
    """Whatever a body holds, the view says so and raises nothing."""
    seen = Seen(data)
    found = view(
        replace(redir(""), outcome=seen),
        called("xtk:session#Logon", seen),
        option("a", seen),
        called(QUERY, seen, schema="xtk:workflow"),
    )
    assert isinstance(found.logon, NotSeen)
    assert isinstance(found.options["a"], NotSeen)
    assert isinstance(found.rows("xtk:workflow"), NotSeen)
    assert len(found.problems) == 4


def test_entities_and_files_are_never_read() -> None:
    """A document type is refused before anything in it could be expanded."""
    with pytest.raises(ValueError, match="document type is refused"):
        parse(wire("entity-bomb.xml"))
    with pytest.raises(ValueError, match="could hide"):
        parse(wire("entity-bomb.xml").decode().encode("utf-16"))


def test_deep_and_large_documents_are_refused() -> None:
    """Nesting beyond the parser's bound and more than four megabytes are no answers."""
    with pytest.raises(ValueError, match="not XML"):
        parse(b"<a>" * 300 + b"</a>" * 300)
    with pytest.raises(ValueError, match="more than"):
        parse(b"<a>" + b" " * 4_194_304 + b"</a>")


def test_the_cause_of_a_fault_is_in_its_detail() -> None:
    """Campaign puts a general code in front and the real one into the detail."""
    found = read(wire("fault-zone.xml"))
    assert isinstance(found, Fault)
    assert found.code == "XSV-350013"


def test_prefixed_and_empty_bodies() -> None:
    """A prefixed response is read as well; an empty body is none."""
    head = b"<s:Envelope xmlns:s='x'><s:Body>"
    prefixed = read(head + b"<u:LogonResponse xmlns:u='y'/></s:Body></s:Envelope>")
    assert isinstance(prefixed, Reply)
    assert (prefixed.method, prefixed.text(0)) == ("Logon", "")
    assert isinstance(read(head + b"</s:Body></s:Envelope>"), NotSoap)
    assert isinstance(read(b"<redir/>"), NotSoap)
