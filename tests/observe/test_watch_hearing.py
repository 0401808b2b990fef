# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import dns.message
import dns.rcode
import dns.rrset
import pytest
from tests.builders.estates import estate, instance
from tests.builders.tiny_dns import Handler, TinyDns

from wavegate import clock
from wavegate.observe.watch_hearing import Hearing, Reference, references


def told(code: dns.rcode.Rcode, address: str | None = None) -> Handler:
    """A handler that answers everything alike."""

    def answer(query: dns.message.Message, _: object) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(code)
        if address:
            name = query.question[0].name
            response.answer.append(dns.rrset.from_text(name, 1, "IN", "A", address))
        return response.to_wire()

    return answer


def reference(server: TinyDns, *, recursive: bool = True) -> Reference:
    """A name server of a test as a reference."""
    return Reference("127.0.0.1", server.port, "news.acme.example", recursive=recursive)


def test_another_instances_answer_shows_that_we_hear() -> None:
    """Nobody else need be asked then."""
    hearing = Hearing(())
    before = clock.monotonic()
    hearing.answered("globex-prod1")
    assert hearing.heard("acme-prod1", before)
    assert not hearing.heard("globex-prod1", before)  # its own answer is none from outside
    assert not hearing.heard("acme-prod1", clock.monotonic())  # that was too early


@pytest.mark.parametrize(
    ("code", "expected"),
    [(dns.rcode.NXDOMAIN, True), (dns.rcode.NOERROR, True), (dns.rcode.SERVFAIL, False)],
)
def test_a_name_server_outside_shows_it_too(code: dns.rcode.Rcode, expected: bool) -> None:
    """By a definite answer about a name that no cache holds; SERVFAIL may be our own uplink."""
    with TinyDns(told(code)) as server:
        hearing = Hearing((reference(server),))
        assert expected == hearing.heard("acme-prod1", clock.monotonic())
        names = {line.split()[0] for line in server.asked}
    assert 1 == len(names)
    assert next(iter(names)).startswith("wavegate-")


def test_one_round_of_questions_serves_all_who_wait() -> None:
    """Twenty functions that fall silent together do not ask twenty times."""
    with TinyDns(told(dns.rcode.NXDOMAIN)) as server:
        hearing = Hearing((reference(server),))
        since = clock.monotonic()
        assert [True] * 20 == [hearing.heard("acme-prod1", since) for _ in range(20)]
        assert 1 == len(server.asked)


def test_nobody_answers() -> None:
    """Then the silence says nothing about the instance."""
    with TinyDns(lambda *_: None) as server:
        assert not Hearing((reference(server),)).heard("acme-prod1", clock.monotonic())


def test_a_name_that_others_resolve_is_our_resolvers_fault() -> None:
    """Only a name server that knows no address makes it the instance's."""
    with (
        TinyDns(told(dns.rcode.NOERROR, "192.0.2.1")) as knows,
        TinyDns(told(dns.rcode.NXDOMAIN)) as denies,
    ):
        assert not Hearing((reference(knows),)).no_such_host("acme.example")
        assert Hearing((reference(denies),)).no_such_host("acme.example")
    assert not Hearing(()).no_such_host("acme.example")


def test_a_loopback_resolver_shows_nothing_of_the_network() -> None:
    """Unless the instances are there as well, as in the lab."""
    far = estate(instance(), resolvers=("127.0.0.1:5300", "192.0.2.53:53"))
    near = estate(instance(url="http://127.0.0.1:8080"), resolvers=("127.0.0.1:5300",))
    assert ["192.0.2.53"] == [ref.host for ref in references(far, far.instances)]
    assert ["127.0.0.1"] == [ref.host for ref in references(near, near.instances)]
