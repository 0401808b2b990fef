# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Comparing two SPF policies over every address: time, growth, and pyspf at every edge beside it.

    python -m benchmarks.spf [--asked 200] [--seed N]

Each policy has 9 includes. Both hold the same addresses in other words: every second prefix is
written as its halves in the one, the others in the other, all shuffled, 85 % IPv4. Then one address
is taken away, which must be found. pyspf tells of one address at a time; to decide the same it must
be asked at every address where a prefix begins or has just ended, of both policies. Where these are
more than `--asked`, so many of them are asked, evenly taken, and the time of all is worked out.
CPU seconds of one core, from text to verdict, with empty caches. Exits 1 on a wrong
verdict, or where the two disagree about an address.
"""

import argparse
import functools
import ipaddress
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from tests.mailauth.pyspf_oracle import ask
from tests.mailauth.zones import Table, absolute

from wavegate.answer import Lookup
from wavegate.mailauth import spf_record
from wavegate.mailauth.address_set import Address, Network
from wavegate.mailauth.spf_compare import Comparison, Different, Equal, compare, policy
from wavegate.mailauth.spf_macro import Sender

INCLUDES = 9
SIZES = (225, 450, 900, 1_800, 3_600, 7_200)
ASKED_AT = (36, 360, 3_600)
REPEATS = 5
DOMAIN = "d.example"
SENDER = Sender(domain=absolute(DOMAIN))


def prefixes(count: int, chance: random.Random) -> list[Network]:
    """Disjoint prefixes that do not touch, from /25 to /31, a few of IPv6, in random order."""
    made: list[Network] = []
    for number in chance.sample(range(1 << 14), count):
        if chance.random() < 0.85:
            base = int(ipaddress.IPv4Address("10.0.0.0")) + (number << 8)
            made.append(ipaddress.IPv4Network((base, chance.randint(25, 31))))
        else:
            base = int(ipaddress.IPv6Address("2001:db8::")) + (number << 80)
            made.append(ipaddress.IPv6Network((base, chance.randint(49, 64))))
    return made


def written(
    found: Sequence[Network], halved: int, chance: random.Random, spared: Address | None = None
) -> tuple[list[Network], Lookup]:
    """A policy over includes, and its DNS. halved: which of two prefixes is written as halves."""
    parts: list[Network] = []
    for number, network in enumerate(found):
        if spared is not None and spared in network:
            parts += network.address_exclude(type(network)(spared))  # type: ignore[arg-type] # one family
        else:
            parts += network.subnets() if number % 2 == halved else [network]
    chance.shuffle(parts)
    names = [f"s{number}.{DOMAIN}" for number in range(INCLUDES)]
    zone = {DOMAIN: [_txt(*(f"include:{name}" for name in names))]}
    for number, name in enumerate(names):
        zone[name] = [_txt(*(f"ip{one.version}:{one}" for one in parts[number::INCLUDES]))]
    return parts, functools.cache(Table(zone))


def _txt(*terms: str) -> dict[str, str]:
    return {"TXT": " ".join(("v=spf1", *terms, "-all"))}


def ours(before: Lookup, after: Lookup) -> Comparison:
    """From text to verdict, with nothing kept from a run before."""
    spf_record.parse.cache_clear()
    spf_record.claimed.cache_clear()
    return compare(policy(SENDER, before), policy(SENDER, after))


def seconds(what: Callable[[], object], repeats: int = REPEATS) -> float:
    """CPU seconds, the median of some runs."""
    took = []
    for _ in range(repeats):
        began = time.process_time()
        what()
        took.append(time.process_time() - began)
    return statistics.median(took)


def edges(parts: Iterable[Network]) -> list[str]:
    """Where a prefix begins, or has just ended: between two of these nothing can change."""
    found = {str(one[0]) for one in parts} | {str(one[-1] + 1) for one in parts}
    return sorted(found)


def pair(count: int, chance: random.Random) -> tuple[list[Network], Lookup, Lookup, Lookup]:
    """Two policies alike, of about so many prefixes each, and one that lost an address."""
    found = prefixes(2 * count // 3, chance)
    parts, before = written(found, 0, chance)
    more, after = written(found, 1, chance)
    _, less = written(found, 1, chance, spared=found[0][0])
    return [*parts, *more], before, after, less


def growth(chance: random.Random) -> int:
    """The table of times, and how many verdicts were wrong."""
    wrong = 0
    print("| prefixes a policy | seconds | microseconds / (n log2 n) |")
    print("|---|---|---|")
    for count in SIZES:
        _, before, after, less = pair(count, chance)
        took = seconds(functools.partial(ours, before, after))
        found = ours(before, less)
        lost = isinstance(found, Different) and [one.count for one in found.differences] == [1]
        wrong += (ours(before, after) != Equal()) + (not lost)
        unit = took * 1e6 / (count * math.log2(count))
        print(f"| {count} | {took:.3f} | {unit:.2f} |", flush=True)
    return wrong


def against_pyspf(chance: random.Random, most: int) -> int:
    """The table beside pyspf, and at how many addresses the two disagree."""
    wrong = 0
    print(
        "\n| prefixes a policy | edges | asked of pyspf | ours a second | pyspf a second | times |"
    )
    print("|---|---|---|---|---|---|")
    for count in ASKED_AT:
        parts, before, after, _ = pair(count, chance)
        every = edges(parts)
        asked = every[:: max(1, -(-len(every) // most))]
        mine = 1 / seconds(functools.partial(ours, before, after))
        began = time.process_time()
        told = [[ask(side, ip, f"a@{DOMAIN}", "h") for ip in asked] for side in (before, after)]
        theirs = len(asked) / len(every) / (time.process_time() - began)
        wrong += _disagreements(before, asked, told)
        print(
            f"| {count} | {len(every)} | {len(asked)} | {mine:.2f} | {theirs:.5f} "
            f"| {mine / theirs:,.0f} |",
            flush=True,
        )
    return wrong


def _disagreements(lookup: Lookup, asked: Sequence[str], told: Sequence[Sequence[str]]) -> int:
    found = policy(SENDER, lookup)
    mine = [found.piece(ipaddress.ip_address(ip)).result.value for ip in asked]
    return sum([one, one] != list(both) for one, *both in zip(mine, *told, strict=True))


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--asked", type=int, default=200, help="most addresses asked of pyspf")
    parser.add_argument("--seed", type=int, default=20240116)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)  # noqa: S311 - not for secrets
    print(f"seed {asked.seed}, {INCLUDES} includes a policy, median of {REPEATS}\n")
    wrong = growth(chance) + against_pyspf(chance, asked.asked)
    print("\nevery verdict as it must be" if not wrong else f"\n{wrong} WRONG")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
