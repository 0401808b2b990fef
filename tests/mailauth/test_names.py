# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import ipaddress

import pytest

from wavegate.mailauth.names import address_of, name_of, parents, reverse_name, text_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("News.ACME.example.", "news.acme.example"),
        ("a..b", None),
        ("", None),
        (".", None),
        (".a.example", None),
        ("x" * 64 + ".example", None),
        (".".join(["x" * 50] * 6), None),
        ("stra\u00dfe.example", None),
        ("_dmarc.a.example", "_dmarc.a.example"),
    ],
)
def test_names_have_one_spelling(text: str, expected: str | None) -> None:
    """Lower case, no final dot; what is no name in A-labels is None and not an error."""
    name = name_of(text)
    assert expected == (None if name is None else text_of(name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.10", "10.2.0.192.in-addr.arpa"),
        ("::ffff:192.0.2.10", "10.2.0.192.in-addr.arpa"),
        ("2001:DB8::1", "1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_reverse_names(text: str, expected: str) -> None:
    """Nibbles for IPv6; a mapped address has the reverse name of its IPv4 address."""
    assert expected == text_of(reverse_name(ipaddress.ip_address(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2001:DB8:0::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", None)],
)
def test_addresses_have_one_spelling(text: str, expected: str | None) -> None:
    """Compressed, lower case, mapped ones as IPv4; a zone id is refused."""
    address = address_of(text)
    assert expected == (None if address is None else str(address))


def test_parents_end_at_the_top_label() -> None:
    """The root is nobody's parent here."""
    name = name_of("a.b.example")
    assert name is not None
    assert ["a.b.example", "b.example", "example"] == [text_of(found) for found in parents(name)]
