# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from wavegate.estate.model import SenderDomain
from wavegate.observe.dns_names import absolute, domain_plan, parents


def test_parents_end_above_the_last_two_labels() -> None:
    """A top label signs nobody's mail."""
    found = [name.to_text() for name in parents(absolute("a.news.acme.example"))]
    assert ["news.acme.example.", "acme.example."] == found
    assert () == parents(absolute("acme.example"))


def test_the_selector_is_asked_at_the_parents_too() -> None:
    """Mail may be signed in the name of a parent domain; its key must then be in the snapshot."""
    asked = domain_plan(SenderDomain(name="news.acme.example", selectors=("acc1",)))
    keys = [name.to_text() for name, _ in asked if b"_domainkey" in name.labels]
    assert ["acc1._domainkey.news.acme.example.", "acc1._domainkey.acme.example."] == keys
