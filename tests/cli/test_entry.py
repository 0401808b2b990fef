# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from wavegate.cli import entry
from wavegate.cli.entry import VERBS, run
from wavegate.errors import MissingError

HEAVY = ("asyncio", "ruamel", "ssl", "numpy", "dns", "pydantic", "requests", "cryptography", "rich")


def test_help_imports_nothing_heavy() -> None:
    """A person who asks for help gets it at once."""
    code = (
        "import sys\n"
        "from wavegate.cli.entry import run\n"
        "run(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stderr.strip()
    assert "Verbs:" in done.stdout


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_teaches_by_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of each verb shows how it is used."""
    assert 0 == run([verb, "--help"])
    assert "Examples:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "code", "kind"),
    [
        (["plan"], 2, "input"),
        (["nonsense"], 2, "input"),
        (["plan", "--estate", "none.yaml", "--wave", "w", "--store", "s"], 2, "input"),
        (["verify", "nowhere", "--key", "none.pub"], 3, "missing"),
    ],
)
def test_json_holds_on_failure(
    args: list[str],
    code: int,
    kind: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With --json a failure is exactly one object with kind, message, where and cure."""
    monkeypatch.chdir(tmp_path)
    assert code == run([*args, "--json"])
    found = json.loads(capsys.readouterr().out)["error"]
    assert kind == found["kind"]
    assert {"kind", "message", "where", "cure"} <= set(found)
    assert found["message"]


def _raiser(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (MissingError("not there", cure="get it"), 3, "cure: get it"),
        (OSError(28, "No space left on device", "/store"), 4, "No space left on device"),
        (PermissionError(30, "Read-only file system", "/store"), 4, "Read-only"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("unforeseen"), 4, "fault of Wavegate"),
        (click.UsageError("bad option"), 2, "bad option"),
    ],
)
def test_every_end_is_an_exit_code_and_never_a_traceback(
    error: BaseException,
    code: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Disk full, read-only, Ctrl-C and our own faults: one clear line, the right code."""
    monkeypatch.setattr(entry, "wavegate", _raiser(error))
    assert code == run([])
    said = capsys.readouterr().err
    assert word in said
    assert "Traceback" not in said


def test_settings_come_from_the_nearest_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flag wins over the environment, which wins over wavegate.toml; its paths are its own."""
    (tmp_path / "wavegate.toml").write_text('estate = "toml.yaml"\nwave = "w"\nstore = "s"\n')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert 2 == run(["plan", "--json"])
    assert str(tmp_path / "toml.yaml") in json.loads(capsys.readouterr().out)["error"]["where"]
    monkeypatch.setenv("WAVEGATE_ESTATE", "env.yaml")
    assert 2 == run(["plan", "--json"])
    assert "env.yaml" in json.loads(capsys.readouterr().out)["error"]["where"]
    assert 2 == run(["plan", "--estate", "flag.yaml", "--json"])
    assert "flag.yaml" in json.loads(capsys.readouterr().out)["error"]["where"]


def test_a_broken_toml_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A settings file that is no TOML is named, not traced."""
    (tmp_path / "wavegate.toml").write_text("estate = ")
    monkeypatch.chdir(tmp_path)
    assert 2 == run(["plan"])
    assert "not TOML" in capsys.readouterr().err


def test_init_writes_an_estate_that_loads_and_never_overwrites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The template loads as it stands; an existing file stays as it is."""
    from wavegate.estate.load import load

    place = tmp_path / "estate.yaml"
    assert 0 == run(["init", "--estate", str(place)])
    assert 1 == load(place).estate.version
    before = place.read_bytes()
    assert 2 == run(["init", "--estate", str(place)])
    assert before == place.read_bytes()
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each shell gets a script that names us."""
    assert 0 == run(["completion", shell])
    assert "_WAVEGATE_COMPLETE" in capsys.readouterr().out
