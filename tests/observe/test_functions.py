# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import socket
import ssl
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest
import trustme
from tests.builders.estates import estate, instance
from tests.builders.lively import Lively, alive, facing
from tests.builders.tiny_http import PASSWORD, SECURITY, TOKEN, Say, TinyHttp, fault, soap
from tests.builders.tiny_tcp import TinyTcp

from wavegate.canonical import digest
from wavegate.estate.model import FunctionProbe
from wavegate.observe.functions.answer import Answer, Asked, Lacking
from wavegate.observe.functions.campaign import Session, session_of
from wavegate.observe.functions.catalogue import functions_of
from wavegate.observe.functions.facing import Facing
from wavegate.observe.functions.waiting import text
from wavegate.observe.http_client import own_context

MINUTE = timedelta(minutes=1)
EVERYTHING = {
    "seed_link": {"url": "/r/seed", "contains": "shop.example"},
    "mirror_page": {"url": "/mirror", "contains": "seed"},
    "landing_page": {"url": "/mirror"},
    "resource": {"url": "/res/a.png"},
    "message_center": {"event_type": "probe", "seed": "x1@seed.example"},
    "preference_page": {"url": "/mirror", "contains": "for you"},
}
STAMP = datetime(2024, 1, 16, 22, 0, 0, 500_000, tzinfo=UTC)
ISSUER = f"trustme v{version('trustme')}"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def campaign() -> Lively:
    """A Campaign that does everything right unless a test says otherwise."""
    return Lively()


@pytest.fixture
def faced(campaign: Lively, tmp_path: Path) -> Iterator[Facing]:
    """That Campaign, faced as an instance with all functions named."""
    with TinyHttp(campaign) as server:
        yield from _closed(facing(alive(server.url, tmp_path, functions=EVERYTHING), tmp_path))


def _closed(found: Facing) -> Iterator[Facing]:
    try:
        yield found
    finally:
        found.connections.close()


def asked(faced: Facing, name: str, times: int = 1) -> Asked:
    """What a function brings, at the last of so many times."""
    session = session_of(faced)
    found = {f.watched.name: f for f in functions_of(faced, session)}
    ask = found[name].ask
    assert ask is not None, found[name].watched.not_probed
    for _ in range(times - 1):
        ask()
    return ask()


def answer(faced: Facing, name: str, times: int = 1) -> Answer:
    """The first answer of a function that is there."""
    found = asked(faced, name, times)
    assert isinstance(found, tuple), found
    return found[0]


def test_a_healthy_instance_answers_every_function_rightly(faced: Facing) -> None:
    """All families against a Campaign that does everything right; what is not there says why."""
    states = {}
    for function in functions_of(faced, session_of(faced)):
        if function.ask is None:
            states[function.watched.name] = function.watched.not_probed or ""
        elif function.watched.name != "inbound_mail":
            found = function.ask()
            assert isinstance(found, tuple), function
            states |= {
                "/".join(filter(None, (function.watched.name, a.part))): a.state for a in found
            }
    wrongs = {name: state for name, state in states.items() if state != "ok"}
    assert {
        "sftp": "the estate names no SFTP host",
        "certificate": "the estate names no https host",
        "inbound_mail/bounces": "the estate names no seed that bounces",
    } == wrongs
    assert "preference_page" in states
    assert "workflow/tracking" in states
    assert "workflow/drawer" not in states  # edited only, never started


