# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""TLS and host keys as a capture sees them, over real handshakes on loopback."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.builders.estates import estate, instance
from tests.builders.snapshots import snapshot
from tests.builders.tiny_tcp import TinyTcp

from wavegate.estate.policy import Policy
from wavegate.observe.host_probe import HostProbe
from wavegate.observe.probe import Looked, Task
from wavegate.record.certificate import read_certificate
from wavegate.record.host_view import Handshake, HostView
from wavegate.record.observation import Absent, Seen, Unreachable

LOOPBACK = Policy.model_validate(
    {"reachable_private": ("127.0.0.0/8", "::1/128"), "too_slow": "5s"}
)


def look(tmp_path: Path, ca: trustme.CA, policy: Policy = LOOPBACK, **other: object) -> Looked:
    """What the probe brings of an instance that trusts an authority."""
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    fields: dict[str, Any] = {"url": None, "tls": {"ca": "file:ca.pem"}} | other
    one = instance(**fields)
    made = estate(one, policy=policy)
    return HostProbe().look(Task(estate=made, instance=one, vantage="here", base=tmp_path))


def shakes(
    ca: trustme.CA,
    host: str = "localhost",
    most: ssl.TLSVersion | None = None,
    least: ssl.TLSVersion | None = None,
) -> Callable[[socket.socket], None]:
    """A server that shakes hands."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = least or ssl.TLSVersion.TLSv1_2
    context.maximum_version = most or ssl.TLSVersion.TLSv1_3
    ca.issue_cert(host).configure_cert(context)

    def talk(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as secure:
            secure.recv(1)

    return talk


def seen(looked: Looked) -> tuple[Handshake, ...]:
    """The handshakes of the one host."""
    (found,) = HostView(snapshot("before", looked.observations)).tls.values()
    return found


def test_both_versions_show_the_certificate(tmp_path: Path) -> None:
    """One handshake in each version, trusted by the instance's own authority."""
    ca = trustme.CA()
    with TinyTcp(shakes(ca)) as server:
        looked = look(tmp_path, ca, url=f"https://localhost:{server.port}/x")
    found = seen(looked)
    assert ["TLS 1.2", "TLS 1.3"] == [shake.version for shake in found]
    for shake in found:
        assert isinstance(shake.outcome, Seen)
        assert ("localhost",) == read_certificate(shake.outcome.value).names
        assert shake.untrusted is None


@pytest.mark.parametrize(
    ("least", "refused"), [(ssl.TLSVersion.TLSv1_3, "TLS 1.2"), (None, "TLS 1.3")]
)
def test_a_version_that_is_refused_is_absent(
    tmp_path: Path, least: ssl.TLSVersion | None, refused: str
) -> None:
    """An alert is a definite answer of the server."""
    ca = trustme.CA()
    most = None if least else ssl.TLSVersion.TLSv1_2
    with TinyTcp(shakes(ca, least=least, most=most)) as server:
        looked = look(tmp_path, ca, url=f"https://localhost:{server.port}")
    outcomes = {shake.version: shake.outcome for shake in seen(looked)}
    assert Absent("refused") == outcomes.pop(refused)
    assert all(isinstance(outcome, Seen) for outcome in outcomes.values())


@pytest.mark.parametrize(
    ("host", "strange", "why"),
    [
        ("localhost", True, "unable to get local issuer certificate (a missing intermediate?)"),
        ("t.globex.example", False, "Hostname mismatch, certificate is not valid for 'localhost'."),
    ],
)
def test_a_certificate_that_is_not_trusted_is_kept_with_why(
    tmp_path: Path, host: str, why: str, *, strange: bool
) -> None:
    """Whose it is can be told all the same."""
    ca = trustme.CA()
    with TinyTcp(shakes(trustme.CA() if strange else ca, host)) as server:
        looked = look(tmp_path, ca, url=f"https://localhost:{server.port}")
    for shake in seen(looked):
        assert isinstance(shake.outcome, Seen)
        assert (host,) == read_certificate(shake.outcome.value).names
        assert why == shake.untrusted


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (lambda peer: peer.sendall(b"HTTP/1.0 400 Bad\r\n\r\n"), "TLS: WRONG_VERSION_NUMBER"),
        (lambda peer: peer.close(), None),
    ],
)
def test_a_host_that_speaks_no_tls_is_unreachable(
    tmp_path: Path, talk: Callable[[socket.socket], None], reason: str | None
) -> None:
    """Nothing is invented: no version, no certificate."""
    with TinyTcp(talk) as server:
        looked = look(tmp_path, trustme.CA(), url=f"https://localhost:{server.port}")
    for shake in seen(looked):
        assert isinstance(shake.outcome, Unreachable)
        assert reason in (None, shake.outcome.reason)


def test_plain_http_is_not_asked_for_tls(tmp_path: Path) -> None:
    """Where the estate names no https, there is nothing to look at."""
    looked = look(tmp_path, trustme.CA(), url="http://localhost:1/")
    assert ((), ()) == (looked.observations, looked.left_out)


def test_a_private_host_is_not_contacted_unless_the_estate_lists_it(tmp_path: Path) -> None:
    """It is left out with the reason, and no connection is made."""
    met = list[object]()
    with TinyTcp(met.append) as server:
        place = f"localhost:{server.port}"
        functions = {"tracking": {"url": f"https://{place}/r/test"}, "sftp": {"host": place}}
        looked = look(tmp_path, trustme.CA(), Policy(), functions=functions)
    assert [] == met
    assert () == looked.observations
    reasons = {left.what: left.reason for left in looked.left_out}
    assert {f"TLS of {place}", f"host key of {place}"} == set(reasons)
    assert all("reachable_private" in reason for reason in reasons.values())


def test_no_ssh_is_unreachable(tmp_path: Path) -> None:
    """Something else on the port: no key, and why."""
    with TinyTcp(lambda peer: peer.sendall(b"220 ftp\r\n" * 30)) as server:
        looked = look(tmp_path, trustme.CA(), functions={"sftp": {"host": server.place}})
    (found,) = looked.observations
    assert ("ssh", Unreachable("no SSH greeting")) == (found.kind, found.outcome)


def test_trust_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """No verdict on trust without the trust that was agreed."""
    one = instance(url="https://localhost:1", tls={"ca": "file:nowhere.pem"})
    task = Task(estate=estate(one), instance=one, vantage="here", base=tmp_path)
    looked = HostProbe().look(task)
    assert () == looked.observations
    assert "tls.ca cannot be used" in looked.left_out[0].reason


def test_questions_are_told_beforehand(tmp_path: Path) -> None:
    """`plan` says what will be looked at."""
    one = instance(url="https://acme.example", functions={"sftp": {"host": "s.acme.example:22"}})
    task = Task(estate=estate(one), instance=one, vantage="here", base=tmp_path)
    expected = (
        "TLS 1.2 of acme.example",
        "TLS 1.3 of acme.example",
        "host key of s.acme.example:22",
    )
    assert expected == HostProbe().questions(task)
