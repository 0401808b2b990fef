# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's identity service: client credentials for a bearer token (RFC 6749 4.4, RFC 6750)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex, token_urlsafe

TOKEN_PATH = "/ims/token/v3"  # noqa: S105 - a path
LASTS = 86_399
Answered = tuple[int, dict[str, object]]


def _three_parts() -> str:
    """A token of the shape of a JSON Web Token; nobody here reads into it."""
    return f"eyJ{token_urlsafe(30)}.{token_urlsafe(60)}.{token_urlsafe(60)}"


@dataclass(slots=True, kw_only=True)
class Ims:
    """One client of the service, and the bearer tokens that it was given."""

    client_id: str = field(default_factory=lambda: token_hex(16))
    client_secret: str = field(default_factory=lambda: f"p8e-{token_hex(16)}")
    bearers: set[str] = field(default_factory=set)

    def told(self, url: str) -> dict[str, str]:
        """What a client needs to know. url: of the Campaign that the service stands beside."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "url": url + TOKEN_PATH,
        }

    def token(self, form: Mapping[str, object]) -> Answered:
        """Status and body of a token request (RFC 6749 5.1, 5.2)."""
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        if (form.get("client_id"), form.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            return 400, {"error": "invalid_client", "error_description": "invalid client_secret"}
        if not form.get("scope"):
            return 400, {"error": "invalid_scope"}
        bearer = _three_parts()
        self.bearers.add(bearer)
        return 200, {"access_token": bearer, "token_type": "bearer", "expires_in": LASTS}