@pytest.mark.parametrize(
    ("name", "key", "instead", "state", "detail"),
    [
        ("tracking", "/r/test", Say(status=502), "wrong", "HTTP 502"),
        ("tracking", "/r/test", Say(b"<redir status='KO'/>"), "wrong", "status 'KO'"),
        ("tracking", "/r/test", Say(b"<html/>"), "wrong", "no <redir>"),
        ("tracking", "/r/test", Say(status=429), "silent", "throttled"),
        ("seed_link", "/r/seed", Say(status=200), "wrong", "no redirect"),
        (
            "seed_link",
            "/r/seed",
            Say(status=302, headers={"Location": "https://evil.example/"}),
            "wrong",
            "to https://evil.example/, not to shop.example",
        ),
        (
            "mirror_page",
            "/mirror",
            Say(b"<title>Back soon</title>", kind="text/html"),
            "wrong",
            "titled 'Back soon', without the marker",
        ),
        ("landing_page", "/mirror", Say(status=404), "wrong", "HTTP 404"),
        ("resource", "/res/a.png", Say(status=404), "wrong", "HTTP 404"),
        ("soap", "GetServerTime", Say(fault("SOP-330011", "out")), "wrong", "SOP-330011"),
        ("soap", "GetServerTime", Say(b"<html>maintenance</html>"), "wrong", "no SOAP"),
        (
            "soap",
            "GetServerTime",
            Say(fault("XSV-350013", "zone"), status=403),
            "silent",
            "no security zone",
        ),
        ("logon", "Logon", Say(fault("XSV-350012", "bad"), status=403), "wrong", "XSV-350012"),
        ("session", "GetUserInfo", Say(fault("XSV-350008", "dead")), "wrong", "XSV-350008"),
        (
            "mcping",
            "/nl/jsp/mcPing.jsp",
            Say(b"Error\nThe queue is full (400/400)", kind="text/plain"),
            "wrong",
            "The queue is full (400/400)",
        ),
        ("ping", "/nl/jsp/ping.jsp", Say(b"<html/>", kind="text/html"), "wrong", "neither OK"),
        ("report", "/report/throughput", Say(b"<html/>"), "wrong", "no <ctx>"),
        (
            "message_center",
            "PushEvent",
            Say(soap("<PushEventResponse><plId>0</plId></PushEventResponse>")),
            "wrong",
            "refused: id 0",
        ),
        ("ping", "Logon", Say(status=503), "silent", "there is no session"),
    ],
)
def test_what_a_broken_function_says(
    campaign: Lively, faced: Facing, name: str, key: str, instead: Say, state: str, detail: str
) -> None:
    """A definite wrong answer is wrong, also over 200; what is our caller's fault is no answer."""
    campaign.instead[key] = instead
    found = answer(faced, name)
    assert (state, True) == (found.state, detail in found.detail), found


@pytest.mark.parametrize("name", ["tracking", "soap", "ping"])
def test_a_throttled_or_unlisted_caller_does_not_count(
    campaign: Lively, faced: Facing, name: str
) -> None:
    """HTTP 429 tells of our asking, not of the instance."""
    for key in ("/r/test", "GetServerTime", "/nl/jsp/ping.jsp"):
        campaign.instead[key] = Say(status=429)
    assert not answer(faced, name).counts


def test_the_servers_clock_is_kept_with_its_resolution(faced: Facing) -> None:
    """From the body where it stands there, else from the Date header in whole seconds."""
    tracking, mirror = answer(faced, "tracking"), answer(faced, "mirror_page")
    assert (STAMP, 1_000) == (tracking.stamp, tracking.resolution_us)
    assert 1_000_000 == mirror.resolution_us
    assert mirror.stamp is not None


def test_a_server_time_that_goes_back_is_wrong(campaign: Lively, faced: Facing) -> None:
    """GetServerTime is monotone, but for what fronts may differ by."""
    found = {f.watched.name: f for f in functions_of(faced, "none")}["soap"].ask
    assert found is not None
    found()
    early = "<GetServerTimeResponse><t>2024-01-16T21:59:00Z</t></GetServerTimeResponse>"
    campaign.instead["GetServerTime"] = Say(soap(early))
    again = found()
    assert isinstance(again, tuple)
    assert ("wrong", "the server's time went back by 60.500 s") == (
        again[0].state,
        again[0].detail,
    )


def test_marks_of_progress_are_normalised(faced: Facing) -> None:
    """Instants are written one way, a queue as n/m, bytes by their digest."""
    assert "2024-01-16T22:00:00.500000Z" == answer(faced, "tracking_log").value
    assert "7/400" == answer(faced, "mcping").value
    assert digest(b"\x89PNG") == answer(faced, "resource").value
    assert "2024-01-16T22:00:00.500000Z" == answer(faced, "sms").value


def test_a_workflow_that_failed_or_paused_is_wrong(campaign: Lively, faced: Facing) -> None:
    """Each workflow is an answer of its own, with its state and its last run."""
    campaign.tables["xtk:workflow"] = (
        '<workflow internalName="a" state="11" failed="1" processDate="2024-01-16 21:00:00Z"/>',
        '<workflow internalName="b" state="13" failed="0"/>',
        '<workflow internalName="c" state="11" failed="0" lastStart="2024-01-16 20:00:00Z"/>',
    )
    found = asked(faced, "workflow")
    assert isinstance(found, tuple)
    told = [(a.part, a.state, a.value) for a in found[1:]]
    assert [
        ("a", "wrong", "2024-01-16T21:00:00Z"),
        ("b", "wrong", None),
        ("c", "ok", "2024-01-16T20:00:00Z"),
    ] == told


