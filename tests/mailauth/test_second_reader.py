# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import socket
from typing import Any

import pytest
from tests.mailauth.zones import Table, absolute

from wavegate.mailauth.dmarc import discover
from wavegate.mailauth.second_reader import read_dmarc, read_spf
from wavegate.mailauth.spf_compare import policy
from wavegate.mailauth.spf_macro import Sender

D = absolute("d.example")


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was used")

    for name in ("connect", "sendto", "connect_ex", "sendmsg"):
        monkeypatch.setattr(socket.socket, name, refuse)


def spf(text: str, **more: Any) -> tuple[str, ...]:
    """The remarks on an SPF policy."""
    lookup = Table({"d.example": [{"TXT": text}], **more})
    return read_spf(D, lookup, policy(Sender(domain=D), lookup))


def dmarc(text: str) -> tuple[str, ...]:
    """The remarks on a DMARC record."""
    lookup = Table({"_dmarc.d.example": [{"TXT": text}]})
    return read_dmarc(lookup, discover(D, lookup))


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
