# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Requests to Campaign's SOAP router as bytes. Pure; values are escaped by lxml.

Parameters are positional and the first is always the session token; names do not matter.
"""

from collections.abc import Sequence

from lxml import etree

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
LITERAL = "http://xml.apache.org/xml-soap/literalxml"

Parameter = str | etree._Element  # noqa: SLF001 - lxml's element type has only this name


def request(action: str, token: str, parameters: Sequence[tuple[str, Parameter]]) -> bytes:
    """The envelope of a call such as `xtk:session#GetOption`.

    Raises ValueError for text that XML cannot carry (control characters).
    """
    service, _, method = action.partition("#")
    namespaces = {"SOAP-ENV": ENVELOPE, "xsd": XSD, "xsi": XSI}
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap=namespaces)
    body = etree.SubElement(root, f"{{{ENVELOPE}}}Body")
    call = etree.SubElement(body, f"{{urn:{service}}}{method}", nsmap={"m": f"urn:{service}"})
    for name, value in (("sessiontoken", token), *parameters):
        _add(call, name, value)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _add(call: etree._Element, name: str, value: Parameter) -> None:
    added = etree.SubElement(call, name)
    if isinstance(value, str):
        added.set(f"{{{XSI}}}type", "xsd:string")
        added.text = value
    else:
        added.set(f"{{{XSI}}}type", "ns:Element")
        added.set(f"{{{ENVELOPE}}}encodingStyle", LITERAL)
        added.append(value)


def element(name: str) -> etree._Element:
    """An empty element, for a parameter document without content."""
    return etree.Element(name)


def select_query(
    schema: str, select: Sequence[str], where: Sequence[str], lines: int, after: int | None
) -> etree._Element:
    """One page of a keyset-paged query: ordered by @id, only ids after the last one seen.

    `@id` is selected always. lines: `lineCount`, which bounds the page.
    """
    root = _query(schema, "select", where if after is None else (*where, f"@id > {after}"))
    root.set("lineCount", str(lines))
    nodes = etree.SubElement(root, "select")
    root.insert(0, nodes)
    for expression in dict.fromkeys(("@id", *select)):
        etree.SubElement(nodes, "node", expr=expression)
    order = etree.SubElement(root, "orderBy")
    etree.SubElement(order, "node", expr="@id")
    return root


def series_query(
    schema: str,
    select: Sequence[str],
    where: Sequence[str],
    lines: int = 5_000,
    order: str = "@id",
) -> etree._Element:
    """Rows without paging by id, for tables that have none: ordered and bounded.

    A path such as `[properties/@toDeliver]` is shown under its last name, as an attribute.
    """
    root = _query(schema, "select", where)
    root.set("lineCount", str(lines))
    nodes = etree.SubElement(root, "select")
    root.insert(0, nodes)
    for expression in select:
        node = etree.SubElement(nodes, "node", expr=expression)
        if "/" in expression:
            node.set("alias", expression.strip("[]").rpartition("/")[2])
    etree.SubElement(etree.SubElement(root, "orderBy"), "node", expr=order)
    return root


def group_query(
    schema: str, by: Sequence[str], total: str, where: Sequence[str], lines: int
) -> etree._Element:
    """Groups that the server makes: by these expressions, with their total as `count`.

    total: `count(@id)` or `sum(...)`. `@status` comes with its name (`analyze`).
    """
    root = _query(schema, "select", where)
    root.set("lineCount", str(lines))
    nodes = etree.SubElement(root, "select")
    root.insert(0, nodes)
    for expression in by:
        node = etree.SubElement(nodes, "node", expr=expression, groupBy="true")
        if expression == "@status":
            node.set("analyze", "true")
    etree.SubElement(nodes, "node", expr=total, alias="@count")
    return root


def count_query(schema: str, where: Sequence[str]) -> etree._Element:
    """How many rows a schema has, without reading them."""
    return _query(schema, "count", where)


def _query(schema: str, operation: str, where: Sequence[str]) -> etree._Element:
    root = etree.Element("queryDef", schema=schema, operation=operation)
    if where:
        conditions = etree.SubElement(root, "where")
        for expression in where:
            etree.SubElement(conditions, "condition", expr=expression)
    return root
