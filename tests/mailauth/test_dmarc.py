# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.mailauth.zones import Table, absolute

from wavegate.mailauth.dmarc import InEffect, aligned, discover, registrable, walk_names
from wavegate.mailauth.dmarc_record import choose, uris
from wavegate.mailauth.names import text_of

Load = Callable[[Path], list[Any]]


def _zone(texts: dict[str, list[str]]) -> dict[str, list[Any]]:
    return {name: [{"TXT": text} for text in found] for name, found in texts.items()}


def test_corpus_of_discovery(corpora: Path, load_yaml: Load) -> None:
    """27 cases of the tree walk of RFC 9989, as given."""
    (cases,) = load_yaml(corpora / "dmarc" / "discovery.yml")
    wrong = []
    for case in cases:
        zone = _zone(case["zone"])
        if case.get("author_domain_exists", True):
            zone.setdefault(case["author_domain"], [{"A": "192.0.2.1"}])
        found = discover(absolute(case["author_domain"]), Table(zone)).tree
        if case["expect"] != _as_corpus(found):
            wrong.append(case["name"])
    assert (27, []) == (len(cases), wrong)


def _as_corpus(found: InEffect) -> Any:
    if found.at is None or found.organizational is None:
        return "no-dmarc"
    return {
        "policy": found.policy,
        "record_at": text_of(found.at),
        "organizational_domain": text_of(found.organizational),
        "adkim": found.adkim,
        "aspf": found.aspf,
    }


def test_our_own_cases(cases: Path, load_yaml: Load) -> None:
    """The policy in effect under both RFCs, where a migration can change it."""
    (rows,) = load_yaml(cases / "dmarc-discovery.yaml")
    for row in rows:
        zone = _zone(row["zone"])
        zone.setdefault(row["domain"], [{"A": "192.0.2.1"}])
        found = discover(absolute(row["domain"]), Table(zone))
        for expected, view in ((row["tree"], found.tree), (row["list"], found.list)):
            seen = (view.policy, text_of(view.at) if view.at else None)
            assert (expected.get("policy"), expected.get("at")) == seen, row["name"]


def test_an_error_in_the_walk_is_not_the_absence_of_a_policy() -> None:
    """A server that does not answer leaves the policy unknown, and says which question."""
    found = discover(
        absolute("news.acme.example"), Table({"_dmarc.news.acme.example": ["TIMEOUT"]})
    )
    question = (absolute("_dmarc.news.acme.example"), "TXT")
    assert (None, (question,)) == (found.tree.policy, found.tree.unknown)
    assert (question,) == found.list.unknown


def test_an_own_record_counts_although_a_parent_is_silent() -> None:
    """Only the organizational domain is not known then."""
    zone: dict[str, Any] = {"_dmarc.news.acme.example": [{"TXT": "v=DMARC1; p=reject"}]}
    zone["_dmarc.acme.example"] = ["TIMEOUT"]
    found = discover(absolute("news.acme.example"), Table(zone)).tree
    assert ("reject", None, ()) == (found.policy, found.organizational, found.unknown)


def test_percent_counts_under_the_older_rfc_only() -> None:
    """A changed pct is a real sampling rate for receivers that follow RFC 7489."""
    zone = _zone({"_dmarc.acme.example": ["v=DMARC1; p=reject; pct=20"]})
    found = discover(absolute("acme.example"), Table(zone))
    assert (100, 20) == (found.tree.percent, found.list.percent)


def test_the_walk_asks_at_most_eight_names() -> None:
    """From a long name the walk jumps to the last seven labels, down to the top."""
    names = walk_names(absolute("a.b.c.d.e.f.g.h.i.example"))
    assert 8 == len(names)
    assert ["a.b.c.d.e.f.g.h.i.example", "d.e.f.g.h.i.example"] == [text_of(n) for n in names[:2]]
    assert "example" == text_of(names[-1])


@pytest.mark.parametrize(
    ("identity", "author", "mode", "expected"),
    [
        ("acme.example", "news.acme.example", "r", True),
        ("acme.example", "news.acme.example", "s", False),
        ("news.acme.example", "news.acme.example", "s", True),
        ("acme.example", "globex.example", "r", False),
        ("mail.slow.example", "slow.example", "r", None),
    ],
)
def test_alignment(identity: str, author: str, mode: str, expected: bool | None) -> None:
    """Strict is the same name, relaxed the same organizational domain by each one's own walk."""
    zone: dict[str, Any] = _zone({"_dmarc.acme.example": ["v=DMARC1; p=reject"]})
    zone["_dmarc.slow.example"] = ["TIMEOUT"]
    found = aligned(absolute(identity), absolute(author), mode, Table(zone))
    assert expected == found


def test_the_older_organizational_domain_comes_from_the_suffix_list() -> None:
    """One label below a public suffix; a suffix itself is its own."""
    names = ("a.news.acme.co.uk", "co.uk", "x.y.unknowntld")
    found = [text_of(registrable(absolute(name))) for name in names]
    assert ["acme.co.uk", "co.uk", "y.unknowntld"] == found


def test_report_addresses_have_one_spelling() -> None:
    """Order, the case of scheme and host and the size limit do not matter; the local part does."""
    value = "MAILTO:Agg@ACME.example!10m , mailto:b@acme.example"
    assert ("mailto:Agg@acme.example", "mailto:b@acme.example") == uris(value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"v",
        b"v=DMARC1\x00; p",
        b"v=DMARC1; p=reject; " + b"x" * 70_000,
        "v=DMARC1; p=r\u00e9ject".encode("latin-1"),
        b";;;;",
        b"v=DMARC1; =; p=none",
    ],
)
def test_hostile_text_is_read_without_an_error(text: bytes) -> None:
    """Whatever stands there is a record by which mail can be judged, or none."""
    record = choose((text,))
    assert record is None or record.p in ("none", None)
