# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What people put their name to: not blank, and nothing that another customer must not read."""

from wavegate.errors import InputError
from wavegate.estate.model import Estate
from wavegate.evidence.decisions import MAX_TEXT
from wavegate.evidence.foreign import Foreign


def check_spoken(**texts: str) -> None:
    """Refuse what is blank or endless. Each text by the name of its option. Raises InputError."""
    for name, text in texts.items():
        if not text.strip():
            raise InputError("empty", where=f"--{name}", cure="say it: it is signed")
        if len(text) > MAX_TEXT or "\0" in text:
            cure = f"at most {MAX_TEXT} characters, none of them NUL"
            raise InputError("not a text to sign", where=f"--{name}", cure=cure)


def check_names(estate: Estate, instance: str | None, *texts: str) -> None:
    """Refuse another customer's name in what goes into extracts as it was signed.

    instance: whose customer's extract it will stand in; None for the extract of every customer.
    Raises InputError.
    """
    owners = {found.name: found.customer for found in estate.instances}
    own = owners[instance] if instance else None
    names = {customer.name for customer in estate.customers} | set(owners.values())
    if len(names) == 1:
        return
    others = {name for name, owner in owners.items() if owner != own}
    met = Foreign.of(names - {own}, others).met("\n".join(texts).encode())
    if met:
        whose = f"the extract of {own}" if own else "the extract of every customer"
        raise InputError(
            f"it will stand in {whose}, and it names {', '.join(sorted(met))}",
            where="--by, --why",
            cure="leave the name out" + ("" if own else ", or decide about --instance"),
        )