def test_an_attribute_that_the_schema_lacks_is_not_asked_for_again(
    campaign: Lively, faced: Facing
) -> None:
    """Builds differ: without @lastStart and @processDate there are still states."""
    campaign.instead["ExecuteQuery"] = Say(fault("XTK-170036", "Unknown attribute 'lastStart'."))
    assert isinstance(asked(faced, "workflow"), Lacking)
    assert 3 == campaign.calls.count("ExecuteQuery")


@pytest.mark.parametrize(
    ("name", "key", "instead"),
    [
        ("mcping", "/nl/jsp/mcPing.jsp", Say(status=404)),
        ("console", "/nl/jsp/logon.jsp", Say(status=403)),
        ("report", "/report/throughput", Say(status=404)),
        ("tracking_log", "ExecuteQuery", Say(fault("XFR-180000", "Unknown schema."))),
    ],
)
def test_a_function_that_the_instance_does_not_have_is_lacking(
    campaign: Lively, faced: Facing, name: str, key: str, instead: Say
) -> None:
    """Not every instance executes Message Center; that is no disruption."""
    campaign.instead[key] = instead
    assert isinstance(asked(faced, name), Lacking)


def test_one_session_serves_all_functions(campaign: Lively, faced: Facing) -> None:
    """No logon a minute: it is opened once and kept."""
    session = session_of(faced)
    assert isinstance(session, Session)
    for function in functions_of(faced, session):
        if function.ask and function.watched.name in ("ping", "mcping", "session", "workflow"):
            function.ask()
            function.ask()
    assert 1 == campaign.calls.count("Logon")
    session.close()
    assert 1 == campaign.calls.count("Logoff")


@pytest.mark.parametrize(
    ("key", "name"),
    [("ExecuteQuery", "workflow"), ("/nl/jsp/ping.jsp", "ping"), ("GetUserInfo", "session")],
)
def test_a_lost_session_is_told_of_the_session_only(
    campaign: Lively, faced: Facing, key: str, name: str
) -> None:
    """Whoever meets XSV-350008 goes on in a new session; the session's own sample tells of it."""
    session = session_of(faced)
    assert isinstance(session, Session)
    asks = {f.watched.name: f.ask for f in functions_of(faced, session)}
    session.tokens()
    dead = Say(fault("XSV-350008", "dead"))
    campaign.once = {key: dead, "GetUserInfo": dead}
    if key.startswith("/"):
        campaign.once[key] = Say(b"Forbidden", status=403)
    states = []
    for asked_name in (name, "session", "session"):
        found = asks[asked_name]
        assert found is not None
        answers = found()
        assert isinstance(answers, tuple)
        states.append((asked_name, answers[0].state, "XSV-350008" in answers[0].detail))
        campaign.once = {}
    told = states[1:] if name != "session" else states
    assert name == "session" or (name, "ok", False) == states[0]
    assert ("session", "wrong", True) == told[0]
    assert ("session", "ok", False) == told[-1]
    assert 2 == campaign.calls.count("Logon")


def test_a_failed_logon_is_not_repeated_at_once(campaign: Lively, faced: Facing) -> None:
    """A refused operator must not flood the instance: functions behind it just do not count."""
    campaign.instead["Logon"] = Say(fault("XSV-350012", "bad"), status=403)
    found = answer(faced, "ping", times=5)
    assert (False, 1) == (found.counts, campaign.calls.count("Logon"))


def test_no_secret_stands_in_an_answer(campaign: Lively, faced: Facing) -> None:
    """A server that echoes tokens and passwords does not get them into a timeline."""
    echo = f"{PASSWORD} {TOKEN} {SECURITY}"
    campaign.instead["GetUserInfo"] = Say(
        fault("SOP-330011", echo.replace("&", "").replace("<", ""))
    )
    campaign.instead["/r/seed"] = Say(
        status=302, headers={"Location": f"https://shop.example/?t={TOKEN}"}
    )
    texts = [
        found.detail + (found.value or "")
        for found in (answer(faced, "session"), answer(faced, "seed_link"))
    ]
    assert not any(secret in text for text in texts for secret in (PASSWORD, TOKEN, SECURITY))


