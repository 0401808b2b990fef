# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""SOAP envelopes as Campaign writes them: literal prefix, unprefixed response, exact xsi:type."""

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml import etree

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_ELEMENT = (
    "xsi:type='ns:Element' SOAP-ENV:encodingStyle='http://xml.apache.org/xml-soap/literalxml'"
)


class SoapError(Exception):
    """The request is no SOAP call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call: service and method of the SOAPAction, and the parameters by their position.

    bearer: the session token that an `Authorization` header stands for, if any.
    """

    service: str
    method: str
    parameters: tuple[etree._Element, ...]
    security: str
    bearer: str = ""

    @property
    def action(self) -> str:
        """`xtk:session#Logon`."""
        return f"{self.service}#{self.method}"

    @property
    def token(self) -> str:
        """The session token: the first parameter, unless a bearer token came instead."""
        return self.bearer or self.text(0)

    def text(self, place: int) -> str:
        """The text of a parameter, empty where it is absent; names are ignored."""
        if place >= len(self.parameters):
            return ""
        return (self.parameters[place].text or "").strip()

    def document(self, place: int) -> etree._Element | None:
        """The first element inside a parameter, its namespaces dropped."""
        if place >= len(self.parameters) or not len(self.parameters[place]):
            return None
        return _plain(self.parameters[place][0])


def _parser() -> etree.XMLParser:
    """No entities, no network, no huge trees."""
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def read(body: bytes, action: str) -> Call:
    """A call from a request's body and its SOAPAction header. Raises SoapError."""
    try:
        root = etree.fromstring(body, _parser())
    except etree.XMLSyntaxError as error:
        raise SoapError(str(error)) from error
    inside = root.find(f"{{{ENVELOPE}}}Body")
    if inside is None or not len(inside):
        raise SoapError("no Body")
    method = inside[0]
    service, _, named = action.strip().strip('"').partition("#")
    header = root.find(f"{{{ENVELOPE}}}Header")
    tokens = [] if header is None else header.findall("{*}X-Security-Token")
    return Call(
        service=service,
        method=named or etree.QName(method).localname,
        parameters=tuple(child for child in method if isinstance(child.tag, str)),
        security=(tokens[0].text or "").strip() if tokens else "",
    )


def _plain(element: etree._Element) -> etree._Element:
    copy = etree.fromstring(etree.tostring(element, with_tail=False), _parser())
    for item in copy.iter():
        if isinstance(item.tag, str):
            item.tag = etree.QName(item).localname
    return copy


def text_part(name: str, value: str, kind: str = "string") -> str:
    """An output parameter of a simple type."""
    return f"<{name} xsi:type='xsd:{kind}'>{escape(value)}</{name}>"


def element_part(name: str, xml: str) -> str:
    """An output parameter that holds a document."""
    return f"<{name} {_ELEMENT}>{xml}</{name}>"


def response(call: Call, *parts: str, namespace: str | None = None) -> bytes:
    """The answer to a call."""
    space = namespace or f"urn:{call.service}"
    return _envelope(
        f"<{call.method}Response xmlns='{space}' "
        "SOAP-ENV:encodingStyle='http://schemas.xmlsoap.org/soap/encoding/'>"
        f"{''.join(parts)}</{call.method}Response>"
    )


def fault(text: str, detail: str, *, client: bool = False) -> bytes:
    """A fault; the real cause stands in its detail."""
    code = "SOAP-ENV:Client" if client else "SOAP-ENV:Server"
    return _envelope(
        f"<SOAP-ENV:Fault><faultcode>{code}</faultcode>"
        f"<faultstring xsi:type='xsd:string'>{escape(text)}</faultstring>"
        f"<detail xsi:type='xsd:string'>{escape(detail)}</detail></SOAP-ENV:Fault>"
    )


def _envelope(body: str) -> bytes:
    text = (
        "<?xml version='1.0'?>"
        "<SOAP-ENV:Envelope xmlns:xsd='http://www.w3.org/2001/XMLSchema' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
        "xmlns:ns='http://xml.apache.org/xml-soap' "
        f"xmlns:SOAP-ENV='{ENVELOPE}'><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    return text.encode("utf-8")


def xml(element: etree._Element) -> str:
    """An element as text."""
    return etree.tostring(element, encoding="unicode")


def attribute(value: str) -> str:
    """Text that may stand between quotes in an attribute."""
    return re.sub(r"['\"<&]", lambda found: f"&#{ord(found[0])};", value)
