# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import re
import tomllib

from tests.builders.shipped import DEPLOY, ROOT, run_tool

FILE = DEPLOY / "container" / "Containerfile"


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the file: its word and the rest, line breaks joined."""
    text = FILE.read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def copied() -> set[str]:
    """What of the repository the image is built from."""
    rows = [rest.split() for word, rest in instructions() if word == "COPY"]
    return {name for row in rows if not row[0].startswith("--from") for name in row[:-1]}


def test_hadolint_has_nothing_to_say() -> None:
    """The linter of container files, with all its rules."""
    done = run_tool("hadolint", "--no-color", FILE)
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_what_the_wheel_is_built_from_is_copied_and_is_there() -> None:
    """Every path that pyproject.toml names for the wheel is in the image's build, and exists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {name.split("/")[0] for name in (*wheel["packages"], *wheel["force-include"])}
    needed |= {"pyproject.toml", "LICENSE", project["project"]["readme"]}
    assert needed | {"requirements/nightly.txt"} == copied()
    assert [] == [name for name in sorted(copied()) if not (ROOT / name).exists()]


def test_it_runs_as_nobody_with_one_volume() -> None:
    """A numeric user, which Kubernetes can prove to be none of root; all it writes is on /store."""
    last = dict(instructions())
    assert ("65532:65532", "/store", "/store") == (last["USER"], last["VOLUME"], last["WORKDIR"])
    for name in ("HOME", "TMPDIR", "WAVEGATE_HOME", "MPLCONFIGDIR"):
        assert re.search(rf"\b{name}=/store\b", last["ENV"]), name


def test_every_package_is_pinned_by_its_hash() -> None:
    """What is not our wheel comes from the lock file, with hashes."""
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip" in rest]
    calls = [call for rest in installs for call in rest.split("&&") if "pip install" in call]
    assert [("--require-hashes" in call or "--no-deps" in call) for call in calls] == [True, True]
    lock = (ROOT / "requirements" / "nightly.txt").read_text("utf-8")
    assert re.search(r"^apprise==[\d.]+ \\$", lock, re.MULTILINE)
