# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The secrets that were agreed with customers before a wave, read by their references."""

from collections.abc import Callable, Iterable
from pathlib import Path

from wavegate.errors import MissingError
from wavegate.estate.model import Estate
from wavegate.estate.secrets import resolve

LEAST_SECRET = 32


def agreed_secrets(
    estate: Estate, base: Path, customers: Iterable[str], say: Callable[[str], None]
) -> dict[str, str]:
    """The agreed secrets of those customers that have one that can be read, by name.

    One that cannot be read costs no decision: it is said, and the extract says that its
    completeness cannot be proven.
    """
    found = {}
    references = {c.name: c.secret for c in estate.customers if c.secret is not None}
    for name in customers:
        if name not in references:
            continue
        try:
            secret = resolve(references[name], base)
        except MissingError as error:
            say(f"the completeness of {name}'s extract will not be provable: {error}")
            continue
        if "\n" in secret or "\0" in secret:
            say(f"the secret of {name} is more than one line: their extract is made without it")
            continue
        if len(secret) < LEAST_SECRET:
            say(f"the secret of {name} can be guessed: agree on `openssl rand -hex 32`")
        found[name] = secret
    return found
