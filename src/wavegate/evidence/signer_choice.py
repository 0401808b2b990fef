# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which key to sign with, as a person names it: a file, a token's key, a key service's key.

Naming one opens nothing: no file is read, no token asked, no secret fetched.
"""

from dataclasses import dataclass

TOKEN, SERVICE = "hsm:", "awskms:"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChoice:
    """A key by name. where: a path, `hsm:<id>?label=<token>` or `awskms:<id>`; None: the default.

    passphrase: a reference to the file's passphrase or the token's PIN, never the secret itself.
    """

    where: str | None = None
    passphrase: str | None = None

    @property
    def apart(self) -> bool:
        """Whether the private key lies where nobody can read it: in a token or a key service."""
        return is_apart(self.where or "")


def is_apart(where: str) -> bool:
    """Whether a name is that of a key in a token or a key service, and so no path."""
    return where.startswith((TOKEN, SERVICE))
