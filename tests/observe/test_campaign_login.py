# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Logging on with client credentials: at a capture, in a watch, for the queue; and what fails."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.estates import estate, instance
from tests.builders.snapshots import snapshot
from tests.builders.tiny_http import Got, Say, TinyHttp

from wavegate.estate.model import Credentials, Estate, Ims
from wavegate.estate.policy import Policy
from wavegate.lab.campaign_ims import TOKEN_PATH
from wavegate.lab.running import Lab
from wavegate.lab.serve import running
from wavegate.observe.campaign_login import Entrance, NoBearer
from wavegate.observe.campaign_probe import CampaignProbe
from wavegate.observe.functions.answer import Answer
from wavegate.observe.functions.campaign import Session, session_of
from wavegate.observe.functions.facing import Facing
from wavegate.observe.probe import Looked, Task
from wavegate.observe.queue_probe import Follow, Place, look_at
from wavegate.observe.redact import Secrets
from wavegate.record.campaign_view import BEARER_LOGON, CampaignView, ServerInfo

HERE = Policy.model_validate({"reachable_private": ("127.0.0.0/8",), "too_slow": "5s"})
GOOD = {"access_token": "eyJ0.e30.good-token-of-a-test", "expires_in": 86_399}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A Campaign with an identity service."""
    folder = tmp_path_factory.mktemp("lab")
    with running("single", folder, opens_in=timedelta(minutes=10)) as found:
        yield found


@pytest.fixture
def agreed(lab: Lab, tmp_path: Path) -> Estate:
    """The estate that names client credentials, and the files that they stand in."""
    inside = lab.campaigns["acme-prod1"]
    (tmp_path / "id").write_text(inside.sessions.ims.client_id)
    (tmp_path / "secret").write_text(inside.sessions.ims.client_secret)
    one = instance(
        url=inside.url,
        credentials={
            "ims": {
                "client_id": "file:id",
                "client_secret": "file:secret",
                "url": inside.url + TOKEN_PATH,
            }
        },
    )
    return estate(one, policy=HERE)


def task(agreed: Estate, base: Path) -> Task:
    """The one instance."""
    return Task(estate=agreed, instance=agreed.instances[0], vantage="here", base=base)


def captured(agreed: Estate, base: Path) -> Looked:
    """What a capture sees of Campaign."""
    return CampaignProbe().look(task(agreed, base))


def test_a_capture_logs_on_and_keeps_no_token(lab: Lab, agreed: Estate, tmp_path: Path) -> None:
    """The build is told as by Logon; neither secret nor bearer token is in what is recorded."""
    looked = captured(agreed, tmp_path)
    assert () == tuple(looked.left_out)
    taken = snapshot("before", looked.observations)
    assert isinstance(CampaignView(taken).logon, ServerInfo)
    actions = [o.asked.get("action") for o in looked.observations]
    assert 1 == actions.count(BEARER_LOGON)
    ims = lab.campaigns["acme-prod1"].sessions.ims
    kept = taken.to_bytes() + b"".join(o.outcome.value for o in looked.observations)
    assert [] == [word for word in (ims.client_secret, *ims.bearers) if word.encode() in kept]
    assert [] == lab.log.writes


def test_a_refused_secret_is_left_out_with_the_reason(agreed: Estate, tmp_path: Path) -> None:
    """What the identity service refuses says nothing about the instance."""
    (tmp_path / "secret").write_text("wrong")
    looked = captured(agreed, tmp_path)
    reason = "no bearer token from 127.0.0.1: HTTP 400 invalid_client"
    assert [("SOAP", reason)] == [(left.what, left.reason) for left in looked.left_out]


def test_a_watch_and_the_queue_log_on_the_same_way(agreed: Estate, tmp_path: Path) -> None:
    """One token serves many sessions of a watch; the queue is listed with one of its own."""
    facing = Facing(
        estate=agreed,
        instance=agreed.instances[0],
        window=timedelta(seconds=20),
        base=tmp_path,
    )
    session = session_of(facing)
    assert isinstance(session, Session)
    opened = [session.logon() for _ in range(2)]
    assert [] == [found for found in opened if isinstance(found, Answer)]
    facing.connections.close()
    place = Place(
        instance="acme-prod1",
        customer="acme",
        wave="w",
        moment="before",
        vantage="here",
        keep=lambda text: text,
    )
    looked = look_at(task(agreed, tmp_path), place, Follow())
    assert (True, True) == (looked.complete, len(looked.rows) > 0), looked.missing


def entrance(url: str, base: Path, policy: Policy = HERE) -> Entrance:
    """The door of credentials whose service stands at a url."""
    (base / "id").write_text("client")
    (base / "secret").write_text("a-long-secret")
    ims = Ims(client_id="file:id", client_secret="file:secret", url=url)
    return Entrance(Credentials(ims=ims), base, policy, Secrets())


def test_a_token_is_asked_for_once_while_it_lasts(tmp_path: Path) -> None:
    """Kept for half its time; one whose end nobody told is used once."""
    asked: list[bytes] = []
    told = dict(GOOD)

    def answer(got: Got) -> Say:
        asked.append(got.body)
        return Say(json.dumps(told).encode(), kind="application/json")

    with TinyHttp(answer) as server:
        lasting = entrance(server.url, tmp_path)
        assert [BEARER_LOGON] * 2 == [getattr(lasting.way(), "action", "") for _ in range(2)]
        assert 1 == len(asked)
        del told["expires_in"]
        fleeting = entrance(server.url, tmp_path)
        assert [BEARER_LOGON] * 2 == [getattr(fleeting.way(), "action", "") for _ in range(2)]
    assert 3 == len(asked)
    assert b"grant_type=client_credentials&client_id=client&client_secret=a-long-secret" in asked[0]


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (Say(b"<html>busy</html>", status=503, kind="text/html"), "HTTP 503 text/html"),
        (Say(b"[1]", kind="application/json"), "HTTP 200 application/json"),
        (Say(b'{"access_token": 7}', kind="application/json"), "HTTP 200 application/json"),
        (Say(b"[" * 100_000, kind="application/json"), "HTTP 200 application/json"),
        (Say(b'{"error": "a-long-secret"}', status=400), "HTTP 400 [cut]"),
    ],
)
def test_no_token_is_no_way(tmp_path: Path, say: Say, reason: str) -> None:
    """Whatever comes instead of a token is told in a few words, and without the secret."""
    with TinyHttp(lambda _: say) as server:
        found = entrance(server.url, tmp_path).way()
    assert NoBearer(f"no bearer token from 127.0.0.1: {reason}") == found


def test_a_private_service_is_asked_only_where_the_estate_lists_it(tmp_path: Path) -> None:
    """As with every url of the estate but the instance's own."""
    with TinyHttp(lambda _: Say(json.dumps(GOOD).encode())) as server:
        found = entrance(server.url, tmp_path, Policy()).way()
        assert [] == server.got
    assert isinstance(found, NoBearer)
    assert "not in policy.reachable_private" in found.reason
