# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.small_bundle import same_numbers

from wavegate.canonical import digest
from wavegate.errors import InvalidError
from wavegate.evidence.run_list import parse_run, tag, write_run

HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
GOOD = write_run({"00" * 32: "11" * 32}, same_numbers())


@given(st.dictionaries(HEX, HEX, max_size=130))
def test_padding_hides_the_count(entries: dict[str, str]) -> None:
    """RUN holds every line that was given, in order, and shows a count rounded to 64."""
    data = write_run(entries)
    found = parse_run(data)
    lines = data.decode().splitlines()
    assert entries == {key: found[key] for key in entries}
    assert (0, True) == (len(found) % 64, 0 < len(found) <= max(64, len(entries) + 63))
    assert lines == sorted(lines)


def test_tag_is_what_stock_tools_compute() -> None:
    """The tag is the SHA-256 of five lines, as verify.sh has it."""
    text = b"wavegate-tag-v1\nrun-1\n" + b"ab" * 32 + b"\nacme\n"
    done = subprocess.run(["sha256sum"], input=text, capture_output=True, check=True)  # noqa: S607 - the stock tool
    assert done.stdout.decode()[:64] == tag("run-1", "ab" * 32, "acme") == digest(text)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "cut off"),
        (GOOD[:-1], "cut off"),
        (GOOD[130:], "63 lines"),
        (GOOD + GOOD, "twice or out of order"),
        (GOOD[130:260] * 2 + GOOD[260:], "twice or out of order"),
        (GOOD.replace(b"\n", b"\r\n"), "line endings"),
        (GOOD.upper(), "not a SHA-256"),
        (GOOD.replace(b" ", b"  ", 1), "is not `<tag> <digest>`"),
        ("\u00e9".encode() + GOOD, "ascii"),
    ],
)
def test_malformed(data: bytes, says: str) -> None:
    """A line removed, doubled, unsorted, cut or changed on the way is refused, with a hint."""
    with pytest.raises(InvalidError, match=says):
        parse_run(data)
