# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The Campaign probe against a scripted server: what is seen, what is not, and no secret kept."""

import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import trustme
from tests.builders.estates import estate, instance
from tests.builders.snapshots import snapshot
from tests.builders.tiny_http import (
    OPERATOR,
    PASSWORD,
    SECURITY,
    TOKEN,
    Got,
    Say,
    TinyCampaign,
    TinyHttp,
    fault,
    soap,
)

from wavegate.compare.coverage import chance_of_missing, lower_bound
from wavegate.estate.policy import Policy
from wavegate.observe import campaign_client, http_client
from wavegate.observe.campaign_client import CampaignClient
from wavegate.observe.campaign_probe import LOOKS, CampaignProbe
from wavegate.observe.http_client import HttpClient, HttpLimits
from wavegate.observe.notes import Notes
from wavegate.observe.probe import Looked, Task
from wavegate.observe.redact import Secrets
from wavegate.record.campaign_view import CampaignView, NotSeen, OptionValue, ServerInfo
from wavegate.record.observation import Absent, Observation, Outcome, Seen, Unreachable

LIMITS = HttpLimits(seconds=5, size=100_000)
ALL = ["redir"] * LOOKS + [
    "Logon", "GetUserInfo", "GetOption", "GetOption", "ExecuteQuery", "ExecuteQuery", "Logoff",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _credentials(tmp_path: Path) -> None:
    (tmp_path / "operator").write_text(OPERATOR)
    (tmp_path / "password").write_text(PASSWORD + "\n")


def task(url: str | None, base: Path, **other: object) -> Task:
    """An instance at a url with credentials in files."""
    fields: dict[str, object] = {
        "url": url,
        "credentials": {"operator": "file:operator", "password": "file:password"},
    }
    made = instance("acme-prod1", **(fields | other))
    return Task(estate=estate(made), instance=made, vantage="here", base=base)


def look(campaign: TinyCampaign, base: Path, limits: HttpLimits = LIMITS) -> Looked:
    """What the probe brings of a scripted Campaign."""
    with TinyHttp(campaign) as server:
        return CampaignProbe(limits).look(task(server.url, base))


def view(looked: Looked) -> CampaignView:
    """The view of what was looked at."""
    return CampaignView(snapshot("before", looked.observations))


def of(looked: Looked, action: str) -> Outcome:
    """The outcome of the one call of an action, bytes aside."""
    (found,) = [o for o in looked.observations if o.asked.get("action", "").endswith("#" + action)]
    return found.outcome


def redirs(looked: Looked) -> list[Observation]:
    """The looks at /r/test."""
    return [o for o in looked.observations if o.kind == "http"]


def test_everything_is_asked_and_seen(tmp_path: Path) -> None:
    """One session: looks, logon, reading calls, logoff; the view reads all of it back."""
    campaign = TinyCampaign()
    looked = look(campaign, tmp_path)
    seen = view(looked)
    assert campaign.actions == ALL
    assert isinstance(seen.logon, ServerInfo)
    assert (seen.logon.build_number, seen.logon.instance_name) == ("9282", "acme_mkt_prod1")
    assert {redir.local_host for redir in seen.redir} == {"front-0", "front-1"}
    assert seen.packages == frozenset({"nms:core"})
    assert seen.problems == ()
    assert not isinstance(rows := seen.rows("xtk:workflow"), NotSeen)
    assert [row.values["internalName"] for row in rows] == ["wf1", "wf2", "wf3"]
    options = seen.options
    upgrade, error = options["NmsServer_LastPostUpgrade"], options["NmsEmail_DefaultErrorAddr"]
    assert isinstance(upgrade, OptionValue)
    assert (upgrade.value, upgrade.exists) == ("9236", True)
    assert isinstance(error, OptionValue)
    assert not error.exists


def test_what_is_asked_is_what_was_announced(tmp_path: Path) -> None:
    """`plan` counts the questions that the capture then asks; Logoff is no question."""
    campaign = TinyCampaign()
    with TinyHttp(campaign) as server:
        asked = task(server.url, tmp_path)
        CampaignProbe(LIMITS).look(asked)
        assert len(CampaignProbe().questions(asked)) == len(ALL) - 1


def test_looks_use_new_connections_and_calls_share_one(tmp_path: Path) -> None:
    """Several fronts can be met; the session stays on one connection."""
    with TinyHttp(TinyCampaign()) as server:
        CampaignProbe(LIMITS).look(task(server.url, tmp_path))
        looks = {got.peer for got in server.got if got.method == "GET"}
        calls = {got.peer for got in server.got if got.method == "POST"}
    assert (len(looks), len(calls)) == (LOOKS, 1)


def test_the_session_is_sent_as_campaign_wants_it(tmp_path: Path) -> None:
    """First parameter, cookie and security header bear the tokens that Logon gave."""
    with TinyHttp(TinyCampaign()) as server:
        CampaignProbe(LIMITS).look(task(server.url, tmp_path))
        after = [got for got in server.got if got.method == "POST"][1]
    assert after.headers["cookie"] == f"__sessiontoken={TOKEN}"
    assert after.headers["x-security-token"] == SECURITY
    assert f">{TOKEN}</sessiontoken>".encode() in after.body


# what is no answer


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (Say(fault("XSV-350013", "no zone")), "XSV-350013 no zone"),
        (Say(fault("XSV-350012", "Invalid"), status=403), "HTTP 403 XSV-350012 Invalid"),
        (Say(b"<html>XSV-350013 no</html>", 403, "text/html"), "HTTP 403 XSV-350013"),
        (Say(b"<html>back soon</html>", 200, "text/html"), "HTTP 200 text/html, no SOAP"),
        (Say(b"Error\nfull", 200, "text/plain"), "HTTP 200 text/plain, no SOAP"),
        (Say(b"", 502, "text/html"), "HTTP 502 text/html, no SOAP"),
        (Say(b"", 302, "text/html", {"Location": "/nl/x?t=1"}), "HTTP 302 text/html, no SOAP"),
        (Say(soap("<OtherResponse/>")), "HTTP 200 text/xml, no SOAP"),
        (Say(soap("<LogonResponse/>")), "HTTP 200 text/xml, a Logon reply without a session token"),
    ],
)
def test_success_is_by_meaning(say: Say, reason: str, tmp_path: Path) -> None:
    """Faults, error bodies and pages are unreachable whatever the status; the bytes are kept."""
    campaign = TinyCampaign(Logon=say)
    looked = look(campaign, tmp_path)
    found = of(looked, "Logon")
    assert isinstance(found, Unreachable)
    assert (found.reason, bool(found.value)) == (reason, bool(say.body))
    assert campaign.actions[-1] == "Logon"
    assert view(looked).logon == NotSeen(reason)


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (
            Say(b"<html><body>back soon</body></html>", 200, "text/html"),
            "HTTP 200 text/html, no <redir>",
        ),
        (Say(b"<redir status='OK'/>", 503), "HTTP 503 text/xml, no <redir>"),
        (Say(b"<other/>"), "HTTP 200 text/xml, no <redir>"),
        (Say(b"x" * 200_000), "HTTP 200, more than 100000 bytes"),
        (
            Say(b"<!DOCTYPE redir [<!ENTITY a 'b'>]><redir status='&a;'/>"),
            "HTTP 200 text/xml, no <redir>",
        ),
        (Say(b"", headers={"Location": "//x"}, status=301), "HTTP 301 text/xml, no <redir>"),
    ],
)
def test_a_page_is_not_a_redir(say: Say, reason: str, tmp_path: Path) -> None:
    """Only a small, plain <redir/> over 200 answers /r/test."""
    looked = look(TinyCampaign(redir=say), tmp_path)
    assert {str(getattr(o.outcome, "reason", "")) for o in redirs(looked)} == {reason}
    assert view(looked).redir == ()


