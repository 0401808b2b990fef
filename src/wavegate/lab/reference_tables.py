# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The tables that a healthy instance of the lab shows to ExecuteQuery."""

from wavegate.lab.campaign_state import Table, Value

_STATES = (
    ("@state", 55, "startPending", "Started"),
    ("@state", 95, "finished", "Finished"),
)
_STATUSES = (
    ("@status", 1, "sent", "Sent"),
    ("@status", 2, "failed", "Failed"),
    ("@status", 6, "pending", "Pending"),
)
_WORKFLOW_STATES = (
    ("@state", 11, "started", "Started"),
    ("@state", 13, "paused", "Paused"),
    ("@state", 20, "stopped", "Stopped"),
)
_DAY = "2024-01-10"


def tables(instance: str) -> tuple[Table, ...]:
    """Deliveries, logs, workflows and statistics of an instance."""
    return (_deliveries(instance), _logs(), _workflows(), _statistics(), _clicks())


def _deliveries(instance: str) -> Table:
    rows: list[tuple[Value, ...]] = [
        (
            4000 + number,
            f"DM{number}",
            f"{instance} newsletter {number}",
            95 if number < 4 else 55,
            0,
            4,
            1000 * number,
            990 * number,
            f"{_DAY} 0{number}:00:00.000Z",
        )
        for number in range(1, 6)
    ]
    return Table(
        schema="nms:delivery",
        columns=(
            "@id",
            "@internalName",
            "@label",
            "@state",
            "@messageType",
            "@deliveryMode",
            "properties/@toDeliver",
            "indicators/@success",
            "@lastModified",
        ),
        labels=_STATES,
        rows=tuple(rows),
    )


def _logs() -> Table:
    rows: list[tuple[Value, ...]] = [
        (
            70000 + number,
            4001 + number % 5,
            (1, 1, 1, 2, 6)[number % 5],
            f"{_DAY} 0{number % 10}:30:00.000Z",
            f"{_DAY} 0{number % 10}:31:00.000Z",
        )
        for number in range(40)
    ]
    return Table(
        schema="nms:broadLogRcp",
        columns=("@id", "@delivery-id", "@status", "@eventDate", "@lastModified"),
        labels=_STATUSES,
        rows=tuple(rows),
    )


def _workflows() -> Table:
    names = ("tracking", "deliveryIndicators", "cleanup")
    rows: list[tuple[Value, ...]] = [
        (900 + place, name, name.capitalize(), 11, 0, f"{_DAY} 06:00:00.000Z")
        for place, name in enumerate(names)
    ]
    return Table(
        schema="xtk:workflow",
        columns=("@id", "@internalName", "@label", "@state", "@failed", "@processDate"),
        labels=_WORKFLOW_STATES,
        rows=tuple(rows),
    )


def _statistics() -> Table:
    rows: list[tuple[Value, ...]] = [
        (4001, f"{_DAY} 0{hour}:00:00.000Z", 1200 * 60, 71000, 300) for hour in range(1, 8)
    ]
    return Table(
        schema="nms:deliveryStat",
        columns=("@delivery-id", "@date", "@volume", "@firstSuccess", "@firstError"),
        rows=tuple(rows),
    )


def _clicks() -> Table:
    rows: list[tuple[Value, ...]] = [
        (81000 + number, f"{_DAY} 07:0{number}:00.000Z") for number in range(5)
    ]
    return Table(schema="nms:trackingLogRcp", columns=("@id", "@logDate"), rows=tuple(rows))
