# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The throughput report of a delivery as data: its statistics by the hour, as `trunc` says."""

from collections.abc import Iterable

from wavegate.lab.campaign_state import Value

STAT = "nms:deliveryStat"
PERIOD, TRUNC = 604_800, 3600
MEGABIT = 1_000_000


def throughput(rows: Iterable[tuple[Value, ...]], delivery: str) -> str:
    """The report on one delivery. rows: of nms:deliveryStat, in the order of its columns."""
    hours: dict[str, tuple[int, int, int]] = {}
    for id_, date, volume, sent, errors, *_ in rows:
        if str(id_) == delivery:
            hour = f"{str(date)[:13]}:00:00.000Z"
            old = hours.get(hour, (0, 0, 0))
            hours[hour] = (old[0] + int(sent), old[1] + int(errors), old[2] + int(volume))
    counts = "".join(
        f'<deliveryStat date="{hour}" count="{count}" series="{series}"/>'
        for hour, found in sorted(hours.items())
        for series, count in zip(("Success", "Errors"), found, strict=False)
    )
    sizes = "".join(
        f'<deliveryStat date="{hour}" size="{found[2] * 8 / TRUNC / MEGABIT:.2f}"/>'
        for hour, found in sorted(hours.items())
    )
    return (
        f'<ctx _reportContext="throughput"><vars><period>{PERIOD}</period><trunc>{TRUNC}</trunc>'
        f"<valueScaleFactor>1</valueScaleFactor></vars><data><deliveryStat>{counts}</deliveryStat>"
        f"<bandwidth>{sizes}</bandwidth></data></ctx>"
    )
