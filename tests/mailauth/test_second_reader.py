# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import socket
from typing import Any

import checkdmarc.spf  # type: ignore[import-untyped] # ships no types
import dns.query
import dns.resolver
import pytest
from tests.mailauth.zones import Table, absolute

from wavegate.mailauth.dmarc import discover
from wavegate.mailauth.second_reader import read_dmarc, read_spf
from wavegate.mailauth.spf_compare import policy
from wavegate.mailauth.spf_macro import Sender

D = absolute("d.example")


class NetworkUsedError(BaseException):
    """Something was asked outside; no `except Exception` of a library hides it."""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket is used, no name is looked up, and dnspython asks nobody."""

    def refuse(*_: object, **__: object) -> None:
        raise NetworkUsedError

    for name in ("connect", "sendto", "connect_ex", "sendmsg", "bind", "send"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for function in ("udp", "tcp", "tls", "https", "quic", "udp_with_fallback"):
        monkeypatch.setattr(dns.query, function, refuse)
    monkeypatch.setattr(dns.resolver.Resolver, "resolve", refuse)


def spf(text: str, **more: Any) -> tuple[str, ...]:
    """The remarks on an SPF policy."""
    lookup = Table({"d.example": [{"TXT": text}], **more})
    return read_spf(D, lookup, policy(Sender(domain=D), lookup))


def dmarc(text: str) -> tuple[str, ...]:
    """The remarks on a DMARC record."""
    lookup = Table({"_dmarc.d.example": [{"TXT": text}]})
    return read_dmarc(lookup, discover(D, lookup))


REACHES_OUT = {
    "every mechanism": "v=spf1 a mx a:h.example mx:h.example ptr exists:%{i}.x.example "
    "include:x.example redirect=x.example",
    "exp": "v=spf1 ip4:192.0.2.1 exp=why.example -all",
    "exp behind a redirect": "v=spf1 redirect=x.example",
    "exp behind an include": "v=spf1 include:x.example -all",
    "exp in capitals": "V=SPF1 EXP=why.example -ALL",
    "exp with a macro": "v=spf1 exp=%{i}.why.example -all",
    "macros": "v=spf1 include:%{d}.x.example a:%{o} -all",
    "a name nobody captured": "v=spf1 include:nowhere.example a:nowhere.example -all",
}


@pytest.mark.parametrize("policy_text", REACHES_OUT)
def test_no_network_is_touched(policy_text: str) -> None:
    """Not for any mechanism, and not for exp=, whose check goes past the resolver it is given."""
    more = {
        "x.example": [{"TXT": "v=spf1 ip4:192.0.2.9 exp=why.example -all"}],
        "h.example": [{"A": "192.0.2.5"}, {"MX": [10, "h.example"]}],
    }
    assert isinstance(spf(REACHES_OUT[policy_text], **more), tuple)


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1; p=none; rua=mailto:a@elsewhere.example; ruf=mailto:b@third.example",
        "v=DMARC1;p=none;RUA=mailto:a@elsewhere.example",
        "v=DMARC1; p=none ; rua = mailto:a@elsewhere.example",
    ],
)
def test_report_addresses_are_not_asked_for(text: str) -> None:
    """The library would look for the MX and the consent of each destination."""
    lookup = Table({"_dmarc.d.example": [{"TXT": text}]})
    assert isinstance(read_dmarc(lookup, discover(D, lookup)), tuple)


def test_the_guard_would_notice() -> None:
    """The library itself does reach out for exp=, whatever resolver it is given."""
    text, stub = "v=spf1 exp=why.example -all", dns.resolver.Resolver(configure=False)
    with pytest.raises(NetworkUsedError):
        checkdmarc.spf.parse_spf_record(text, "d.example", resolver=stub)


def test_agreement_is_silent() -> None:
    """Where both readers accept a policy there is nothing to say."""
    more = {"x.example": [{"TXT": "v=spf1 ip4:192.0.2.9 exp=why.example -all"}]}
    assert () == spf("v=spf1 ip4:192.0.2.1 include:x.example exp=e.example -all", **more)
    assert () == dmarc("v=DMARC1; p=reject; rua=mailto:a@elsewhere.example")


@pytest.mark.parametrize("text", ["v=spf1 -all moo", "V=SPF1 -all"])
def test_disagreement_is_told_with_why_ours_stands(text: str) -> None:
    """What one accepts and the other does not is a remark, never a verdict."""
    (remark,) = spf(text)
    assert remark.startswith("two readers disagree on SPF of d.example: checkdmarc")
    assert "ours stands" in remark


def test_a_bad_keyword_that_has_a_default_is_a_disagreement() -> None:
    """RFC 9989 gives an invalid fo its default, the other reader refuses the record."""
    (remark,) = dmarc("v=DMARC1; p=none; rua=mailto:a@b.example; fo=9")
    assert remark.startswith("two readers disagree on _dmarc.d.example")


def test_answers_of_one_capture_do_not_leak_into_the_next() -> None:
    """The library's cache is emptied: a second capture is read from its own answers."""
    text = "v=spf1 include:x.example -all"
    assert () == spf(text, **{"x.example": [{"TXT": "v=spf1 -all"}]})
    assert () == spf(text)  # the include is gone: both readers refuse it now
    assert () == spf(text, **{"x.example": [{"TXT": "v=spf1 -all"}]})


@pytest.mark.parametrize(
    "text", ["v=spf1 " + "(" * 4000, "v=spf1 include:d.example", "v=spf1 \u00ff"]
)
def test_hostile_text_never_raises(text: str) -> None:
    """A second reader that gives up is a remark at most."""
    assert isinstance(spf(text), tuple)
