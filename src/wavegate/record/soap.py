# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a reply of Campaign's SOAP router says: the response of a method, a fault, or no SOAP.

Faults also come over HTTP 200, so the status alone never decides.
"""

import re
from dataclasses import dataclass

from lxml import etree

from wavegate.record.safe_xml import children, find, local_name, parse

CODE = re.compile(r"\b[A-Z]{3}-\d{6}\b")
MAX_SENTENCE = 160


@dataclass(frozen=True, slots=True)
class Reply:
    """The response element of a method, e.g. `LogonResponse`."""

    method: str
    element: etree._Element

    def text(self, index: int) -> str:
        """The text of the positional output parameter; empty where there is none."""
        found = children(self.element)
        return (found[index].text or "") if index < len(found) else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault. code: Campaign's own code such as `XSV-350013`, or empty. text: one line."""

    code: str
    text: str

    @property
    def reason(self) -> str:
        """The code and the first sentence, bounded."""
        line = self.text if self.code in self.text else f"{self.code} {self.text}"
        return " ".join(line.split())[:MAX_SENTENCE] or "SOAP fault"


@dataclass(frozen=True, slots=True)
class NotSoap:
    """Bytes that are no SOAP reply; why says what they are."""

    why: str


def read(data: bytes) -> Reply | Fault | NotSoap:
    """The meaning of a body. Never raises."""
    try:
        root = parse(data)
    except ValueError as error:
        return NotSoap(str(error))
    body = find(root, "Body")
    if local_name(root) != "Envelope" or body is None or not children(body):
        return NotSoap(f"XML <{local_name(root)}>, no SOAP envelope")
    first = children(body)[0]
    name = local_name(first)
    if name == "Fault":
        return _fault(first)
    if not name.endswith("Response"):
        return NotSoap(f"SOAP body <{name}>, no response")
    return Reply(name.removesuffix("Response"), first)


def _fault(element: etree._Element) -> Fault:
    """The real cause is in `detail`; the code may stand in either."""
    texts = ["".join(map(str, child.itertext())) for child in children(element)]
    found = [code for text in reversed(texts) for code in CODE.findall(text)]
    code = found[0] if found else ""
    best = [text for text in reversed(texts) if code in text]
    return Fault(code, best[0].strip() if best else "")
