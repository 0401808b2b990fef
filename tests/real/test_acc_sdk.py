# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The lab's Campaign endpoint, driven by Adobe's own JavaScript client."""

import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders.npm import installed

from wavegate.lab.campaign_ims import TOKEN_PATH
from wavegate.lab.serve import running

HERE = Path(__file__).parent / "sdk"
STEPS = (
    "test",
    "logon",
    "ping",
    "mcPing",
    "optionPresent",
    "optionAbsent",
    "serverTime",
    "select",
    "where",
    "empty",
    "getIfExists",
    "countAndGroup",
    "workflows",
    "throughputReport",
    "pushEvent",
    "unknownSchema",
    "unknownAttribute",
    "liveToken",
    "logoff",
    "deadToken",
    "forgedToken",
    "wrongPassword",
    "clientCredentials",
    "wrongClientSecret",
    "bearerLogon",
    "bearerOnly",
    "forgedBearerLogon",
    "forgedBearerOnly",
)


def _without_proxies() -> dict[str, str]:
    """The environment less *_PROXY, which the client honours."""
    return {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest) -> Path:
    """A folder with the script and the installed client; skips with the reason if there is none."""
    return installed(request.config, HERE, "drive.cjs")


def test_adobes_client_accepts_the_endpoint(client: Path, tmp_path: Path) -> None:
    """What the vendor's own client accepts and refuses is the measure of the lab's Campaign."""
    with running("small", tmp_path, opens_in=timedelta(minutes=10)) as lab:
        campaign = lab.campaigns["acme-prod1"]
        ran = subprocess.run(
            ["node", "drive.cjs"],  # noqa: S607 - found by which above
            cwd=client,
            env={
                **_without_proxies(),
                "URL": campaign.url,
                "LOGIN": campaign.sessions.operator,
                "PASSWORD": campaign.sessions.password,
                "TOKEN_URL": campaign.url + TOKEN_PATH,
                "CLIENT_ID": campaign.sessions.ims.client_id,
                "CLIENT_SECRET": campaign.sessions.ims.client_secret,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        told = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [(line["step"], line["ok"]) for line in told] == [(name, True) for name in STEPS], (
            ran.stdout[-500:] + ran.stderr[-500:]
        )
        assert lab.log.writes == []