def dripping(never: threading.Event) -> Iterator[bytes]:
    """A body that never ends and never stops coming."""
    while not never.wait(0.02):
        yield b" "


def test_a_body_that_drips_is_cut_off() -> None:
    """The total time is bounded even where each single read is quick."""
    never = threading.Event()
    campaign = TinyCampaign(redir=Say(pieces=lambda: dripping(never)))
    with TinyHttp(campaign) as server:
        client = HttpClient(HttpLimits(seconds=0.3))
        got = client.send("GET", server.url + "/r/test", headers={})
        never.set()
    assert (got.status, got.failure) == (200, "timeout")


def test_a_server_that_says_nothing_is_a_timeout() -> None:
    """Accepted, then silence: the exchange ends by itself."""
    ever = threading.Event()

    def silent(got: Got) -> Say:
        del got
        ever.wait(5)
        return Say()

    with TinyHttp(silent) as server:
        got = HttpClient(HttpLimits(seconds=0.2)).send("GET", server.url, headers={})
        ever.set()
    assert (got.status, got.failure) == (None, "timeout")


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://127.0.0.1:1/", "connection refused"),
        ("http://no-such-host.invalid/", "host name not found"),
        ("http://[::1/", None),
    ],
)
def test_no_server_is_told(url: str, failure: str | None) -> None:
    """Refused and unknown hosts have their own reasons; nothing raises."""
    got = HttpClient(HttpLimits(seconds=2)).send("GET", url, headers={})
    assert got.status is None
    assert got.failure == failure or (failure is None and got.failure)


