# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The page's colours can be read by everyone (WCAG 2.2 AA, success criterion 1.4.3)."""

import re
from importlib.resources import files

import pytest

CSS = files("wavegate.report").joinpath("templates/style.css").read_text(encoding="utf-8")
TONES = ("fail", "unsure", "pass", "none")
PAIRS = [
    *((tone, f"{tone}-bg") for tone in TONES),
    *((tone, "card") for tone in TONES),
    *((text, ground) for text in ("ink", "soft", "link") for ground in ("page", "card", "sunk")),
    ("ink", "code"),
    *(("ink", f"{tone}-bg") for tone in TONES),
]


def _palettes() -> tuple[dict[str, str], dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    return (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light)),
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)),
    )


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_right() -> None:
    """Black on white is 21 to 1."""
    assert round(_contrast("#000000", "#ffffff"), 2) == 21


@pytest.mark.parametrize(("text", "ground"), PAIRS)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(scheme: int, text: str, ground: str) -> None:
    """Each text colour on each ground that it is used on reaches 4.5 to 1, light and dark."""
    palette = _palettes()[scheme]
    assert _contrast(palette[text], palette[ground]) >= 4.5
