# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's Campaign over HTTP: shapes, sessions, refusals, and the watch for writing calls."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import requests
from lxml import etree

from wavegate.lab.campaign_server import Campaign
from wavegate.lab.running import Lab

XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A session that heeds no proxies of the environment."""
    with closing(requests.Session()) as session:
        session.trust_env = False
        yield session


@pytest.fixture
def campaign(calm_lab: Lab) -> Iterator[Campaign]:
    """The endpoint of acme-prod1; its scene is put back afterwards."""
    found = calm_lab.campaigns["acme-prod1"]
    scene = found.scene
    yield found
    found.scene = scene
    calm_lab.log.writes.clear()


def _call(
    http: requests.Session, url: str, action: str, *inside: str, security: str = ""
) -> requests.Response:
    method = action.split("#")[1]
    body = (
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV='http://schemas.xmlsoap.org/soap/envelope/'>"
        f"<SOAP-ENV:Body><m:{method} xmlns:m='urn:x'>{''.join(inside)}</m:{method}>"
        "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    headers = {"SOAPAction": action, "X-Security-Token": security, "Content-Type": "text/xml"}
    return http.post(f"{url}/nl/jsp/soaprouter.jsp", body, headers=headers, timeout=5)


def _logon(http: requests.Session, campaign: Campaign, password: str = "") -> requests.Response:
    account = campaign.sessions
    return _call(
        http,
        campaign.url,
        "xtk:session#Logon",
        "<any/>",
        f"<names>{account.operator}</names>",
        f"<will>{password or account.password}</will>",
        "<do/>",
    )


def _tokens(response: requests.Response) -> tuple[str, str]:
    tree = etree.fromstring(response.content)
    session = tree.findtext(".//{urn:xtk:session}pstrSessionToken")
    security = tree.findtext(".//{urn:xtk:session}pstrSecurityToken")
    assert session
    assert security
    return session, security


def test_logon_has_the_exact_shape(http: requests.Session, campaign: Campaign) -> None:
    """Types, namespaces and the unprefixed response are what real clients insist on."""
    response = _logon(http, campaign)
    assert b"<LogonResponse xmlns='urn:xtk:session'" in response.content
    assert b"<SOAP-ENV:Body>" in response.content
    tree = etree.fromstring(response.content)
    types = {etree.QName(item).localname: item.get(XSI) for item in tree.iter() if item.get(XSI)}
    assert types == {
        "pstrSessionToken": "xsd:string",
        "pSessionInfo": "ns:Element",
        "pstrSecurityToken": "xsd:string",
    }
    server = next(item for item in tree.iter() if etree.QName(item).localname == "serverInfo")
    assert (server.get("buildNumber"), server.get("instanceName")) == ("9282", "acme-prod1")


def test_a_wrong_password_is_refused(http: requests.Session, campaign: Campaign) -> None:
    """HTTP 403 with Campaign's code."""
    response = _logon(http, campaign, "wrong")
    assert (response.status_code, b"XSV-350012" in response.content) == (403, True)


@pytest.mark.parametrize(
    ("name", "value", "kind"), [("NmsServer_LastPostUpgrade", "9236", "6"), ("Absent", "", "0")]
)
def test_options_tell_value_and_type(
    http: requests.Session, campaign: Campaign, name: str, value: str, kind: str
) -> None:
    """An absent option is empty and of type 0, not a fault."""
    session, security = _tokens(_logon(http, campaign))
    response = _call(
        http,
        campaign.url,
        "xtk:session#GetOption",
        f"<a>{session}</a><b>{name}</b>",
        security=security,
    )
    tree = etree.fromstring(response.content)
    assert tree.findtext(".//{urn:xtk:session}pstrValue") == value
    assert tree.findtext(".//{urn:xtk:session}pbtType") == kind