def test_429_is_repeated_once_as_asked() -> None:
    """Retry-After in seconds is honoured once, and recorded."""
    says = [Say(status=429, headers={"Retry-After": "0"}), Say(b"<redir status='OK'/>")]
    with TinyHttp(lambda _: says.pop(0)) as server:
        client = CampaignClient(server.url, HttpClient(LIMITS), Secrets())
        found = client.redir(1)
    assert isinstance(found.outcome, Seen)
    assert found.heard["retried"] == "HTTP 429, after 0 s"


def test_a_closed_kept_connection_is_opened_again() -> None:
    """A server that drops an idle connection without a word has not failed to answer."""

    def closing(got: Got) -> Say:
        del got
        return Say(b"<redir status='OK'/>")

    with TinyHttp(closing, drop=True) as server, HttpClient(LIMITS) as http:
        got = [http.send("GET", server.url, headers={}) for _ in range(5)]
    assert [(one.status, one.failure) for one in got] == [(200, None)] * 5


def test_429_beyond_the_time_is_not_waited_for() -> None:
    """A wait longer than the total time is refused at once."""
    with TinyHttp(lambda _: Say(status=429, headers={"Retry-After": "3600"})) as server:
        found = CampaignClient(server.url, HttpClient(LIMITS), Secrets()).redir(1)
        assert len(server.got) == 1
    assert found.outcome == Unreachable("HTTP 429 text/xml, no <redir>")
    assert found.heard["retry_after"] == "3600"


def test_an_absent_option_is_an_absence(tmp_path: Path) -> None:
    """Campaign's empty value of type 0 is definite."""
    looked = look(TinyCampaign(), tmp_path)
    found = {o.asked["option"]: o.outcome for o in looked.observations if "option" in o.asked}
    assert isinstance(found["NmsEmail_DefaultErrorAddr"], Absent)
    assert isinstance(found["NmsServer_LastPostUpgrade"], Seen)


# sessions


def test_logoff_follows_every_logon(tmp_path: Path) -> None:
    """Even where a call fails in the middle."""
    campaign = TinyCampaign(GetUserInfo=Say(fault("XSV-350008", "expired")))
    look(campaign, tmp_path)
    assert campaign.actions[-1] == "Logoff"


def test_a_stop_still_logs_off(tmp_path: Path) -> None:
    """After Ctrl-C nothing more is asked, but the session is closed."""
    notes = Notes("here")
    campaign = TinyCampaign()

    def stopping(got: Got) -> Say:
        said = campaign(got)
        if campaign.actions[-1] == "Logon":
            notes.stopped.set()
        return said

    with TinyHttp(stopping) as server:
        CampaignProbe(LIMITS).look_into(task(server.url, tmp_path), notes)
    assert campaign.actions[LOOKS:] == ["Logon", "Logoff"]


def test_pages_follow_the_key() -> None:
    """Each page begins behind the last id; a short page is the last."""
    with TinyHttp(TinyCampaign(rows=7)) as server:
        client = CampaignClient(server.url, HttpClient(LIMITS), Secrets())
        pages = list(client.query("xtk:workflow", ("@internalName",), ("@state = 11",), 3))
    assert [len(campaign_client._ids(page.reply)) for page in pages] == [3, 3, 1]
    assert pages[0].observation.asked["body"] == (
        "select @internalName where @state = 11 page 0001 of 3"
    )
    assert b"@state = 11" in server.got[1].body


