# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Where an SPF record leads: every name a judge could need, and which cannot be known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.observe.dns_spf import Sender, expand, leads, spf_texts

V4 = Sender("192.0.2.10", ("r10.news.acme.example.",))
V6 = Sender("2001:db8::1")
DOMAIN = "news.acme.example."


def led(text: str, *senders: Sender) -> set[tuple[str, str]]:
    """The names and what is asked of them."""
    found = leads(text, DOMAIN, DOMAIN, senders)
    return {(want.name.to_text(omit_final_dot=True), want.what) for want in found.wanted}


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("include:_spf.mailer.example", {("_spf.mailer.example", "record")}),
        ("?Include:_SPF.Mailer.example", {("_spf.mailer.example", "record")}),
        ("redirect=_spf.mailer.example", {("_spf.mailer.example", "record")}),
        ("a", {("news.acme.example", "address")}),
        ("a/24//64", {("news.acme.example", "address")}),
        ("-a:h.example/24", {("h.example", "address")}),
        ("mx:h.example//64", {("h.example", "mx")}),
        ("mx", {("news.acme.example", "mx")}),
        ("exists:h.example", {("h.example", "exists")}),
        ("exp=why.example", {("why.example", "text")}),
        ("ip4:192.0.2.1", set()),
        ("ptr:h.example", set()),
        ("all", set()),
        ("include:", set()),
        ("nonsense:h.example", set()),
    ],
)
def test_each_term_leads_to_its_names(term: str, expected: set[tuple[str, str]]) -> None:
    """Every mechanism that asks the DNS is followed, and only those."""
    assert led(f"v=spf1 {term} -all") == expected


def test_terms_behind_all_are_followed() -> None:
    """What an evaluation never reaches still explains a change."""
    assert led("v=spf1 -all include:late.example") == {("late.example", "record")}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("%{d}", ("email.example.com",)),
        ("%{d2}.x", ("example.com.x",)),
        ("%{dr}", ("com.example.email",)),
        ("%{d2r}", ("example.email",)),
        ("%{o}", ("strong-bad.example",)),
        ("%{v}.x", ("in-addr.x", "ip6.x")),
        ("%%%_%-x", ("% %20x",)),
        ("%{i}.x", ("192.0.2.3.x",)),
        ("%{ir}.%{v}._spf.%{d2}", ("3.2.0.192.in-addr._spf.example.com",)),
        ("%{p}.x", ("mx.example.org.x", "unknown.x")),
        ("%{d1-}.x", ("bad.example.x",)),
    ],
)
def test_macros_expand_as_rfc_7208_says(spec: str, expected: tuple[str, ...]) -> None:
    """The table of RFC 7208 section 7.4, with this sender; 7.3 for delimiters."""
    record = "strong-bad.example" if "-}" in spec else "email.example.com."
    sender = Sender("192.0.2.3", ("mx.example.org.",))
    assert expand(spec, record, "strong-bad.example.", (sender,)) == expected


def test_ipv6_senders_expand_to_nibbles() -> None:
    """RFC 7208 7.4: 32 nibbles with dots, and the family's own zone."""
    nibbles = "2.0.0.1.0.d.b.8." + "0." * 23 + "1"
    assert expand("%{i}.%{v}", "x.", "x.", (V6,)) == (f"{nibbles}.ip6",)


@pytest.mark.parametrize("spec", ["%{l}.x", "%{s}", "%{h}.x", "%{z}.x", "%x", "%{d", "%{c}.x"])
def test_what_depends_on_a_mail_is_unknown(spec: str) -> None:
    """Local part, HELO and malformed macros give no name, and the term is told."""
    assert expand(spec, "x.", "x.", (V4,)) is None
    found = leads(f"v=spf1 exists:{spec} -all", "x.", "x.", (V4,))
    assert (found.wanted, found.unknown) == ((), (f"exists:{spec}",))


def test_a_long_expansion_loses_labels_on_the_left() -> None:
    """RFC 7208 7.3: over 253 octets the leftmost labels go."""
    labels = ["x" * 20, *["a" * 60] * 4, "example"]
    assert led(f"v=spf1 exists:{'.'.join(labels)} -all") == {(".".join(labels[1:]), "exists")}


def test_only_spf_records_are_read() -> None:
    """The version alone or before a space, in any case; others are other TXT."""
    texts = [b"v=spf1", b"V=SPF1 -all", b"v=spf10 -all", b"site=1", b" v=spf1"]
    assert spf_texts(texts) == ("v=spf1", "V=SPF1 -all")


@given(st.text(max_size=200))
def test_no_record_upsets_the_planner(text: str) -> None:
    """Hostile text leads nowhere, and raises nothing."""
    leads(f"v=spf1 {text}", DOMAIN, DOMAIN, (V4, V6))
    for made in ("exists:", "include:%{", "redirect=%{i"):
        leads(f"v=spf1 {made}{text}", DOMAIN, DOMAIN, (V4, V6))
