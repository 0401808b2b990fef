# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A Campaign that holds a queue: TinyCampaign, its queries answered by the lab's query reader."""

import re
from collections.abc import Sequence
from dataclasses import replace

from lxml import etree
from tests.builders.tiny_http import TinyCampaign, fault, soap

from wavegate.lab.campaign_query import QueryFaultError, execute
from wavegate.lab.campaign_state import CampaignState, Table, Value

LABELS = (
    ("@status", 1, "sent", "Sent"),
    ("@status", 2, "failed", "Failed"),
    ("@status", 3, "takenIntoAccount", "Taken into account by the service provider"),
    ("@status", 6, "pending", "Pending"),
)
DELIVERY = (
    "@id",
    "@state",
    "@internalName",
    "@label",
    "@messageType",
    "properties/@toDeliver",
    "scheduling/@validityDate",
    "@lastModified",
)
LOG = ("@id", "@delivery-id", "@status", "@address", "@eventDate", "@failureReason")
EVENT = ("@id", "@status", "@type", "@created")
EVENT_LABELS = (("@status", 0, "pending", "Pending"), ("@status", 2, "sent", "Sent"))


class QueueCampaign(TinyCampaign):
    """cap: the most rows that one answer holds. expire: how many queries find the session dead."""

    def __init__(
        self,
        deliveries: Sequence[tuple[Value, ...]],
        logs: Sequence[tuple[Value, ...]],
        events: Sequence[tuple[Value, ...]] | None = None,
        *,
        cap: int = 10_000,
        expire: int = 0,
        columns: tuple[str, ...] = LOG,
    ) -> None:
        super().__init__()
        self.cap = cap
        self.expire = expire
        self.queries: list[str] = []
        tables = [
            Table(schema="nms:delivery", columns=DELIVERY, rows=tuple(deliveries)),
            Table(schema="nms:broadLogRcp", columns=columns, labels=LABELS, rows=tuple(logs)),
        ]
        if events is not None:
            rows = tuple(events)
            tables.append(
                Table(schema="nms:rtEvent", columns=EVENT, labels=EVENT_LABELS, rows=rows)
            )
        self.state = CampaignState(
            build="9282",
            commit="8f3ef8e",
            release="8.5.1",
            instance_name="acme_mkt_prod1",
            database_id="uFE8",
            major=8,
            minor=5,
            fronts=(),
            tables=tuple(tables),
        )

    def become(self, schema: str, rows: Sequence[tuple[Value, ...]]) -> None:
        """Replace the rows of a table."""
        tables = tuple(
            replace(table, rows=tuple(rows)) if table.schema == schema else table
            for table in self.state.tables
        )
        self.state = replace(self.state, tables=tables)

    def _query(self, body: str) -> bytes:
        document = next(etree.fromstring(body.encode()).iter("queryDef"))
        self.queries.append(etree.tostring(document).decode())
        if self.expire > 0:
            self.expire -= 1
            return fault("XSV-350008", "The session is not valid or has expired.")
        lines = re.sub(r"\D", "", document.get("lineCount") or "") or "200"
        document.set("lineCount", str(min(int(lines), self.cap)))
        try:
            found = etree.tostring(execute(self.state, document)).decode()
        except QueryFaultError as error:
            code, _, text = str(error).partition(" ")
            return fault(code, text.replace("<", "&lt;"))
        return soap(f"<ExecuteQueryResponse><pdom>{found}</pdom></ExecuteQueryResponse>")