def test_paging_that_does_not_advance_ends() -> None:
    """A server that repeats a page for ever is left."""
    rows = "".join(f'<workflow id="{i}"/>' for i in (1, 2, 3))
    page = soap(
        f"<ExecuteQueryResponse><p><workflow-collection>{rows}</workflow-collection></p></ExecuteQueryResponse>"
    )
    with TinyHttp(lambda _: Say(page)) as server:
        client = CampaignClient(server.url, HttpClient(LIMITS), Secrets())
        assert len(list(client.query("xtk:workflow", (), (), 3))) == 2


# what is left out


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"credentials": None}, "the estate names no credentials"),
        (
            {"credentials": {"operator": "file:operator", "password": "file:none"}},
            "file:none: no such file",
        ),
        (
            {"credentials": {"ims": {"client_id": "env:WAVEGATE_NO_ID", "client_secret": "env:B"}}},
            "env:WAVEGATE_NO_ID: the environment has no such variable",
        ),
    ],
)
def test_without_credentials_only_r_test(
    fields: dict[str, object], reason: str, tmp_path: Path
) -> None:
    """What cannot be logged on to is looked at from outside, and that is said."""
    campaign = TinyCampaign()
    with TinyHttp(campaign) as server:
        looked = CampaignProbe(LIMITS).look(task(server.url, tmp_path, **fields))
    assert campaign.actions == ["redir"] * LOOKS
    assert [(left.what, left.reason) for left in looked.left_out] == [("SOAP", reason)]


def test_no_url_is_left_out(tmp_path: Path) -> None:
    """Without a url there is nothing to ask."""
    looked = CampaignProbe().look(task(None, tmp_path))
    assert (looked.observations, looked.left_out[0].reason) == ((), "the estate names no url")


def test_a_password_that_xml_cannot_carry(tmp_path: Path) -> None:
    """A control character in the password is told without showing it."""
    (tmp_path / "password").write_text("a\x01b")
    looked = look(TinyCampaign(), tmp_path)
    assert [left.reason for left in looked.left_out] == [
        "operator or password holds what XML cannot carry"
    ]


# secrets


def everything(looked: Looked) -> bytes:
    """All bytes and texts of a look, as they would be stored, and decoded."""
    stored = snapshot("before", looked.observations, left_out=looked.left_out).to_bytes()
    values = b"".join(o.outcome.value for o in looked.observations)
    return stored + values


CANARIES = (
    TOKEN,
    SECURITY,
    PASSWORD,
    "s3cret/&amp;&lt;pass&gt;",
    quote(PASSWORD, safe=""),
    quote_plus(PASSWORD),
    json.dumps(PASSWORD),
    OPERATOR,
)
IN_URL = quote(PASSWORD, safe="")
USER = f'<userInfo a="{TOKEN}" password="x" login="{OPERATOR}" sessionToken="zz"/>'
VALUE = f"<a>{SECURITY}</a><b>6</b>"
ROW = f"<x n='{TOKEN}'/>"
ECHO = (
    f"Invalid login {OPERATOR}, password s3cret/&amp;&lt;pass&gt; url {IN_URL} "
    f"cookie __sessiontoken={TOKEN}; "
    f"Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123 {SECURITY}"
)


@pytest.mark.parametrize(
    "instead",
    [
        {},
        {"Logon": Say(fault("XSV-350012", ECHO), status=403)},
        {"Logon": Say(f"<html>{ECHO}<b title='{PASSWORD}'></html>".encode(), 200, "text/html")},
        {"Logon": Say(b"", 302, "text/html", {"Location": f"/x/{IN_URL}?t={TOKEN}"})},
        {"Logon": Say(b"", 429, "text/html", {"Retry-After": TOKEN, "Set-Cookie": f"a={TOKEN}"})},
        {"GetUserInfo": Say(fault("XSV-350008", ECHO))},
        {"GetUserInfo": Say(soap(f"<GetUserInfoResponse><p>{USER}</p></GetUserInfoResponse>"))},
        {"GetOption": Say(soap(f"<GetOptionResponse>{VALUE}</GetOptionResponse>"))},
        {"ExecuteQuery": Say(soap(f"<ExecuteQueryResponse><p>{ROW}</p></ExecuteQueryResponse>"))},
        {"redir": Say(f"<redir status='OK' host='{IN_URL}' x='{TOKEN}'/>".encode())},
    ],
)  # fmt: skip
def test_no_secret_is_ever_recorded(instead: dict[str, Say], tmp_path: Path) -> None:
    """Tokens, passwords and the operator's name are in no byte of what a look brings."""
    kept = everything(look(TinyCampaign(**instead), tmp_path))  # type: ignore[arg-type] # actions by name
    assert [canary for canary in CANARIES if canary.encode() in kept] == []
    assert b"Bearer abcdef" not in kept


