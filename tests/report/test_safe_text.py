# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Untrusted text is seen and never acts."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavegate.report.safe_text import shorten, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("Grüße, 日本", "Grüße, 日本"),
        ("a\u202eb", "a[U+202E]b"),
        ("\x1b[31m", "[U+001B][31m"),
        ("a\nb\tc\r\0", "a[U+000A]b[U+0009]c[U+000D][U+0000]"),
        ("\u200b\ufeff\u00ad\u2066", "[U+200B][U+FEFF][U+00AD][U+2066]"),
        ("a\u00a0b\u3000\u2028", "a[U+00A0]b[U+3000][U+2028]"),
        ("\ufe0f\u3164\U000e0041", "[U+FE0F][U+3164][U+E0041]"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, expected: str) -> None:
    """Control, bidi, zero-width and blank characters become their code points, the rest stays."""
    assert visible(text) == expected


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    """Whatever a record holds, no control, format or private character reaches a reader."""
    unseen = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert [c for c in visible(text) if unicodedata.category(c) in unseen] == []
    assert visible(visible(text)) == visible(text)


def test_a_long_value_says_how_long_it_was() -> None:
    """Shortening is told, never silent."""
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "abc… (4 characters)"


def test_a_value_that_grows_when_shown_is_still_bounded() -> None:
    """Characters written out do not break the limit."""
    assert shorten("\u202e" * 3, 8) == "[U+202E]… (3 characters)"
