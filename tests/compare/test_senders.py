# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Who a mail speaks for, and what counts as one independent piece of evidence."""

import random
from datetime import timedelta

import pytest
from dns.name import from_text
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.estates import IPS, START, instance
from tests.builders.mails import cohort, mail, msfbl
from tests.builders.worlds import World

from wavegate.answer import Unknown
from wavegate.compare.senders import address, binding_ip, from_domain, shipments, speaks_for
from wavegate.compare.sending_ips import compare_sending_ips, gather
from wavegate.compare.strangers import nobody_asked, verified_strangers
from wavegate.record.dns_view import DnsView


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("::ffff:192.0.2.10", "192.0.2.10"),
        ("2001:0DB8::0010", "2001:db8::10"),
        ("192.0.2.10", "192.0.2.10"),
        ("not an address", "not an address"),
    ],
)
def test_addresses_are_compared_in_normal_form(text: str, normal: str) -> None:
    """Spelling is no difference; what is no address stays as it is."""
    assert address(text) == normal


def test_who_speaks_for_an_instance() -> None:
    """A listed peer, a valid signature, or an address that nobody can guess."""
    found = instance()
    stranger = mail("198.51.100.9")
    assert speaks_for(found, mail(IPS[0]), frozenset())
    assert not speaks_for(found, stranger, frozenset())
    assert speaks_for(found, stranger, frozenset({stranger.digest}))
    seed = mail("198.51.100.9", recipient="q8w7e6r5t4y3u2i1o0p9a@seed.example")
    assert speaks_for(found, seed, frozenset())


def test_shipments_count_deliveries_and_connections() -> None:
    """Messages of one delivery over one connection are one."""
    start = START - timedelta(hours=1)
    together = [mail(n=n, at=start, connected=start) for n in range(9)]
    assert shipments(together) == 1
    assert shipments(cohort(IPS, 9)) == 9


def test_binding_names_the_address() -> None:
    """Both known forms; none where there is no header."""
    assert binding_ip(mail(headers={"X-MSFBL": msfbl("192.0.2.77")})) == "192.0.2.77"
    assert binding_ip(mail()) is None


def test_domain_of_from() -> None:
    """Lower case, without the display name."""
    assert from_domain(mail(domain="NEWS.Acme.Example.")) == "news.acme.example"


def test_stranger_with_a_valid_signature_is_known() -> None:
    """Verified with the key as captured; without a capture nothing verifies."""
    world = World(phase="after", mail_ips=("198.51.100.9",), count=2)
    view = DnsView(world.snapshot())
    found = verified_strangers(instance(), world.mails(), view.lookup())
    assert found == {m.digest for m in world.mails()}
    assert verified_strangers(instance(), world.mails(), nobody_asked) == frozenset()


def test_foreign_signature_does_not_speak_for_us() -> None:
    """d= has to be a domain of the instance."""
    world = World(phase="after", mail_ips=("198.51.100.9",), count=1)
    other = instance(domains=({"name": "other.example"},))
    assert verified_strangers(other, world.mails(), DnsView(world.snapshot()).lookup()) == set()


@given(st.randoms(use_true_random=False))
def test_order_of_mail_does_not_matter(chance: random.Random) -> None:
    """The same mails in another order: the same judgement, but for which message is the witness."""
    before, after = list(cohort(IPS, 24)), list(cohort(IPS[:3], 24, after=True))
    straight = compare_sending_ips(
        gather(instance(), tuple(before)), gather(instance(), tuple(after))
    )
    chance.shuffle(before)
    chance.shuffle(after)
    shuffled = compare_sending_ips(
        gather(instance(), tuple(before)), gather(instance(), tuple(after))
    )
    assert shuffled == straight


def test_unknown_is_what_nobody_asked() -> None:
    """Never an absence."""
    assert isinstance(nobody_asked(from_text("a.example"), "TXT"), Unknown)