def test_what_the_estate_says_wins(tmp_path: Path) -> None:
    """Switched off, asked more often, or never: by the estate, with its reason."""
    found = facing(
        alive(NOWHERE, tmp_path, functions={"tracking": False, "ping": {"every": "7s"}}), tmp_path
    )
    functions = {f.watched.name: f for f in functions_of(found, session_of(found))}
    assert "the estate switches it off" == functions["tracking"].watched.not_probed
    assert functions["tracking"].ask is None
    assert timedelta(seconds=7) == functions["ping"].watched.every
    assert 5 * MINUTE == functions["logon"].watched.every
    assert "event_type" in (functions["message_center"].watched.not_probed or "")


def test_an_instance_without_url_has_its_reasons(tmp_path: Path) -> None:
    """Nothing is asked, nothing is forgotten."""
    bare = estate(instance(url=None))
    found = functions_of(facing(bare, tmp_path), session_of(facing(bare, tmp_path)))
    assert {"inbound_mail"} == {f.watched.name for f in found if f.ask}
    assert all(f.watched.not_probed for f in found if f.ask is None)


def test_private_places_are_contacted_only_where_the_estate_allows(tmp_path: Path) -> None:
    """The estate must not become a way into somebody's network; the instance itself is fine."""
    with TinyHttp(Lively()) as server:
        named = {"landing_page": {"url": server.url.replace("127.0.0.1", "127.0.0.2") + "/mirror"}}
        closed = alive(server.url, tmp_path, policy={"reachable_private": []}, functions=named)
        found = facing(closed, tmp_path)
        barred, own = answer(found, "landing_page"), answer(found, "tracking")
        found.connections.close()
    assert (True, "ok") == (barred.forbidden, own.state)
    assert "127.0.0.2 is private" in barred.detail


def test_silence_is_told_from_an_answer(tmp_path: Path) -> None:
    """A port where nobody listens is silence; it convicts only by rule 15."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = facing(alive(f"http://127.0.0.1:{port}", tmp_path), tmp_path)
    heard = [answer(found, name) for name in ("tracking", "soap")]
    found.connections.close()
    assert [("silent", "connection refused")] * 2 == [(a.state, a.detail) for a in heard]


def spoken(*lines: bytes) -> Callable[[socket.socket], None]:
    """Say these bytes, then hear what comes until the peer leaves."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(b"".join(lines))
        peer.settimeout(2)
        while peer.recv(4096):
            pass

    return talk


@pytest.mark.parametrize(
    ("greeting", "state"),
    [
        (b"220 mx.example ESMTP\r\n", "ok"),
        (b"220-mx.example\r\n220 hello\r\n", "ok"),
        (b"421 try later\r\n", "wrong"),
        (b"x" * 5000, "wrong"),
    ],
)
def test_the_inbound_exchanger_greets(tmp_path: Path, greeting: bytes, state: str) -> None:
    """Its banner is read and QUIT is said; no mail is sent."""
    with TinyTcp(spoken(greeting)) as server:
        found = facing(
            alive(NOWHERE, tmp_path, functions={"inbound_mail": {"host": server.place}}), tmp_path
        )
        assert state == answer(found, "inbound_mail").state


KEY = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + b"k" * 32


def ssh(peer: socket.socket) -> None:
    """Enough of a server to show its host key."""
    peer.sendall(b"SSH-2.0-tiny\r\n")
    peer.sendall(_packet(bytes([20]) + bytes(16) + bytes(4) * 10 + bytes(5)))
    peer.sendall(_packet(bytes([31]) + struct.pack(">I", len(KEY)) + KEY))
    peer.settimeout(2)
    while peer.recv(4096):
        pass


def _packet(payload: bytes) -> bytes:
    padding = 8 + (-(len(payload) + 5) % 8)
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def test_the_host_key_is_told_by_its_fingerprint(tmp_path: Path) -> None:
    """As `ssh-keygen -l` prints it, so that a person can compare."""
    with TinyTcp(ssh) as server:
        found = facing(
            alive(NOWHERE, tmp_path, functions={"sftp": {"host": server.place}}), tmp_path
        )
        heard = answer(found, "sftp")
    expected = "SHA256:" + b64encode(sha256(KEY).digest()).decode().rstrip("=")
    assert ("ok", expected) == (heard.state, heard.value)