def test_facts_survive_the_cutting(tmp_path: Path) -> None:
    """What is compared is still there after the secrets are gone."""
    kept = of(look(TinyCampaign(), tmp_path), "Logon").value
    for fact in (b'buildNumber="9282"', b'databaseId="uFE8"', b'name="core"', b'login="[cut]"'):
        assert fact in kept
    assert kept.count(b"[cut]") == 4


def test_a_short_password_does_not_eat_the_answers() -> None:
    """A password that hits by chance is cut from failures, where it could be echoed."""
    secrets = Secrets("92")
    assert secrets.cut(b"build='9282'", failure=False) == b"build='9282'"
    assert secrets.cut(b"build='9282'", failure=True) == b"build='[cut]82'"


def test_cutting_is_linear() -> None:
    """Hostile bodies of a megabyte are cut in no noticeable time."""
    secrets = Secrets(PASSWORD)
    for body in (
        b"a" * 10**5,
        b"<a" * 10**5,
        b"token=" * 10**5,
        b'token="' * 10**4,
        b"<token " * 10**4,
        b"___" * 10**5,
    ):
        secrets.cut(body, failure=True)


# trust


def test_one_context_serves_the_whole_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making a TLS context is dear; all instances without their own CA share one."""
    made = []
    create = ssl.create_default_context

    def counting(*args: object, **kwargs: object) -> ssl.SSLContext:
        made.append(args)
        return create(*args, **kwargs)  # type: ignore[arg-type] # passed through

    http_client._shared_context.cache_clear()
    monkeypatch.setattr(ssl, "create_default_context", counting)
    for _ in range(3):
        look(TinyCampaign(), tmp_path)
    assert len(made) == 1


@pytest.fixture
def tls_campaign(tmp_path: Path) -> Iterator[TinyHttp]:
    """Campaign over TLS, its CA in ca.pem."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = TinyHttp(TinyCampaign())
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    with server:
        yield server


def test_the_instances_own_ca_is_trusted(tls_campaign: TinyHttp, tmp_path: Path) -> None:
    """With tls.ca the exchange succeeds, without it the certificate is refused."""
    url = tls_campaign.url.replace("http:", "https:")
    good = CampaignProbe(LIMITS).look(task(url, tmp_path, tls={"ca": "file:ca.pem"}))
    bad = CampaignProbe(LIMITS).look(task(url, tmp_path))
    assert {type(o.outcome) for o in redirs(good)} == {Seen}
    assert isinstance(of(good, "Logon"), Seen)
    (reason,) = {str(getattr(o.outcome, "reason", "")) for o in redirs(bad)}
    assert reason.startswith("TLS: certificate not trusted")


def test_a_ca_that_is_none_is_left_out(tmp_path: Path) -> None:
    """Without the trust that the estate asks for nothing is asked at all."""
    (tmp_path / "ca.pem").write_text("not a certificate")
    campaign = TinyCampaign()
    with TinyHttp(campaign) as server:
        asked = task(server.url, tmp_path, tls={"ca": "file:ca.pem"})
        looked = CampaignProbe(LIMITS).look(asked)
    assert (looked.observations, campaign.actions, len(looked.left_out)) == ((), [], 1)


def test_proxies_of_the_environment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is looked at is the instance, not a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert {type(o.outcome) for o in redirs(look(TinyCampaign(), tmp_path))} == {Seen}


def test_the_looks_are_enough_to_miss_a_front() -> None:
    """Of two fronts that answer in turn, one that is gone after is no matter of chance."""
    share = lower_bound(LOOKS // 2, LOOKS)
    assert chance_of_missing([share], LOOKS) < Policy().coverage_alpha / 1_000_000
