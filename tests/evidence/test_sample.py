# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.small_bundle import KEY, NO_GO, make

from wavegate.errors import InputError
from wavegate.evidence.contents import Contents, read_contents
from wavegate.evidence.sample import check_seed, draw
from wavegate.evidence.trust import Trust, everything

TRUST = Trust(keys=(everything(KEY.public),))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A NO-GO of four cells."""
    return make(tmp_path_factory.mktemp("sample") / "bundle", NO_GO)


@pytest.fixture(scope="module")
def contents(bundle: Path) -> Contents:
    """What it holds."""
    return read_contents(bundle, TRUST)


def places(contents: Contents, size: int, seed: str) -> list[tuple[str, str]]:
    """The cells that are drawn, in the order of the draw."""
    drawn = draw(contents, size, seed).drawn
    return [(one.cell.instance, one.cell.promise) for one in drawn]


def test_anyone_can_draw_it_again(bundle: Path, contents: Contents) -> None:
    """The draw is the five lines of the documentation, by any SHA-256."""
    sealed = hashlib.sha256((bundle / "verdicts.json").read_bytes()).hexdigest()
    numbers = {}
    for cell in contents.verdicts.cells:
        text = f"wavegate-sample-v1\n{sealed}\n2024-02-01\n{cell.instance}\n{cell.promise}\n"
        numbers[hashlib.sha256(text.encode()).hexdigest()] = (cell.instance, cell.promise)
    expected = [numbers[one] for one in sorted(numbers)]
    assert expected == places(contents, 4, "2024-02-01")


@given(seed=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,20}", fullmatch=True))
def test_a_larger_sample_begins_with_the_smaller(contents: Contents, seed: str) -> None:
    """A sample can be made larger afterwards; no cell stands twice, all are drawn in the end."""
    whole = places(contents, 99, seed)
    assert {1} == set(Counter(whole).values())
    assert [whole[:size] for size in range(1, 5)] == [
        places(contents, size, seed) for size in range(1, 5)
    ]
    assert (4, 4) == (len(whole), draw(contents, 99, seed).population)


def test_every_cell_is_drawn_alike(contents: Contents) -> None:
    """Over many seeds each of the four cells comes first about as often as any other."""
    first = Counter(places(contents, 1, f"seed{number}")[0] for number in range(400))
    assert 4 == len(first)
    assert all(60 <= count <= 140 for count in first.values())  # 100, give or take 4.6 sigma


def test_records_are_named_with_their_digests(bundle: Path, contents: Contents) -> None:
    """What an auditor has to look at is in the bundle, under the digest that is printed."""
    drawn = draw(contents, 4, "x").drawn
    assert all(one.exhibits and not one.absent for one in drawn)
    for exhibit in (exhibit for one in drawn for exhibit in one.exhibits):
        assert exhibit.digest == hashlib.sha256((bundle / exhibit.name).read_bytes()).hexdigest()


@pytest.mark.parametrize("seed", ["", " ", "a\nb", "\u0430", "x" * 101, "-x", "a/b"])
def test_odd_seeds(seed: str) -> None:
    """A seed is a plain word, so that it can be told and typed again."""
    with pytest.raises(InputError, match="plain word") as caught:
        check_seed(seed)
    assert (2, True) == (caught.value.exit_code, bool(caught.value.cure))