def test_a_session_ends_with_logoff(http: requests.Session, campaign: Campaign) -> None:
    """The token is dead afterwards, and a forged one never lived: a fault over HTTP 200."""
    session, security = _tokens(_logon(http, campaign))
    inside = f"<a>{session}</a>"
    url = campaign.url
    before = _call(http, url, "xtk:session#GetUserInfo", inside, security=security)
    _call(http, url, "xtk:session#Logoff", inside, security=security)
    after = _call(http, url, "xtk:session#GetUserInfo", inside, security=security)
    forged = _call(http, url, "xtk:session#GetUserInfo", "<a>___forged</a>", security="@x")
    assert b"userInfo" in before.content
    assert [found.status_code for found in (after, forged)] == [200, 200]
    assert all(b"XSV-350008" in found.content for found in (after, forged))


def test_ping_needs_a_session(http: requests.Session, campaign: Campaign) -> None:
    """Anonymous callers are turned away; the queue is told to the others."""
    assert http.get(f"{campaign.url}/nl/jsp/ping.jsp", timeout=5).status_code == 403
    session, security = _tokens(_logon(http, campaign))
    headers = {"X-Session-Token": session, "X-Security-Token": security}
    ping = http.get(f"{campaign.url}/nl/jsp/ping.jsp", headers=headers, timeout=5)
    queue = http.get(f"{campaign.url}/nl/jsp/mcPing.jsp", headers=headers, timeout=5)
    assert ping.text.splitlines()[0] == "OK"
    assert queue.text.splitlines()[2] == "7/400 pending events"


def test_a_full_queue_is_an_error_over_200(http: requests.Session, campaign: Campaign) -> None:
    """Only the body tells."""
    scene = campaign.scene
    state = scene.instance("acme-prod1")
    full = replace(state, campaign=replace(state.campaign, queue=(400, 400)))
    session, security = _tokens(_logon(http, campaign))
    campaign.scene = scene.with_instance(full)
    headers = {"X-Session-Token": session, "X-Security-Token": security}
    queue = http.get(f"{campaign.url}/nl/jsp/mcPing.jsp", headers=headers, timeout=5)
    assert (queue.status_code, queue.text) == (200, "Error\nThe queue is full (400/400)")


def test_fronts_take_turns(http: requests.Session, campaign: Campaign) -> None:
    """One look shows one front."""
    seen = {
        etree.fromstring(http.get(f"{campaign.url}/r/test", timeout=5).content).get("localHost")
        for _ in range(2)
    }
    assert seen == {"acmeol-prod1-app-1", "acmeol-prod1-app-2"}


@pytest.mark.parametrize(
    "action", ["xtk:persist#Write", "xtk:session#SetOption", "nms:delivery#SubmitDelivery"]
)
def test_writing_calls_are_noticed(
    http: requests.Session, campaign: Campaign, calm_lab: Lab, action: str
) -> None:
    """Wavegate must never write; the lab is the one that would know."""
    response = _call(http, campaign.url, action, "<a/>")
    assert b"SOP-330006" in response.content
    assert calm_lab.log.writes == [f"acme-prod1 {action}"]


def test_reading_calls_are_counted_and_not_flagged(
    http: requests.Session, campaign: Campaign, calm_lab: Lab
) -> None:
    """Looking is allowed, and known."""
    before = calm_lab.log.counts["acme-prod1", "xtk:session#Logon"]
    _logon(http, campaign)
    assert calm_lab.log.counts["acme-prod1", "xtk:session#Logon"] == before + 1
    assert calm_lab.log.writes == []


def test_a_malformed_envelope_is_a_fault(http: requests.Session, campaign: Campaign) -> None:
    """Entities and rubbish never reach a method."""
    evil = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"
    response = http.post(
        f"{campaign.url}/nl/jsp/soaprouter.jsp",
        evil,
        headers={"SOAPAction": "xtk:session#Logon"},
        timeout=5,
    )
    assert (response.status_code, b"SOP-330012" in response.content) == (200, True)
