# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Postfix and OpenDKIM send into the sink: addresses, signatures, encryption, and their queue."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import dns.rdata
import pytest
from dns.name import Name
from tests.builders.running_sink import Running, running
from tests.real.daemons import await_that
from tests.real.judging import DOMAIN, IPS
from tests.real.mail import Letter, Postfix, opendkim, postfix
from tests.real.zones import private_key, public_key, strings

from wavegate.answer import Found
from wavegate.mailauth.dkim import Outcome, verify
from wavegate.mailauth.dkim_key import Key, effective_key
from wavegate.record.message import Received

HOST = "irl1-lab1-mta-i-0f68260768887617a"
HELOS = {ip: f"r{ip.rpartition('.')[2]}.{DOMAIN}" for ip in IPS}
SEED = "seed@seed.example"


@dataclass(frozen=True)
class Chain:
    """The sending chain and the sink at its end."""

    postfix: Postfix
    sink: Running
    numbers: "count[int]"

    def letters(self, how_many: int) -> list[Letter]:
        """So many messages that nobody has sent yet."""
        return [
            Letter(number=next(self.numbers), domain=DOMAIN, recipient=SEED)
            for _ in range(how_many)
        ]

    def arrived(self, *letters: Letter) -> list[Received]:
        """The sink's records of these messages, in the order of their arrival."""
        wanted = {letter.message_id for letter in letters}
        return [mail for mail in self.sink.mails() if mail.message_id in wanted]

    def until_arrived(self, *letters: Letter) -> list[Received]:
        """The same, once all are there."""
        await_that(lambda: len(self.arrived(*letters)) >= len(letters), "the sink has them")
        return self.arrived(*letters)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Milter first: a Postfix that does not reach it takes no mail."""
    folder: Path = tmp_path_factory.mktemp("mail")
    with ExitStack() as stack:
        sink = stack.enter_context(running(folder))
        milter = stack.enter_context(
            opendkim(folder / "opendkim", {(DOMAIN, "acc1"): private_key("the first")})
        )
        sender = stack.enter_context(postfix(folder, milter, sink.port, HELOS, host=HOST))
        yield Chain(sender, sink, count(0x1200))


def test_each_address_sends_its_own_mail_encrypted(chain: Chain) -> None:
    """Peer and HELO are those that the transport binds; STARTTLS was taken, as it was offered."""
    sent = {ip: chain.letters(3) for ip in IPS}
    for ip, letters in sent.items():
        chain.postfix.submit(ip, *letters)
    for ip, letters in sent.items():
        found = chain.until_arrived(*letters)
        assert [(ip, HELOS[ip], True)] * 3 == [(m.peer, m.helo, m.tls) for m in found]
        assert {f"bounce@{DOMAIN}"} == {mail.mail_from for mail in found}


def test_signatures_of_opendkim_verify(chain: Chain) -> None:
    """What another implementation signed verifies byte by byte as the sink recorded it."""
    letters = chain.letters(2)
    chain.postfix.submit(IPS[0], *letters)
    for mail in chain.until_arrived(*letters):
        (result,) = verify(mail.raw, published, mail.ended)
        assert (Outcome.PASS, DOMAIN) == (result.outcome, result.domain)
        (spoiled,) = verify(mail.raw.replace(b"hello", b"hallo"), published, mail.ended)
        assert Outcome.FAIL == spoiled.outcome


def published(_name: Name) -> Key:
    """The key as the DNS has it."""
    record = strings(f"v=DKIM1; k=rsa; p={public_key('the first')}")
    return effective_key(Found((dns.rdata.from_text("IN", "TXT", record),)))


def test_deferred_transports_hold_their_mail_until_released(chain: Chain) -> None:
    """In a window Postfix holds what the deferred addresses carry; it leaves once, and after."""
    chain.postfix.defer(IPS)
    letters = chain.letters(4)
    chain.postfix.submit(IPS[0], *letters[:2])
    chain.postfix.submit(IPS[1], *letters[2:])
    await_that(
        lambda: ["deferred"] * 4 == [row["queue_name"] for row in chain.postfix.queue()],
        "all four are deferred",
    )
    assert [] == chain.arrived(*letters)
    chain.postfix.release()
    chain.postfix.settled()
    arrived = Counter(mail.message_id for mail in chain.until_arrived(*letters))
    assert dict.fromkeys((letter.message_id for letter in letters), 1) == arrived


def test_a_transport_left_out_leaks_over_its_address_alone(chain: Chain) -> None:
    """The mistake of a window: one transport is forgotten, and its address goes on sending."""
    chain.postfix.defer(IPS[:1])
    held, leaked = chain.letters(2), chain.letters(2)
    chain.postfix.submit(IPS[0], *held)
    chain.postfix.submit(IPS[1], *leaked)
    assert {IPS[1]} == {mail.peer for mail in chain.until_arrived(*leaked)}
    assert [] == chain.arrived(*held)
    chain.postfix.release()
    chain.until_arrived(*held)


def test_what_is_deleted_from_the_queue_never_arrives(chain: Chain) -> None:
    """A lost message: the queue is empty, and the sink has all others."""
    chain.postfix.defer(IPS)
    letters = chain.letters(3)
    lost = replace(letters[1], recipient="lost@seed.example")
    chain.postfix.submit(IPS[0], letters[0], lost, letters[2])
    chain.postfix.lose(lost.recipient)
    chain.postfix.release()
    assert {letters[0].message_id, letters[2].message_id} == {
        mail.message_id for mail in chain.until_arrived(letters[0], letters[2])
    }
    chain.postfix.settled()
    assert [] == chain.arrived(lost)
