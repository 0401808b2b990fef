# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The verb completion: print the completion script of a shell."""

import click
from click.shell_completion import get_completion_class

from wavegate.cli.outcome import Outcome, finish

EPILOG = """\b
Examples:
  eval "$(wavegate completion bash)"
  wavegate completion fish > ~/.config/fish/completions/wavegate.fish
"""


@click.command("completion", epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> Outcome:
    """Print the completion script of your shell."""
    from wavegate.cli.entry import wavegate

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    script = found(wavegate, {}, "wavegate", "_WAVEGATE_COMPLETE").source()
    return finish(0, {"script": script}, script, as_json=False)
