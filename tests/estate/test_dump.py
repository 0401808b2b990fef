# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The canonical JSON of any estate loads back to that estate."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import loads as strict
from wavegate.clock import format_duration
from wavegate.estate.load import dump, loads
from wavegate.estate.model import Estate

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)
IDS = st.from_regex(r"own_[a-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip)
LENGTHS = st.timedeltas(timedelta(microseconds=1), timedelta(days=3660)).map(format_duration)
INSTANTS = st.integers(10**15, 25 * 10**15).map(
    lambda micros: (datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()
)
SHARES = st.integers(0, 1_000_000).map(lambda ppm: f"{ppm / 1_000_000:.6f}")
DOMAINS = st.from_regex(r"[a-z]{1,5}\.(example|ünter\.example)", fullmatch=True)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, object]:
    """A policy with some keys of every value type."""
    keys = {
        "confirm": st.integers(1, 10**15),
        "due": st.dictionaries(IDS, LENGTHS, max_size=3),
        "throughput_margin": SHARES,
        "coverage_alpha": SHARES,
        "probe_interval": LENGTHS,
        "settle": st.just("auto") | LENGTHS,
        "options": st.lists(TEXTS, max_size=2),
        "earliest": st.fixed_dictionaries({"dev": INSTANTS}),
        "timestamps": st.just("required") | st.just({"prod": "optional"}),
        "reachable_private": st.just(["10.0.0.0/8", "fd00::/8"]),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(keys))))
    return {key: draw(keys[key]) for key in sorted(chosen)}


ADDRESSES = st.ip_addresses(network="198.51.100.0/24") | st.ip_addresses(network="2001:db8::/32")
PROBES: st.SearchStrategy[object] = st.just(False) | st.builds(dict, every=LENGTHS, contains=TEXTS)
MASKS: st.SearchStrategy[object] = st.builds(
    dict, function=st.just("sms"), daily_at=st.just("06:00"), reason=TEXTS, **{"for": LENGTHS}
)
INSTANCES = st.fixed_dictionaries(
    {
        "customer": st.just("acme"),
        "product": st.sampled_from(["campaign-v7", "campaign-v8"]),
        "hosting": st.sampled_from(["hosted", "hybrid", "managed", "on-premise"]),
        "environment": st.sampled_from(["dev", "stage", "prod"]),
        "sending_ips": st.lists(ADDRESSES.map(str), unique=True, max_size=3),
        "domains": st.lists(st.builds(dict, name=DOMAINS), max_size=2, unique_by=str),
        "functions": st.dictionaries(IDS, PROBES, max_size=2),
        "masks": st.lists(MASKS, max_size=2),
        "mail": st.lists(st.just({"sink": True}) | st.builds(dict, mbox=TEXTS), max_size=2),
    }
)


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    """An estate with every part that dumping has to spell."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    start, end = sorted(draw(st.lists(INSTANTS, min_size=2, max_size=2, unique=True)))
    wave = {"name": "w", "window": {"start": start, "end": end}, "instances": names}
    who = {"reason": draw(TEXTS), "approved_by": draw(TEXTS)}
    return Estate.model_validate(
        {
            "version": 1,
            "policy": draw(policies()),
            "customers": [{"name": "acme"}],
            "instances": [{"name": name, **draw(INSTANCES)} for name in names],
            "waves": [wave],
            "limits": [{"promise": draw(IDS), "instances": names[:1], **who}],
            "waivers": [{"cause": "0" * 64, "until": draw(INSTANTS), **who}],
        }
    )


@given(estates())
def test_load_of_dump_is_the_estate(estate: Estate) -> None:
    """What `dump` writes, `loads` reads back as an equal estate."""
    assert estate == loads(dump(estate), "estate.json")


@given(estates())
def test_dump_is_canonical(estate: Estate) -> None:
    """Dumping is a fixed point, and its bytes are strict JSON."""
    data = dump(estate)

    assert data == dump(loads(data, "estate.json"))
    assert isinstance(strict(data), dict)
