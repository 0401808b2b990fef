# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The value types by themselves: one spelling for each meaning, and refusals with a cure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from wavegate.estate.references import misspelt_promise
from wavegate.estate.values import (
    EndOfDay,
    Share,
    UnreadableError,
    domain_name,
    host_name,
    http_url,
    ip_address,
    join_host_port,
    split_host_port,
    zone_name,
)
from wavegate.promise import PROMISES


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5300", ("192.0.2.1", 5300)),
        ("[2001:db8::1]:5300", ("2001:db8::1", 5300)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("ns1.example.com:53", ("ns1.example.com", 53)),
    ],
)
def test_host_and_port(text: str, parts: tuple[str, int]) -> None:
    """Every usual form of a socket address is read, and written in one."""
    assert parts == split_host_port(text, default=53)
    assert parts == split_host_port(join_host_port(*parts))


@pytest.mark.parametrize("text", ["", ":53", "a:b:c", "192.0.2.1:0", "192.0.2.1:65536", "[x]:1"])
def test_no_host_and_port(text: str) -> None:
    """What is no socket address is a ValueError with a cure."""
    with pytest.raises(UnreadableError) as caught:
        split_host_port(text, default=53)

    assert caught.value.cure


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("News.Example.COM.", "news.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_dmarc.example.com", "_dmarc.example.com"),
    ],
)
def test_domain_names(text: str, name: str) -> None:
    """A name has one spelling, and normalising it again changes nothing."""
    assert name == domain_name(text)
    assert name == domain_name(domain_name(text))


@given(st.text(max_size=80))
def test_names_are_normal_or_refused(text: str) -> None:
    """Each reader of names gives a fixed point or refuses; nothing else escapes."""
    for read in (domain_name, zone_name, host_name, ip_address, http_url):
        try:
            once = read(text)
        except UnreadableError:
            continue
        assert once == read(once)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("HTTPS://A.Example.com:443/", "https://a.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[2001:DB8::1]/r/test", "http://[2001:db8::1]/r/test"),
        ("https://a.example.com/?x=1", "https://a.example.com/?x=1"),
        ("http://localhost:80/a", "http://localhost/a"),
    ],
)
def test_urls(text: str, url: str) -> None:
    """Scheme, host and default port have one spelling; path and query stay."""
    assert url == http_url(text)


@pytest.mark.parametrize(("text", "ppm"), [("0.1", 100_000), (0.1, 100_000), (0, 0), (1, 10**6)])
def test_shares_are_exact(text: object, ppm: int) -> None:
    """A share is kept as whole parts per million, however it is written."""
    assert ppm == TypeAdapter(Share).validate_python(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "-0.1", True, None, "a", "1" * 5000])
def test_no_shares(text: object) -> None:
    """What is no share is refused, whatever arithmetic would make of it."""
    with pytest.raises(ValueError, match=r"share|number"):
        TypeAdapter(Share).validate_python(text)


def test_a_waivers_date_is_the_end_of_its_day() -> None:
    """A bare date ends with its day; an instant is taken as it stands."""
    read = TypeAdapter(EndOfDay).validate_python

    assert read("2024-02-02T00:00:00Z") == read("2024-02-01")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *((promise, None) for promise in PROMISES),
        ("sending-ips", "sending_ips"),
        ("sendingips", "sending_ips"),
        ("reverse_dsn", "reverse_dns"),
        ("SPF", "spf"),
        ("spff", "spf"),
        ("dmark", "dmarc"),
        ("spf2", None),
        ("spf_strict", None),
        ("bounce_handling", None),
        ("bimi", None),
    ],
)
def test_misspelt_promises(word: str, meant: str | None) -> None:
    """A near miss of a built-in promise is told; a user's own id is left alone."""
    assert meant == misspelt_promise(word)
