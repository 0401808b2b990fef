# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""XML from outside: no entities, no DTD, no network, no huge trees."""

from typing import Any

from lxml import etree

MAX_BYTES = 4 * 1024 * 1024
ELEMENTS = "*"


def parse(data: bytes, *, largest: int = MAX_BYTES) -> etree._Element:
    """The root element of a small, plain XML document.

    Raises ValueError for anything else: not well formed, a document type (entities live there),
    more bytes than the largest.
    """
    if len(data) > largest:
        raise ValueError(f"more than {largest} bytes")
    if b"\0" in data:
        raise ValueError("not XML: UTF-16 and the like could hide a document type")
    if b"<!doctype" in data.lower():
        raise ValueError("a document type is refused")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data.strip(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {str(error)[:120]}") from error
    document: Any = root.getroottree().docinfo  # the stubs know neither a missing DTD nor doctype
    if document.doctype:
        raise ValueError("a document type is refused")
    return root


def local_name(element: etree._Element) -> str:
    """The tag without its namespace."""
    return str(etree.QName(element).localname)


def children(element: etree._Element) -> tuple[etree._Element, ...]:
    """The child elements, without entity references and the like."""
    return tuple(element.iterchildren(ELEMENTS))


def find(element: etree._Element, name: str) -> etree._Element | None:
    """The first descendant (or the element itself) of a local name, whatever its namespace."""
    for found in element.iter(ELEMENTS):
        if local_name(found) == name:
            return found
    return None


def attribute(element: etree._Element, name: str) -> str | None:
    """An attribute without namespace as text; None where it is absent or empty."""
    value = element.get(name)
    return str(value) if value else None
