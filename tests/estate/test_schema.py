# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of the estate: checked in, current, and true of the examples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wavegate.estate.document import Plain, compose, plain
from wavegate.estate.schema import json_schema, text
from wavegate.estate.template import template

ROOT = Path(__file__).parents[2]
CHECKED_IN = ROOT / "reports" / "schema" / "estate.schema.json"


def values(written: str) -> Plain:
    """The plain values of a YAML text."""
    root, _ = compose(written)
    assert root is not None
    return plain(root)


def test_checked_in_file_is_current() -> None:
    """The file in the repo is what the model says; the module prints it."""
    printed = subprocess.check_output([sys.executable, "-m", "wavegate.estate.schema"], text=True)

    assert text() == CHECKED_IN.read_text(encoding="utf-8"), (
        "run: python -m wavegate.estate.schema > reports/schema/estate.schema.json"
    )
    assert text() == printed


def test_unknown_keys_are_refused_everywhere() -> None:
    """Every object of the schema is closed, so that an editor marks a misspelt key."""
    found = json.loads(text())
    objects = [found, *found["$defs"].values()]

    assert [] == [o["title"] for o in objects if o["additionalProperties"] is not False]


@pytest.mark.parametrize("name", ["full.yaml", "template"])
def test_examples_are_valid(name: str) -> None:
    """The example and the template obey the schema, and a secret in clear does not."""
    jsonschema = pytest.importorskip("jsonschema", reason="no JSON Schema validator here")
    written = (
        template()
        if name == "template"
        else (ROOT / "fixtures" / "estates" / name).read_text(encoding="utf-8")
    )
    validator = jsonschema.Draft202012Validator(json_schema())
    jsonschema.Draft202012Validator.check_schema(json_schema())

    assert [] == [error.message for error in validator.iter_errors(values(written))]
    in_clear = written.replace("password: ", "password: hunter2 # ")
    assert not validator.is_valid(values(in_clear.replace("hunter2 # file:acme.password", "x")))
