# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.estates import instance
from tests.compare.signed import signed
from tests.compare.views import SERVERS, TableView

from wavegate.compare import dkim, dmarc, reverse_dns, spf
from wavegate.verdict import Judgement, Verdict

NEWS = "news.acme.example"
JUDGES: dict[str, Callable[..., Judgement]] = {
    "spf": lambda i, b, a, m: spf.compare_spf(spf.gather(i, b, m), spf.gather(i, a, m)),
    "dkim": lambda i, b, a, m: dkim.compare_dkim(dkim.gather(i, b, m), dkim.gather(i, a, m)),
    "dmarc": lambda i, b, a, m: dmarc.compare_dmarc(dmarc.gather(i, b, m), dmarc.gather(i, a, m)),
    "reverse_dns": lambda i, b, a, m: reverse_dns.compare_reverse_dns(
        reverse_dns.gather(i, b, m), reverse_dns.gather(i, a, m)
    ),
}
TEXTS = st.one_of(
    st.binary(max_size=80),
    st.binary(max_size=40).map(b"v=spf1 ".__add__),
    st.binary(max_size=40).map(b"v=DMARC1; p=".__add__),
    st.binary(max_size=40).map(b"v=DKIM1; p=".__add__),
    st.text(alphabet="aimxpter:/%{}dlhs=-~.0189 ", max_size=40).map(
        lambda t: f"v=spf1 {t}".encode()
    ),
)
ROWS = st.lists(st.builds(lambda text: {"TXT": text}, TEXTS), max_size=2)
NAMES = (NEWS, f"_dmarc.{NEWS}", f"acc1._domainkey.{NEWS}", "_dmarc.acme.example")
ZONES = st.fixed_dictionaries(dict.fromkeys(NAMES, ROWS))
VIEWS = st.lists(st.one_of(ZONES, st.just("timeout")), min_size=1, max_size=3).map(
    lambda zones: TableView(dict(zip(SERVERS, zones, strict=False)))
)
HEADERS = st.binary(max_size=120).map(lambda octets: b"DKIM-Signature: " + octets + b"\r\n")


@pytest.mark.parametrize("promise", JUDGES)
@settings(max_examples=40)
@given(before=VIEWS, after=VIEWS, header=HEADERS)
def test_every_comparison_is_total(promise: str, before: Any, after: Any, header: bytes) -> None:
    """Whatever octets servers and senders deliver, there is a judgement, and it is not a pass."""
    plain = signed(after=True, which=None)
    fields = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
    mail = type(plain)(**{**fields, "raw": header + plain.raw})
    found = JUDGES[promise](instance(), before, after, (mail,))
    assert found.verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE)
