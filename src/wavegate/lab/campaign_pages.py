# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Pages that recipients and visitors see: tracked link, mirror page, landing page, image."""

from dataclasses import dataclass

from wavegate.canonical import digest
from wavegate.lab.campaign_functions import Functions

SEED_LINK = "/r/?id=h1f4c,fa5,3"
MIRROR = "/nl/jsp/m.jsp"
LANDING = "/webApp/seed"
RESOURCE = "/res/seed.png"
HOME = "https://www.example/"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
PLACEHOLDER = b"\x89PNG\r\n\x1a\n" + bytes(64)
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer: body, status, content type, further headers."""

    body: bytes
    status: int = 200
    kind: str = HTML
    headers: tuple[tuple[str, str], ...] = ()


def target(instance: str) -> str:
    """Where the seed link of an instance leads."""
    return f"https://www.example/{instance}/offer"


def mirror_marker(instance: str) -> str:
    """What the mirror page of the seed holds."""
    return f"Seed of {instance}"


def landing_marker(instance: str) -> str:
    """What the landing page holds."""
    return f"Subscribe to {instance}"


def image_digest() -> str:
    """SHA-256 of the public resource."""
    return digest(IMAGE)


def page(instance: str, path: str, functions: Functions) -> Page | None:
    """The page at a path, as the functions have it; None where there is none."""
    match path:
        case "/r/" | "/r":
            return _redirect(instance, functions)
        case "/nl/jsp/m.jsp":
            return _mirror(instance, functions)
        case "/webApp/seed":
            held = landing_marker(instance) if functions.landing_marked else "Back soon"
            return _html(held)
        case "/res/seed.png":
            body = PLACEHOLDER if functions.placeholder else IMAGE
            return Page(body=body, kind="image/png")
    return None


def _redirect(instance: str, functions: Functions) -> Page:
    match functions.redirect:
        case "target":
            place = target(instance)
        case "home":
            place = HOME
        case "error":
            return Page(body=b"Bad gateway", status=502, kind="text/plain")
    return Page(body=b"", status=302, headers=(("Location", place),))


def _mirror(instance: str, functions: Functions) -> Page:
    match functions.mirror:
        case "empty":
            return Page(body=b"")
        case "unmarked":
            return _html("The page you look for")
        case "page" | "slow":
            return _html(mirror_marker(instance))


def _html(held: str) -> Page:
    text = f"<html><head><title>{held}</title></head><body><h1>{held}</h1></body></html>"
    return Page(body=text.encode())
