# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from wavegate.canonical import MAX_DEPTH, MAX_INT, dumps, loads
from wavegate.errors import DamagedError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEY = st.text(st.characters(max_codepoint=127))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_equals_rfc_8785(value: object) -> None:
    """Within our profile the bytes are those of RFC 8785, so that any reader can recompute them."""
    assert rfc8785.dumps(value) == dumps(value)  # type: ignore[arg-type]  # its own JSON type


@given(VALUES)
def test_reads_back_what_it_wrote(value: object) -> None:
    """Nothing is lost between writing and reading."""
    assert value == loads(dumps(value))


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), MAX_INT + 1, -MAX_INT - 1, {"é": 1}, {1: 2}, "\ud800", b"x", {1, 2}],
    ids=repr,
)
def test_refuses_what_has_no_canonical_form(value: object) -> None:
    """A value that another reader could read otherwise is refused before it is signed."""
    with pytest.raises(ValueError, match=r".+"):
        dumps(value)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b'{"a":1,"a":2}', "duplicate"),
        (b"NaN", "integer"),
        (b"[Infinity]", "integer"),
        (b"1.0", "integer"),
        (b"1e400", "integer"),
        (b"9007199254740993", "2**53"),
        (b"1" * 5000, "2**53"),
        (b"[" * 100_000, "deeper"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ("{}".encode("utf-16"), "decode"),
        (b'"\\ud800"', "surrogates"),
        (b"{} {}", "Extra data"),
        (b"", "Expecting value"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_refuses_what_two_readers_would_read_in_two_ways(data: bytes, word: str) -> None:
    """Each trick by which Python and an auditor's tool could read two documents in one."""
    with pytest.raises(DamagedError) as caught:
        loads(data, where="x.json")
    assert word in caught.value.message
    assert caught.value.where == "x.json"


@given(st.lists(st.text('[]{}"\\\\ax', max_size=9), max_size=40), st.integers(1, 70))
def test_depth_is_that_of_the_nesting(texts: list[str], depth: int) -> None:
    """Exactly 64 levels are read, however many brackets, quotes and backslashes the texts hold."""
    value: object = texts
    for level in range(depth - 1):
        value = {"[": value} if level % 2 else [value, "]", "}"]
    data = json.dumps(value).encode()
    if depth <= MAX_DEPTH:
        assert value == loads(data)
        return
    with pytest.raises(DamagedError, match="nested deeper"):
        loads(data)


def test_depth_counts_brackets_outside_texts_only() -> None:
    """A long text of brackets is a text, not nesting."""
    text = "[" * 1000 + '"'
    assert [text] == loads(dumps([text]))
