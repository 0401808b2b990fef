# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Names and addresses in the one spelling that is compared and shown."""

import ipaddress

import dns.exception
import dns.name
import dns.reversename
from dns.name import Name

from wavegate.mailauth.address_set import Address, plain


def name_of(text: str) -> Name | None:
    """An absolute name from text with or without the final dot; None for what is no name.

    Only A-labels: a U-label is no name here, since its encoding depends on the library's version.
    """
    if not text or text.startswith(".") or not text.isascii():
        return None
    try:
        return name_from_labels(tuple(text.removesuffix(".").split(".")))
    except UnicodeError:
        return None


def name_from_labels(labels: tuple[str, ...]) -> Name | None:
    """An absolute, lower-case name from ASCII labels; None for an empty or overlong one.

    No escapes: a backslash is a character of the label.
    """
    if not all(labels):
        return None
    try:
        return Name([*(label.lower().encode("ascii") for label in labels), b""])
    except (dns.exception.DNSException, UnicodeError):
        return None


def text_of(name: Name) -> str:
    """Lower case, without the final dot, odd octets escaped: the form of every witness."""
    return name.canonicalize().to_text(omit_final_dot=True)


def address_of(text: str) -> Address | None:
    """An address from text; a mapped one as the IPv4 address it maps; None for anything else."""
    try:
        return None if "%" in text else plain(ipaddress.ip_address(text))
    except ValueError:
        return None


def reverse_name(address: Address) -> Name:
    """The name under which the PTR of an address stands (RFC 1035 3.5, RFC 3596 2.5)."""
    return dns.reversename.from_address(str(plain(address)))


def parents(name: Name) -> tuple[Name, ...]:
    """The name and everything above it but the root, longest first."""
    labels = name.labels[:-1]
    return tuple(Name([*labels[start:], b""]) for start in range(len(labels)))
