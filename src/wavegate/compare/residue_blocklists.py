# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Whether the lists that the estate names hold the sending IPs (RFC 5782), as facts.

A list that does not show its own test entry was not asked as it wants to be: nothing it denies
counts then.
"""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network

from dns.name import Name

from wavegate.answer import Answer, Found, Unknown
from wavegate.compare.residue import NO_RECORD, DnsSide, Known, Place, Silent, State
from wavegate.mailauth.names import address_of, name_of

TEST_ENTRIES = {4: "127.0.0.2", 6: "::ffff:7f00:2"}
LISTED = "listed on"
_CODES = ip_network("127.0.0.0/8")
_ERRORS = ip_network("127.255.255.0/24")
"""By which lists say that they will not answer this client or this question."""


def blocklist_questions(ips: Iterable[str], zones: Iterable[str]) -> frozenset[Name]:
    """The names of all questions about lists, test entries among them."""
    addresses = [*ips, *TEST_ENTRIES.values()]
    names = (_name(ip, zone) for zone in zones for ip in addresses)
    return frozenset(name for name in names if name is not None)


def blocklist_facts(
    view: DnsSide, ips: Iterable[str], zones: Iterable[str]
) -> Iterator[tuple[Place, State]]:
    """Per sending IP, list and server: the codes by which it is listed, or nothing."""
    addresses = list(ips)
    for zone in zones:
        tests = {version: _answers(view, ip, zone) for version, ip in TEST_ENTRIES.items()}
        for ip in addresses:
            test = tests[ip_address(ip).version]
            for server, answer in _answers(view, ip, zone).items():
                state = _state(answer, zone, test.get(server))
                yield Place(subject=f"{ip} {LISTED} {zone}", server=server), state


def _name(ip: str, zone: str) -> Name | None:
    labels = ip_address(ip).reverse_pointer.split(".")[:-2]
    return name_of(f"{'.'.join(labels)}.{zone}")


def _answers(view: DnsSide, ip: str, zone: str) -> Mapping[str, Answer]:
    name = _name(ip, zone)
    return {} if name is None else view.answers(name, "A")


def _state(answer: Answer, zone: str, test: Answer | None) -> State:
    if isinstance(answer, Unknown):
        return Silent(answer.reason)
    if isinstance(answer, Found):
        codes = sorted(rdata.to_text() for rdata in answer.rdatas)
        odd = [code for code in codes if not _is_code(code)]
        if odd:
            return Silent(f"the list answers {odd[0]}, which is no listing")
        return Known(tuple(f"{zone} {code}" for code in codes))
    if not isinstance(test, Found) or not all(_is_code(r.to_text()) for r in test.rdatas):
        return Silent("the list does not show its test entry, so that a denial says nothing")
    return Known((NO_RECORD,))


def _is_code(text: str) -> bool:
    address = address_of(text)
    return address is not None and address in _CODES and address not in _ERRORS
