# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from tests.evidence.small_bundle import GOOD, make, reseal

from wavegate.errors import InputError, InternalError, InvalidError
from wavegate.evidence import manifest
from wavegate.evidence.bundle import building
from wavegate.evidence.safe_path import check_path
from wavegate.evidence.tool import source_digest, tool
from wavegate.evidence.tree import open_tree


def test_whole_or_not_there(tmp_path: Path) -> None:
    """A bundle takes its name when it is whole; a failure, Ctrl-C too, leaves nothing behind."""
    with building(tmp_path / "runs/one") as folder:
        (folder / "a").write_bytes(b"a")
        assert not (tmp_path / "runs/one").exists()
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["one"]
    with pytest.raises(KeyboardInterrupt), building(tmp_path / "runs/two"):
        raise KeyboardInterrupt
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["one"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """What stands at the bundle's place already is never touched."""
    (tmp_path / "one").mkdir()
    with pytest.raises(InputError, match="something already"), building(tmp_path / "one"):
        pass


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A place that cannot be written is one error with its cure."""
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(InternalError) as caught, building(tmp_path / "file/one"):
        pass
    assert "--out" in str(caught.value.cure)


def test_sealing_is_deterministic(tmp_path: Path) -> None:
    """The same content is sealed into the same bytes."""
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    reseal(first, GOOD)
    seals = {(folder / "seal.dsse.json").read_bytes() for folder in (first, second)}
    assert len(seals) == 1


def test_link_is_not_sealed(tmp_path: Path) -> None:
    """What no verifier would accept is not sealed in the first place."""
    with pytest.raises(InvalidError, match="a link"):
        make(tmp_path / "bundle", inside=lambda f: (f / "x").symlink_to("/etc/passwd"))


def test_manifest_is_sha256sums(tmp_path: Path) -> None:
    """MANIFEST lists every file but itself, RUN and the seal, in order, and reads back."""
    bundle = make(tmp_path / "bundle")
    found = manifest.parse((bundle / "MANIFEST").read_bytes())
    names = {p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file()}
    assert set(found) == names - {"MANIFEST", "RUN", "seal.dsse.json"}
    with open_tree(bundle) as tree:
        assert manifest.write(manifest.digests_of(tree)) == (bundle / "MANIFEST").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        *("", "/a", "a/", "a//b", "../a", "a/../b", "./a", ".a", "-a", "a b", "a\\b", "\u00e4"),
        *("a\0", "C:a", "x" * 401, "/".join("abcdefghijklm")),
    ],
)
def test_unsafe_paths(path: str) -> None:
    """No path leads out, hides, or reads as something else."""
    with pytest.raises(ValueError, match="path"):
        check_path(path)


def test_tool_is_named_by_its_sources() -> None:
    """The tool's digest is that of its installed sources, and has a version."""
    found = tool()
    assert (len(found.source), found.version[0].isdigit()) == (64, True)


def test_source_digest(tmp_path: Path) -> None:
    """It changes with any source's name or byte, not with suites, data or where it lies."""
    for name in ("a", "b"):
        (tmp_path / name / "suites").mkdir(parents=True)
        (tmp_path / name / "x.py").write_text("1")
    (tmp_path / "b/suites/test_spf.py").write_text("2")
    (tmp_path / "b/score.json").write_text("2")
    first = source_digest([tmp_path / "a"])
    assert source_digest([tmp_path / "b"]) == first
    (tmp_path / "b/x.py").write_text("2")
    (tmp_path / "a/x.py").rename(tmp_path / "a/y.py")
    assert len({first, source_digest([tmp_path / "a"]), source_digest([tmp_path / "b"])}) == 3
