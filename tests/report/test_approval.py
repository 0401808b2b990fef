# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Approved with a signature, or a claim of the estate file: every report tells which."""

import pytest

from wavegate.evidence.verdicts import Verdicts
from wavegate.report.approval import of_limit, of_waiver
from wavegate.report.html import render as html
from wavegate.report.texts import LANGUAGES, Language, texts


def section(page: str, name: str) -> str:
    """A section of an HTML page."""
    return page.partition(f'<section id="{name}">')[2].partition("</section>")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_tells_signatures_from_claims(varied: Verdicts, language: Language) -> None:
    """The limit was signed, by who did the work; of the waivers nobody signed these words."""
    said, page = texts(language), html(varied, language=language)
    limits, waivers = section(page, "limits"), section(page, "waivers")

    assert [True] * 3 == [text in limits for text in ("Cora Approver", "e5" * 32, said("way.key"))]
    claim = f'<span class="soft">{said("approval.claim")}</span>'
    assert (0, len(varied.waivers)) == (limits.count(claim), waivers.count(claim))
    assert said("approval.changed", by="Dan &lt;script&gt;")[:8] in waivers
    assert "<script>" not in page


def test_a_limit_of_many_instances_may_be_signed_for_some(varied: Verdicts) -> None:
    """An approval is for one instance: the others stay claims."""
    limit = next(c.limit for c in varied.cells if c.limit and c.limit.approved_by)
    found = of_limit(varied, "throughput", limit, ("cumulus-dev1", "cumulus-tx"))

    assert found is not None
    assert (1, 2, ["Cora Approver"]) == (found.claims, found.of, [one.by for one in found.signed])


def test_another_wording_is_not_approved(varied: Verdicts) -> None:
    """Nor is it passed over: who signed the other one is told."""
    waiver = next(w for w in varied.waivers if w.promise == "sending_ips")
    found = of_waiver(varied, waiver)

    assert ((), 1) == (found.signed, found.claims)
    assert ["Dan"] == [name.split()[0] for name in found.changed]
