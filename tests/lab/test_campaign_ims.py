# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's identity service: what it grants, what it refuses, and what a token opens."""

import json

import pytest

from wavegate.lab.campaign_calls import Sessions
from wavegate.lab.campaign_ims import Ims
from wavegate.lab.running import Lab


def asked(ims: Ims, **other: str) -> dict[str, str]:
    """The form of a good request, but for what is said."""
    good = {
        "grant_type": "client_credentials",
        "client_id": ims.client_id,
        "client_secret": ims.client_secret,
        "scope": "openid",
    }
    return good | other


def test_good_credentials_get_a_token_each_time() -> None:
    """Two requests, two tokens, both known."""
    ims = Ims()
    granted = [ims.token(asked(ims)) for _ in range(2)]
    assert [200, 200] == [status for status, _ in granted]
    assert {str(told["access_token"]) for _, told in granted} == ims.bearers
    assert 2 == len(ims.bearers)


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_anything_else_gets_none(other: dict[str, str], error: str) -> None:
    """An error of RFC 6749 5.2, and no token."""
    ims = Ims()
    assert (400, error) == ((told := ims.token(asked(ims, **other)))[0], told[1]["error"])
    assert set() == ims.bearers


def test_a_bearer_token_stands_for_one_session() -> None:
    """The same session each time, opened anew when it was dropped; a forged token opens none."""
    sessions = Sessions(operator="o", password="p")
    _, told = sessions.ims.token(asked(sessions.ims))
    header = f"Bearer {told['access_token']}"
    first = sessions.borne(header)
    assert first is not None
    assert first == sessions.borne(header)
    assert sessions.valid(*first)
    sessions.open.clear()
    second = sessions.borne(header)
    assert second not in (None, first)
    assert [None, None] == [sessions.borne("Bearer eyJforged"), sessions.borne("")]


def test_lab_json_tells_what_a_client_needs(calm_lab: Lab) -> None:
    """Who plays with the lab can log on either way; nobody else can read the file."""
    path = calm_lab.directory / "lab.json"
    told = json.loads(path.read_text())["instances"]["acme-prod1"]
    ims = calm_lab.campaigns["acme-prod1"].sessions.ims
    assert ims.told(told["url"]) == told["ims"]
    assert 0o600 == path.stat().st_mode & 0o777
