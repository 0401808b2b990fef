# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The control port of a running lab: loopback HTTP, with the token that lab.json names."""

import hmac
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import timedelta

from aiohttp import web

from wavegate.clock import format_instant
from wavegate.lab.running import PATIENCE, Lab, PhaseResult
from wavegate.lab.world import PHASES


async def start_control(lab: Lab, stack: AsyncExitStack) -> None:
    """Listen on a free port; closed with the stack."""
    runner = web.ServerRunner(
        web.Server(_Control(lab).handle, access_log=None), shutdown_timeout=0.2
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    lab.control = f"http://127.0.0.1:{runner.addresses[0][1]}"


class _Control:
    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """GET /status; POST /phase/before, /phase/window, /phase/after."""
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {self._lab.token}".encode()):
            return web.Response(status=403)
        if (request.method, request.path) == ("GET", "/status"):
            return _json(self._lab.result())
        for phase in PHASES:
            if (request.method, request.path) == ("POST", f"/phase/{phase}"):
                return _json(await self._lab.move(phase, _patience(request)))
        return web.Response(status=404)


def _patience(request: web.BaseRequest) -> timedelta:
    text = request.query.get("patience", "")
    return timedelta(milliseconds=int(text)) if text.isdecimal() else PATIENCE


def _json(result: PhaseResult) -> web.Response:
    told = asdict(result) | {"at": format_instant(result.at)}
    return web.json_response(told)
