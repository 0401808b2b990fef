# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.builders.shipped import DEPLOY, ROOT, yaml

from wavegate.cli.entry import VERBS

PAGE = ROOT / "docs" / "how-to" / "run-nightly.md"
FILES = sorted(path for path in [*DEPLOY.rglob("*"), PAGE] if path.is_file())
VERB = "|".join(VERBS)
CALL = re.compile(rf"(?:(?<=[\s/(`])|^)wavegate ((?:{VERB})\b[^\n`]*)", re.MULTILINE)


def commands(path: Path) -> Iterator[list[str]]:
    """Each call of wavegate in a file, as words, without what the shell does with it."""
    text = path.read_text("utf-8").replace("\\\n", " ")
    for call in CALL.findall(text):
        plain = re.split(r"\s(?:>|\|\||&&|\||#|\()", call)[0].rstrip(" ';)")
        yield shlex.split(plain)


def unknown(words: list[str]) -> list[str]:
    """What a call gives that the verb does not know, or leaves out that it needs."""
    command: click.Command = importlib.import_module(f"wavegate.cli.{words[0]}").command
    rest = words[1:]
    if isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
    known = {name: param for param in command.params for name in param.opts}
    given = [word.partition("=")[0] for word in rest if word.startswith("--")]
    missing = [
        param.opts[0]
        for param in command.params
        if param.required and not set(param.opts) & set(given)
    ]
    return [name for name in given if name not in known and name != "--help"] + missing


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_call_is_one_that_the_verb_takes(path: Path) -> None:
    """A shipped file never names a verb or an option that does not exist, and forgets none."""
    assert [] == [(words, unknown(words)) for words in commands(path) if unknown(words)]


def test_the_arguments_of_the_cron_job_are_ones_that_the_verb_takes() -> None:
    """Kubernetes has them as a list, not as a command line."""
    *_, job = yaml(DEPLOY / "kubernetes" / "nightly.yaml")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert "nightly" == container["args"][0]
    assert [] == unknown(container["args"])


def test_every_way_runs_the_night() -> None:
    """The files for a machine or a CI system do call the nightly; a rename is noticed."""
    calling = {path.name for path in FILES for words in commands(path) if words[0] == "nightly"}
    assert {
        "wavegate-nightly.service",
        "wavegate-nightly",
        "wavegate-nightly.yml",
        "wavegate-nightly.gitlab-ci.yml",
        "Containerfile",
        "run-nightly.md",
    } <= calling
