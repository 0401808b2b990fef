# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What an estate says of an instance's functions: where their seeds are, how often to look."""

from datetime import timedelta

from wavegate.clock import format_duration
from wavegate.lab.campaign_pages import (
    LANDING,
    MIRROR,
    RESOURCE,
    SEED_LINK,
    image_digest,
    landing_marker,
    mirror_marker,
    target,
)
from wavegate.lab.world import AgreedInstance

OFTEN, SELDOM = 8, 4
"""Probes per window: of pages and pings, and of what needs queries in a session."""
EVENT = "wavegateProbe"
BOUNCING = "nobody@gone.example"
"""An address that always bounces, to which the operator mails."""
Tree = dict[str, object]


NAMES = (
    *("tracking", "seed_link", "tracking_log", "mirror_page", "landing_page", "resource"),
    *("console", "soap", "ping", "mcping", "sms", "push", "logon", "session", "workflow"),
    *("report", "inbound_mail", "sftp", "message_center"),
)
"""All functions that a lab's instance has."""


def unprobed() -> Tree:
    """The `functions:` of an instance of which none is probed."""
    return dict.fromkeys(NAMES, False)


def functions(
    item: AgreedInstance,
    window: timedelta,
    *,
    seed: str | None,
    exchanger: str | None,
    sftp: str | None,
    secure: str = "",
) -> Tree:
    """The `functions:` of an instance; what has no place is left out, or switched off.

    secure: where tracked links and the mirror page are reached by https; empty for the usual url.
    """
    often = {"every": format_duration(window / OFTEN)}
    seldom = {"every": format_duration(window / SELDOM)}
    name = item.name
    bouncing = {"seed": BOUNCING} if item.bounce_seeds else {}
    tree: Tree = {
        "tracking": ({"url": f"{secure}/r/test"} if secure else {}) | often,
        "seed_link": {"url": f"{secure}{SEED_LINK}", "contains": target(name)} | often,
        "tracking_log": seldom,
        "mirror_page": {"url": f"{secure}{MIRROR}?c=seed", "contains": mirror_marker(name)} | often,
        "landing_page": {"url": LANDING, "contains": landing_marker(name)} | often,
        "resource": {"url": RESOURCE, "contains": image_digest()} | often,
        **dict.fromkeys(("console", "soap", "ping", "mcping", "sms", "push"), often),
        **dict.fromkeys(("logon", "session", "workflow", "report"), seldom),
        "inbound_mail": {"host": exchanger} | bouncing | often if exchanger else False,
        "sftp": {"host": sftp} | seldom if sftp else False,
    }
    if seed is not None:
        tree["message_center"] = {"event_type": EVENT, "seed": seed} | seldom
    return tree
