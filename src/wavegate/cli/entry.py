# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The entry point: finds the verb, runs it, turns every outcome into an exit code.

Exit codes (design, interfaces): 0 done, GO, valid; 1 NO-GO, invalid; 2 usage or input error;
3 HOLD, or something needed is missing; 4 internal error; 130 interrupted.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from wavegate import __version__
from wavegate.cli.options import settings
from wavegate.cli.outcome import Outcome, show_error
from wavegate.errors import InputError, InternalError, WavegateError

VERBS = {
    "init": "Write a commented estate file that loads.",
    "keys": "Make, show and rotate the keys that sign, and keep whom we trust.",
    "plan": "Check the estate, sign the grid of a wave, say what will be asked.",
    "sink": "Receive mail and record each message with its peer address.",
    "collect": "Read mailboxes and DMARC reports into the store.",
    "capture": "Look at every instance of a wave, and sign what was seen.",
    "receipt": "Give a customer a signed receipt of grid and `before`, before the window.",
    "ready": "Ask whether the window may open: what is still missing, and its cure.",
    "watch": "Probe each function through the window, until it has closed and settled.",
    "approve": "Sign waivers and limits of the estate with an approver's key.",
    "decide": "Record what a person decided about a wave, beside the gate's decision.",
    "gate": "Judge the records with the suites: GO, HOLD or NO-GO, in a sealed bundle.",
    "nightly": "Look at dev and stage every night, against an accepted baseline.",
    "history": "Show verdicts through time, flips, and who accepted which baseline.",
    "report": "Hand out one customer's extract of a bundle.",
    "verify": "Check a bundle offline, with a key from outside it.",
    "export": "Write a sealed run as OSCAL, in-toto or CSV, or as texts for support.",
    "push": "Copy what one store holds into another; overwrite nothing there.",
    "forget": "Delete one customer's records from a store, and leave a signed word of it.",
    "doctor": "Tell whether this machine, its keys or a store are fit; change nothing.",
    "lab": "Play a miniature migration over real DNS, HTTP, SOAP and SMTP.",
    "completion": "Print the completion script of your shell.",
}

EPILOG = """\b
A wave, step by step:
  wavegate plan    --estate estate.yaml --wave W --store store
  wavegate sink    --estate estate.yaml --store store --listen 127.0.0.1:2525
  wavegate capture --estate estate.yaml --wave W --store store --phase before
  wavegate ready   --estate estate.yaml --wave W --store store
  wavegate watch   --estate estate.yaml --wave W --store store   (through the window)
  wavegate capture --estate estate.yaml --wave W --store store --phase after
  wavegate gate    --estate estate.yaml --wave W --store store

\b
Exit codes: 0 GO, done, valid; 1 NO-GO, invalid; 2 usage or input;
3 HOLD or something missing; 4 internal; 130 interrupted.
Options can also come from WAVEGATE_* or wavegate.toml; a flag wins over the
environment, which wins over the file.
"""


class Verbs(click.Group):
    """A group that imports a verb's module only when that verb is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All verbs, in the order of a wave."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"wavegate.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the verbs from the table above, without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wavegate")
def wavegate() -> None:
    """Prove, instance by instance, that a migration of e-mail sending kept its promises."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    args = list(sys.argv[1:] if argv is None else argv)
    sys.exit(run(args))


def run(args: Sequence[str]) -> int:
    """Run the command line; every outcome, an unforeseen one too, becomes an exit code."""
    as_json = "--json" in args
    try:
        found = wavegate.main(
            list(args), prog_name="wavegate", standalone_mode=False, default_map=_defaults()
        )
    except click.ClickException as error:
        return show_error(_usage(error), as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was recorded is kept", err=True)
        return 130
    except WavegateError as error:
        return show_error(error, as_json=as_json)
    except OSError as error:
        return show_error(_machine(error), as_json=as_json)
    except Exception as error:
        if os.environ.get("WAVEGATE_DEBUG"):
            raise
        return show_error(_unforeseen(error), as_json=as_json)
    return found.code if isinstance(found, Outcome) else int(found or 0)


def _defaults() -> dict[str, object]:
    from_file = settings(Path.cwd())
    found: dict[str, object] = dict.fromkeys(VERBS, from_file) if from_file else {}
    if not from_file:
        return {}
    looked_at = {name: value for name, value in from_file.items() if name != "store"}
    nested = {
        "nightly": {**from_file, "accept": from_file},
        "keys": {
            **dict.fromkeys(("new", "show", "rotate"), from_file),
            "trust": _of_trust(from_file),
        },
    }
    return {**found, **nested, "doctor": looked_at}


def _of_trust(from_file: dict[str, object]) -> dict[str, object]:
    """The defaults of `keys trust`, which is an option and a verb's name at once."""
    return {**from_file, **dict.fromkeys(("export", "merge", "revoke"), from_file)}


def _usage(error: click.ClickException) -> InputError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "wavegate"
    return InputError(error.format_message(), where=path, cure=f"see `{path} --help`")


def _machine(error: OSError) -> InternalError:
    return InternalError(
        error.strerror or str(error),
        where=str(error.filename) if error.filename else None,
        cure="make room or give the right to write there; nothing recorded is lost",
    )


def _unforeseen(error: Exception) -> InternalError:
    return InternalError(
        f"{type(error).__name__}: {error}",
        cure="this is a fault of Wavegate: run again with WAVEGATE_DEBUG=1 and report it",
    )
