# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The file as a tree with places: what YAML means, where it stands, what is refused."""

import pytest

from wavegate.estate.document import Mark, Plain, compose, locate, plain


def read(text: str) -> Plain:
    """The plain values of a text without flaws."""
    root, flaws = compose(text)
    assert () == flaws
    assert root is not None
    return plain(root)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("0.10", 0.1),
        ("1e3", 1000.0),
        ("true", True),
        ("~", None),
        ("null", None),
        ("yes", "yes"),
        ("off", "off"),
        ("06:00", "06:00"),
        ("2024-01-16", "2024-01-16"),
        ("2024-01-16T22:00:00Z", "2024-01-16T22:00:00Z"),
        ('"1"', "1"),
        ("'true'", "true"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ('!!int "1"', 1),
        ("9" * 30, "9" * 30),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Plain) -> None:
    """Neither dates nor clock times nor yes and no turn into something else."""
    assert {"x": value} == read(f"x: {text}\n")


def test_aliases_share_their_value() -> None:
    """An alias costs no second copy, and may be a key."""
    found = read("a: &a [1, 2]\nb: *a\nc: &k key\n*k : 3\n")

    assert {"a": [1, 2], "b": [1, 2], "c": "key", "key": 3} == found
    assert isinstance(found, dict)
    assert found["a"] is found["b"]


def test_merge_keys() -> None:
    """Own keys win over merged ones, earlier merges over later ones."""
    found = read("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 0}\n")

    assert isinstance(found, dict)
    assert {"x": 0, "y": 1, "z": 2} == found["c"]


def test_places() -> None:
    """Each key and each value has its line and column; a missing one the nearest above it."""
    root, _ = compose("a:\n  - {b: 1, c: [2, 3]}\n")

    assert [
        Mark(2, 9),
        Mark(2, 6),
        Mark(2, 19),
        Mark(2, 5),
        Mark(1, 1),
    ] == [
        locate(root, ("a", 0, "b")),
        locate(root, ("a", 0, "b"), key=True),
        locate(root, ("a", 0, "c", 1)),
        locate(root, ("a", 0, "nowhere")),
        locate(None, ("a",)),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: {<<: 1}", "<< merges only mappings"),
        ("a: !!set {x}", "the tag tag:yaml.org,2002:set is not allowed"),
        ("!x a: 1", "the tag !x is not allowed"),
        ('"a\\a": 1', "a key with control characters"),
        ("a: 1\nb: 2\na: 3", "the key stands twice, first on line 1"),
        ("[a]: 1", "a key that is no text"),
        ("a: &a [1]\n*a : 1", "a key that is no text"),
        ("a: *a", "no anchor &a before it"),
        ("a: 'b", "not YAML: while scanning a quoted scalar found unexpected end of stream"),
        ("a: \x07", "a character YAML forbids"),
    ],
)
def test_flaws(text: str, what: str) -> None:
    """What YAML allows and an estate does not need is named."""
    _, flaws = compose(text)

    assert [what] == [flaw.what for flaw in flaws]


def test_flaws_are_gathered() -> None:
    """A flaw that can be passed over does not hide the next one."""
    root, flaws = compose("a: !x 1\na: 2\nb: {<<: 3}\n")

    assert [1, 2, 3] == [flaw.mark.line for flaw in flaws]
    assert root is not None