@pytest.mark.parametrize(
    ("says", "state"),
    [(b"SSH-2.0-odd\r\n" + bytes(64), "ok"), (b"220 ftp\r\n" * 30, "wrong")],
)
def test_other_talk_on_the_ssh_port(tmp_path: Path, says: bytes, state: str) -> None:
    """An exchange of another kind leaves the greeting; no greeting at all is wrong."""
    with TinyTcp(spoken(says)) as server:
        found = facing(
            alive(NOWHERE, tmp_path, functions={"sftp": {"host": server.place}}), tmp_path
        )
        heard = answer(found, "sftp")
    assert (state, None) == (heard.state, heard.value)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_told_by_its_fingerprint_and_its_end(
    tmp_path: Path, *, trusted: bool
) -> None:
    """A renewed one is another value and no failure; one that nobody trusts is wrong."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", not_after=datetime(2099, 1, 1, tzinfo=UTC))
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(server_side)

    def shake(peer: socket.socket) -> None:
        with server_side.wrap_socket(peer, server_side=True) as secure:
            secure.recv(1)

    pem = (authority if trusted else trustme.CA()).cert_pem.bytes().decode()
    with TinyTcp(shake) as server:
        url = f"https://localhost:{server.port}"
        found = replace(facing(alive(url, tmp_path), tmp_path), context=own_context(pem))
        heard = answer(found, f"certificate/localhost:{server.port}")
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    end = "2099-01-01T00:00:00Z"
    told = f"{digest(der)} until {end} by {ISSUER} for localhost"
    good = ("ok", told, f"valid until {end}")
    why = "unable to get local issuer certificate (a missing intermediate?)"
    bad = ("wrong", None, f"certificate not trusted: {why}; notAfter {end}, for localhost")
    assert (good if trusted else bad) == (heard.state, heard.value, heard.detail)


DUE = '<broadLogRcp id="{}" status="{}" statusName="{}" eventDate="2024-01-16 2{}:00:00.000Z"/>'


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ((), None),
        ((DUE.format(7, 2, "Failed", 1),), "none"),
        (
            (
                DUE.format(9, 1, "Sent", 2),
                DUE.format(8, 1, "Sent", 1),
                DUE.format(7, 2, "Failed", 0),
            ),
            "8 since 2024-01-16T21:00:00Z",
        ),
        (('<broadLogRcp id="7" status="1" statusName="Sent"/>',), None),
    ],
)
def test_the_oldest_bounce_that_was_not_counted_is_told(
    campaign: Lively, faced: Facing, rows: tuple[str, ...], value: str | None
) -> None:
    """By its row and instant, of mail to the seed that the estate names; none, or not known."""
    campaign.tables["nms:broadLogRcp"] = rows
    with_seed = _with(faced, inbound_mail={"seed": "gone@bounce.example"})
    found = answer(with_seed, "inbound_mail/bounces")
    assert ("ok", value) == (found.state, found.value)
    assert "gone@bounce.example" in found.detail


def test_the_oldest_pending_event_is_told(campaign: Lively, faced: Facing) -> None:
    """Taken in is not handled: the status of the probe events is read back."""
    row = '<rtEvent id="72057594037927937" status="0" statusName="{}" created="{}"/>'
    date = "2024-01-16 21:00:00.000Z"
    campaign.tables["nms:rtEvent"] = (row.format("Pending", date),)
    found = answer(faced, "message_center/handled")
    assert "72057594037927937 since 2024-01-16T21:00:00Z" == found.value
    campaign.tables["nms:rtEvent"] = (row.format("Sent", date),)
    assert "none" == answer(faced, "message_center/handled").value


def test_what_stands_in_a_condition_cannot_leave_it() -> None:
    """A quote in an address or a type is no end of the text."""
    assert r"'o\'neil\\'" == text("o'neil\\")


def _with(faced: Facing, **functions: object) -> Facing:
    """The same instance, with other functions named."""
    probes = {name: FunctionProbe.model_validate(found) for name, found in functions.items()}
    mine = faced.instance.model_copy(update={"functions": {**faced.instance.functions, **probes}})
    return replace(faced, instance=mine)


def test_the_certificate_of_another_name_is_named(tmp_path: Path) -> None:
    """Whose it is, and until when, though nobody trusts it for this host."""
    authority = trustme.CA()
    leaf = authority.issue_cert("t.globex.example", not_after=datetime(2099, 1, 1, tzinfo=UTC))
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(server_side)

    def shake(peer: socket.socket) -> None:
        with server_side.wrap_socket(peer, server_side=True) as secure:
            secure.recv(1)

    pem = authority.cert_pem.bytes().decode()
    with TinyTcp(shake) as server:
        url = f"https://localhost:{server.port}"
        found = replace(facing(alive(url, tmp_path), tmp_path), context=own_context(pem))
        heard = answer(found, f"certificate/localhost:{server.port}")
    assert "wrong" == heard.state
    assert "notAfter 2099-01-01T00:00:00Z, for t.globex.example" in heard.detail
