# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Makes the reference pages from the code: `python docs/reference/make.py` writes them.

A test compares what is checked in with what this makes.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from wavegate.cli.entry import wavegate
from wavegate.estate.schema import json_schema
from wavegate.lab.catalogue import Fault
from wavegate.lab.faults import faults
from wavegate.promise import PROMISES

HERE = Path(__file__).parent
NOTE = "<!-- made by docs/reference/make.py; do not edit -->\n"


def pages() -> Mapping[str, str]:
    """The text of every reference page, by file name."""
    return {
        "cli.md": NOTE + "\n".join(_cli()),
        "estate.md": NOTE + "\n".join(_estate()),
        "promises.md": NOTE + "\n".join(_promises()),
        "faults.md": NOTE + "\n".join(_faults()),
    }


def _cli() -> Iterator[str]:
    yield "# The command line\n"
    yield "Every verb takes `--json`: exactly one JSON object on stdout, also on failure.\n"
    yield "Exit codes: 0 done, GO, valid; 1 NO-GO, invalid; 2 usage or input error; 3 HOLD or"
    yield "something needed is missing; 4 internal error; 130 interrupted.\n"
    yield from _commands(wavegate, "wavegate")


def _commands(command: click.Command, name: str) -> Iterator[str]:
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"], "terminal_width": 78}
    with click.Context(command, info_name=name, color=False, **settings) as context:
        yield f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"
        if isinstance(command, click.Group):
            for sub in command.list_commands(context):
                found = command.get_command(context, sub)
                if found is not None:
                    yield from _commands(found, f"{name} {sub}")


def _estate() -> Iterator[str]:
    schema: Any = json_schema()
    yield "# The estate file\n"
    yield "YAML or JSON; unknown keys are refused. `wavegate init` writes a commented one.\n"
    yield from _object("the file", schema, schema["$defs"])
    for name, part in schema["$defs"].items():
        if "properties" in part:
            yield from _object(name, part, schema["$defs"])


def _object(name: str, part: Mapping[str, Any], defs: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}\n\n{part.get('description', '').strip()}\n"
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    required = set(part.get("required", ()))
    for key, field in part.get("properties", {}).items():
        default = "**required**" if key in required else f"`{field.get('default', '-')}`"
        meaning = " ".join(field.get("description", "").split())
        yield f"| `{key}` | {_type(field)} | {default} | {meaning} |".replace("\n", " ")
    yield ""
    del defs


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("format", field.get("type", "any")))


def _promises() -> Iterator[str]:
    yield "# The promises\n"
    yield "One suite each, `suites/test_<id>.py`. The report prints where each was made.\n"
    yield "| id | promise | source | edition | still in force |\n|---|---|---|---|---|"
    for promise in PROMISES.values():
        source = promise.source
        force = "yes" if source.in_force else source.withdrawn
        where = f"{source.document}, {source.section}"
        edition = f"{source.edition}, {source.language}, {source.commit}"
        yield f"| `{promise.id}` | {promise.sentence} | {where} | {edition} | {force} |"
    yield ""


def _faults() -> Iterator[str]:
    found = faults()
    bad = [fault for fault in found if not fault.benign]
    played = sum(not fault.unplayable for fault in found)
    yield "# The fault catalogue\n"
    yield f"{len(bad)} faults and {len(found) - len(bad)} benign variations; the lab plays {played}"
    yield "of them. `wavegate lab explain ID` tells one whole, `wavegate lab drill` plants them and"
    yield "holds the gate to what stands here. [What the gate cannot see](../cannot-see.md) takes"
    yield "those apart for which INCONCLUSIVE is the right answer.\n"
    for family in dict.fromkeys(fault.family for fault in found):
        yield f"## {family}\n"
        yield "| id | what is wrong | promise | verdict |\n|---|---|---|---|"
        yield from (_fault(fault) for fault in found if fault.family == family)
        yield ""


def _fault(fault: Fault) -> str:
    verdict = (
        "refused by `verify`"
        if fault.by == "verify"
        else " or ".join((fault.verdict, *fault.also_verdict))
    )
    if fault.unplayable:
        verdict += f"; not played: {fault.unplayable}"
    promises = ", ".join(f"`{promise}`" for promise in fault.promises)
    return f"| `{fault.id}` | {fault.title} | {promises} | {verdict} |"


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).write_text(text, "utf-8")
    sys.stdout.write(f"wrote {', '.join(pages())}\n")
