# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.tiny_http import Got, Say, TinyHttp
from tests.builders.tiny_smtp import TinySmtp

from wavegate.errors import InputError, MissingError
from wavegate.run.notify import Sent, Transition, check, notify

AT = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
BROKE = Transition(
    kind="broke",
    cause="c1",
    promise="spf",
    instances=("acme-dev1",),
    customer="acme",
    owner="team-a",
    text_lines=("news.acme.example TXT: before <v=spf1 -all>, after none",),
    since=AT,
    lasted=None,
)
BACK = replace(BROKE, kind="recovered", lasted=timedelta(days=2))
BODY = (
    "BROKE: spf, since 2026-11-25T02:30:00Z\n"
    "  acme-dev1\n"
    "  cause: c1\n"
    "  news.acme.example TXT: before <v=spf1 -all>, after none\n"
    "\n"
    "Night of 2026-11-25T02:30:00Z. Details: the night's report."
)


def accept(_: Got) -> Say:
    """A webhook that takes everything."""
    return Say(b"ok", kind="text/plain")


def hook(server: TinyHttp) -> str:
    """The apprise URL of a webhook, with a canary for a token."""
    return server.url.replace("http://", "json://") + "/hook/t0ken-canary"


def posted(got: Got) -> Mapping[str, str]:
    """What arrived at a webhook."""
    found = json.loads(got.body)
    return {key: found[key] for key in ("title", "message", "type")}


def closed_port() -> int:
    """A port of loopback at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_a_mail_arrives_as_it_was_written() -> None:
    """Over real SMTP: subject, body and recipient."""
    with TinySmtp() as smtp:
        sent = notify([BROKE], [smtp.url("team@acme.example")], at=AT, references=["env:MAIL"])
    title = "Wavegate nightly: acme: 1 broke"
    assert (
        Sent(to="env:MAIL (mailto)", title=title, causes=("c1",), at=AT, ok=True, why=None),
    ) == sent
    assert [("team@acme.example",)] == smtp.rcpt
    assert [title] == [mail["Subject"] for mail in smtp.got]
    assert BODY == smtp.got[0].get_content().replace("\r\n", "\n").strip()


def test_a_webhook_gets_transition_and_recovery() -> None:
    """Over real HTTP: what broke is a failure, what recovered a success with its duration."""
    with TinyHttp(accept) as server:
        notify([BROKE], [hook(server)], at=AT)
        notify([BACK], [hook(server)], at=AT)
    broke, back = map(posted, server.got)
    assert {"title": "Wavegate nightly: acme: 1 broke", "message": BODY, "type": "failure"} == broke
    assert ("success", "RECOVERED: spf, after 2d") == (
        back["type"],
        back["message"].splitlines()[0],
    )


def test_a_quiet_night_sends_nothing() -> None:
    """No transition, no message, and not even apprise is needed."""
    with TinyHttp(accept) as server:
        assert () == notify([], [hook(server)], at=AT)
    assert [] == server.got


def test_owners_get_what_is_theirs() -> None:
    """A line `OWNER = URL` takes its owners' transitions only, a bare URL takes all."""
    other = replace(BROKE, cause="c2", instances=("acme-dev2",), owner="Team-B")
    with TinySmtp() as smtp:
        urls = "\n".join(
            [
                "# who is told",
                f"team-a = {smtp.url('a@acme.example')}",
                f"team-b, team-c = {smtp.url('b@acme.example')}",
                smtp.url("all@acme.example"),
            ]
        )
        sent = notify([BROKE, other], [urls], at=AT, references=["file:notify"])
    bodies = [mail.get_content() for mail in smtp.got]
    assert [("a@acme.example",), ("b@acme.example",), ("all@acme.example",)] == smtp.rcpt
    assert [(True, False), (False, True), (True, True)] == [
        ("acme-dev1" in body, "acme-dev2" in body) for body in bodies
    ]
    assert [
        "file:notify line 2 (mailto)",
        "file:notify line 3 (mailto)",
        "file:notify line 4 (mailto)",
    ] == [one.to for one in sent]


