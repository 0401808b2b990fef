# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The policy of an estate: every value that another sender's migration would set otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, StrictInt, Tag

from wavegate.estate.values import (
    AutoDuration,
    Domain,
    Duration,
    HttpUrl,
    Id,
    Instant,
    Network,
    PositiveDuration,
    Share,
    Text,
)

Environment = Literal["dev", "stage", "prod"]
Demand = Literal["required", "optional"]


class Strict(BaseModel):
    """The base of every estate model: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class PerEnvironment(Strict):
    """A number of days per environment."""

    dev: StrictInt = Field(7, ge=0)
    """Days for development instances."""
    stage: StrictInt = Field(7, ge=0)
    """Days for staging instances."""
    prod: StrictInt = Field(7, ge=0)
    """Days for production instances."""


class Earliest(Strict):
    """The earliest instant at which a window of an environment may open."""

    dev: Instant = datetime(2023, 10, 1, tzinfo=UTC)
    """For development instances."""
    stage: Instant = datetime(2023, 10, 1, tzinfo=UTC)
    """For staging instances."""
    prod: Instant = datetime(2024, 1, 1, tzinfo=UTC)
    """For production instances."""


class Keep(Strict):
    """What is kept of a mail."""

    recipients: Literal["hmac", "plain"] = "hmac"
    """Recipients as HMAC under a per-customer key, or in plain text; seeds stay plain."""
    bodies: StrictBool = True
    """Whole messages as received, or their header and the hashes that signatures need."""


class DemandPerEnvironment(Strict):
    """Whether trusted timestamps are required, per environment."""

    dev: Demand = "optional"
    """For development instances."""
    stage: Demand = "optional"
    """For staging instances."""
    prod: Demand = "required"
    """For production instances."""


def _one_or_each(value: object) -> str:
    return "each" if isinstance(value, dict | DemandPerEnvironment) else "one"


Timestamps = Annotated[
    Annotated[Demand, Tag("one")] | Annotated[DemandPerEnvironment, Tag("each")],
    Discriminator(_one_or_each),
]
"""One demand for all, or one per environment."""

DEFAULT_DUE = {
    "sending_window": timedelta(hours=3),
    "only_sending_disrupted": timedelta(hours=3),
    "throughput": timedelta(days=15),
    "queued_mail": timedelta(hours=85),
    "availability_after": timedelta(days=14),
}


class Policy(Strict):
    """Every policy key, with its default; `plan` prints all of them."""

    notice_days: PerEnvironment = PerEnvironment()
    """How many days before the window's opening a customer must have been told."""
    earliest: Earliest = Earliest()
    """The earliest opening of a window, per environment."""
    due: dict[Id, Duration] = Field(default_factory=dict)
    """Per promise, how long after the window's end a cell may stay open; all others 0."""
    throughput_margin: Share = 100_000
    """How much slower sending may be, as a share."""
    throughput_unit: PositiveDuration = timedelta(hours=24)
    """Distance between independent pieces of throughput evidence; looks at 3, 7, 14 units."""
    latency_margin: Share = 250_000
    """How much later the 95th percentile of seed delays may be, as a share."""
    coverage_alpha: Share = 1_000
    """The chance of missing a sending IP that the coverage of mail may leave."""
    probe_interval: PositiveDuration = timedelta(seconds=5)
    """Distance between two probes of one function in the window."""
    confirm: StrictInt = Field(3, ge=1)
    """How many bad samples in a row convict."""
    resume_within: AutoDuration = "auto"
    """How soon after the close each sending IP must deliver again."""
    settle: AutoDuration = "auto"
    """How long watch goes on after the close."""
    queue_deadline: Duration = timedelta(hours=85)
    """How long after the close every queued mail must be accounted for."""
    lost_share: Share = 0
    """The share of queued mail that may be lost."""
    accept_expired: StrictBool = False
    """Whether a mail that expired in the queue counts as accounted for."""
    options: tuple[Text, ...] = ()
    """Names of Campaign options to compare."""
    blocklists: tuple[Domain, ...] = ()
    """DNS zones of blocklists to ask."""
    reachable_private: tuple[Network, ...] = ()
    """Private networks that probes may contact."""
    keep: Keep = Keep()
    """What is kept of a mail."""
    before_max_age: PositiveDuration = timedelta(days=7)
    """The oldest `before` that still counts at the opening."""
    clock_tolerance: Duration = timedelta(seconds=5)
    """Clock difference that is not worth a finding."""
    failover_within: Duration = timedelta(minutes=2)
    """How soon sending must go on after a node stops."""
    too_slow: PositiveDuration = timedelta(seconds=10)
    """An answer later than this is silence."""
    timestamps: Timestamps = DemandPerEnvironment()
    """Whether trusted timestamps are required: `required` or `optional`, for all or each."""
    tsa: tuple[HttpUrl, ...] = ()
    """URLs of RFC 3161 timestamp authorities; each is asked about each capture and seal."""

    def due_after(self, promise: str) -> timedelta:
        """How long after the window's end a cell of a promise may stay open."""
        return self.due.get(promise, DEFAULT_DUE.get(promise, timedelta()))

    def timestamps_for(self, environment: Environment) -> Demand:
        """Whether timestamps are required for instances of an environment."""
        if isinstance(self.timestamps, str):
            return self.timestamps
        found: Demand = getattr(self.timestamps, environment)
        return found
