# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The content key: what makes two mails the same message to the same person, whatever their ids.

A resend gets a new delivery id, broadLog id and Message-ID; what stays is the recipient, the
delivery's code or label, and the content without everything that ids, clocks and signatures write
into it. Hostile bytes give no key; nothing here raises.
"""

import base64
import binascii
import email.header
import email.message
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import getaddresses

from wavegate.record.message import Received
from wavegate.record.recipient import normal_recipient

MAX_HEADER = 8_192
MAX_PART = 4 * 1024 * 1024
MAX_PARTS = 200
MAX_NAMED = 1_000
KEPT_HEADERS = ("From", "Subject", "Reply-To")
"""Headers that are content; all others are written on the way, or hold ids and clocks."""

_NEOLANE = re.compile(r"<(?:NM6|AC7)([0-9A-F]{8})([0-9A-F]{8})([^<>\s]{0,400})>", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_TRACKED = re.compile(r"/r/?\?id=([a-z]?)[0-9a-f]+,[0-9a-f]+(?:,([0-9a-f]+))?", re.IGNORECASE)
_MIRROR = re.compile(r"([?&]c=)[^&\s\"'<>]+")
_UNSUBSCRIBE = re.compile(r"mailto:[^\s\"'<>]*subject=unsubscribe[^\s\"'<>]*", re.IGNORECASE)
_SIGNED = re.compile(r"([?&](?:amp;)?(?:s|e|p\d+)=)[^&\s\"'<>]+")
_TRACKING_IDS = re.compile(r"/r/?\?id=[a-z]?([0-9a-f]{1,16}),([0-9a-f]{1,16})", re.IGNORECASE)
ADDRESS = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignIds:
    """The numbers in a Message-ID of Campaign. suffix: what follows them, instance and domain.

    row, delivery: decimal text; the 8 hex digits may be a negative 32-bit number, which is how
    the database counts, so both readings are offered by `rows` and `deliveries`.
    """

    row: int
    delivery: int
    suffix: str

    @property
    def rows(self) -> tuple[str, ...]:
        """The broadLog id, as it may be written."""
        return _readings(self.row)

    @property
    def deliveries(self) -> tuple[str, ...]:
        """The delivery id, as it may be written."""
        return _readings(self.delivery)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What X-MSFBL says. delivery, message: decimal text; message is not always the broadLog id.

    Join on delivery and recipient, never on message alone.
    """

    recipient: str
    delivery: str
    message: str
    instance: str


def campaign_ids(message_id: str) -> CampaignIds | None:
    """The ids in a Message-ID `<NM6` + 8 hex + 8 hex + instance + `@domain>`, or None."""
    match = _NEOLANE.fullmatch(message_id.strip())
    if match is None:
        return None
    return CampaignIds(row=int(match[1], 16), delivery=int(match[2], 16), suffix=match[3])


def message_id_of(row: str, delivery: str, suffix: str) -> str | None:
    """The Message-ID that a row's mail bears, where its ids are numbers of 32 bits."""
    if not (_number(row) and _number(delivery)):
        return None
    return f"<NM6{int(row) & 0xFFFFFFFF:08X}{int(delivery) & 0xFFFFFFFF:08X}{suffix}>"


def _number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,10}", text) is not None and abs(int(text)) < 2**32


def _readings(number: int) -> tuple[str, ...]:
    return (str(number),) if number < 2**31 else (str(number), str(number - 2**32))


def feedback(value: str) -> Feedback | None:
    """X-MSFBL decoded: `<signature>|<base64 of JSON>`, whitespace inside the base64 ignored."""
    if len(value) > MAX_HEADER:
        return None
    packed = "".join(value.rpartition("|")[2].split())
    try:
        told = json.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    meta = told.get("rcpt_meta") if isinstance(told, dict) else None
    if not isinstance(meta, dict):
        return None
    return Feedback(
        recipient=normal_recipient(str(meta.get("r", told.get("r", "")))),
        delivery=str(meta.get("d", ""))[:20],
        message=str(meta.get("m", ""))[:20],
        instance=str(meta.get("in", ""))[:200],
    )


def content_hash(mail: Received) -> str | None:
    """SHA-256 of the normalised content, or None where there is no text to hash.

    The recipient's own address is replaced by a mark, so that one text sent to many is one text.
    """
    if mail.gist is not None:
        return mail.gist.content
    own = [normal_recipient(found) for found in mail.recipients]
    told = [f"{name}: {_header(mail, name)}" for name in KEPT_HEADERS]
    parts = list(_texts(mail.parsed))
    if not parts:
        return None
    found = "\n".join([*told, *(normal_text(part) for part in parts)])
    for address in own:
        found = re.sub(re.escape(address), "{recipient}", found, flags=re.IGNORECASE)
    return hashlib.sha256(found.encode("utf-8", "replace")).hexdigest()


def normal_text(text: str) -> str:
    """A body without tracking ids and signatures, mirror tokens and unsubscribe addresses."""
    text = _UNSUBSCRIBE.sub("mailto:{unsubscribe}", text)
    text = _LINK.sub(lambda link: _normal_link(link[0]), text)
    return " ".join(text.split())


def _normal_link(link: str) -> str:
    link = _TRACKED.sub(lambda m: f"/r/?id={m[1].lower()}{{ids}},{(m[2] or '').lower()}", link)
    if "{ids}" in link:
        link = _SIGNED.sub(r"\1{signed}", link)
    return _MIRROR.sub(r"\1{mirror}", link) if "/m.jsp" in link else link


def _header(mail: Received, name: str) -> str:
    value = mail.header(name) or ""
    try:
        decoded = email.header.make_header(email.header.decode_header(value))
        return " ".join(str(decoded).split())
    except (ValueError, LookupError):
        return value


def _texts(message: email.message.Message) -> Iterator[str]:
    """The parts of a mail as text; what is no text counts by its digest. Bounded."""
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            return
        if part.is_multipart():
            continue
        try:
            raw = part.get_payload(decode=True)
        except (ValueError, LookupError):
            continue
        data = raw[:MAX_PART] if isinstance(raw, bytes) else b""
        if part.get_content_maintype() == "text":
            yield _decoded(data, part.get_content_charset("utf-8"))
        elif data:
            yield hashlib.sha256(data).hexdigest()


def _decoded(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def tracking_ids(mail: Received) -> frozenset[tuple[int, int]]:
    """The pairs of broadLog id and delivery id that the links of a mail carry."""
    if mail.gist is not None:
        return frozenset(mail.gist.links)
    found: set[tuple[int, int]] = set()
    for text in _texts(mail.parsed):
        for match in _TRACKING_IDS.finditer(text):
            found.add((int(match[1], 16), int(match[2], 16)))
            if len(found) >= MAX_NAMED:
                break
    return frozenset(found)


def named_recipients(mail: Received) -> frozenset[str]:
    """The addresses that a mail names as its reader: in To, in X-MSFBL and in its text."""
    if mail.gist is not None:
        return frozenset(mail.gist.named)
    found = {normal_recipient(address) for _, address in getaddresses(list(mail.headers("To")))}
    told = feedback(mail.header("X-MSFBL") or "")
    if told is not None:
        found.add(told.recipient)
    for text in _texts(mail.parsed):
        for match in ADDRESS.finditer(text):
            found.add(match[0].lower())
            if len(found) >= MAX_NAMED:
                break
    return frozenset(found - {""})