def test_an_owner_whom_no_address_is_for_is_told() -> None:
    """A transition that nobody hears of is a failure to notify, not silence."""
    with TinyHttp(accept) as server:
        sent = notify([BROKE, replace(BROKE, owner=None)], [f"team-z={hook(server)}"], at=AT)
    said = "NOT notified: nobody: 1 transitions: no address is for {}, and none is for all"
    assert [
        said.format("instances without an owner"),
        said.format("the owner team-a"),
    ] == [one.line for one in sent]
    assert [] == server.got


def test_other_customers_names_do_not_go_out() -> None:
    """The words that name others are withheld on the wire too."""
    mine = replace(BROKE, text_lines=("as news.globex.example",))
    with TinyHttp(accept) as server:
        notify([mine], [hook(server)], at=AT, names={"globex": ("news.globex.example",)})
    assert b"globex" not in server.got[0].body


@pytest.mark.parametrize("status", [302, 403, 500])
def test_a_webhook_that_refuses_is_told_without_its_url(status: int) -> None:
    """A refusal is a sentence; the URL's token stands in none; a redirect is not followed."""
    refuse = Say(b"no", status=status, headers={"Location": "/elsewhere"})
    with TinyHttp(lambda _: refuse) as server:
        (sent,) = notify([BROKE], [hook(server)], at=AT, references=["env:HOOK"])
    assert (False, "env:HOOK (json)") == (sent.ok, sent.to)
    assert sent.why
    assert "canary" not in json.dumps(sent.to_json()) + sent.line
    assert {"/hook/t0ken-canary"} == {got.path for got in server.got}


def test_a_mail_server_that_refuses_is_told() -> None:
    """A 554 to the mail is a failure to notify."""
    with TinySmtp(answer="554 not here") as smtp:
        url = smtp.url("team@acme.example") + "&retry=0"  # apprise waits 5 s between two mails
        (sent,) = notify([BROKE], [url], at=AT)
    assert (False, "--notify 1 (mailto)") == (sent.ok, sent.to)
    assert sent.why


def test_one_address_that_fails_keeps_no_other_from_being_told() -> None:
    """The second address gets its message although nobody listens at the first."""
    dead = f"json://user:pass-canary@127.0.0.1:{closed_port()}/"
    with TinyHttp(accept) as server:
        sent = notify([BROKE], [dead, hook(server)], at=AT)
    assert [False, True] == [one.ok for one in sent]
    assert "canary" not in str(sent)
    assert 1 == len(server.got)


def test_an_address_that_fails_twice_is_given_up_for_the_night() -> None:
    """A dead endpoint does not hold the night up once for each customer."""
    many = [replace(BROKE, cause=f"c{n}", customer=f"customer{n}") for n in range(4)]
    sent = notify(many, [f"json://127.0.0.1:{closed_port()}/"], at=AT)
    assert [None, None, "not tried: 2 in a row could not be sent"] == [
        one.why if one.why and one.why.startswith("not tried") else None for one in sent[:3]
    ]
    assert 4 == len(sent)


@pytest.mark.parametrize("text", ["", "# nothing", "hello", "nonsense://x/canary", "mailto://"])
def test_what_is_no_address_is_told_and_never_raised_by_a_night(text: str) -> None:
    """`check` refuses before the night, `notify` tells it; neither shows what stands there."""
    sent = notify([BROKE], [text], at=AT, references=["env:HOOK"])[0]
    assert (False, "not an address that apprise understands") == (sent.ok, sent.why)
    with pytest.raises(InputError) as caught:
        check([text], ["env:HOOK"])
    assert (caught.value.where or "").startswith("env:HOOK")
    assert "canary" not in str(caught.value) + str(sent)


def test_good_addresses_pass_the_check_and_nothing_is_sent() -> None:
    """The check before a night touches no network."""
    with TinyHttp(accept) as server:
        check([hook(server), f"team-a = {hook(server)}"])
    assert [] == server.got


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is something missing (exit 3), with its cure; never a traceback."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    for attempt in (lambda: check(["json://x/"]), lambda: notify([BROKE], ["json://x/"], at=AT)):
        with pytest.raises(MissingError) as caught:
            attempt()
        assert "pip install 'wavegate[notify]', or leave --notify out" == caught.value.cure
