# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A small estate: acme with dev, stage and prod, globex beside it; one wave under test."""

from datetime import UTC, datetime, timedelta

from wavegate.estate.model import (
    Customer,
    Estate,
    Instance,
    MailSource,
    Notice,
    SenderDomain,
    Wave,
    Window,
)
from wavegate.estate.policy import Policy

START = datetime(2024, 1, 16, 22, tzinfo=UTC)
END = START + timedelta(hours=1)
NOW = END + timedelta(hours=2)
WAVE = "2024-01-w1"
WINDOW = Window(start=START, end=END)
IPS = ("192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13")


def instance(name: str = "acme-prod1", **other: object) -> Instance:
    """An instance, production of acme unless said otherwise."""
    customer, _, kind = name.partition("-")
    fields: dict[str, object] = {
        "name": name,
        "customer": customer,
        "product": "campaign-v8",
        "hosting": "managed",
        "environment": kind.rstrip("0123456789") if kind[:3] in ("dev", "sta", "pro") else "prod",
        "url": f"https://{name}.example",
        "sending_ips": IPS,
        "domains": (SenderDomain(name="news.acme.example", selectors=("acc1",), primary=True),),
        "mail": (MailSource(sink=True),),
    }
    return Instance.model_validate(fields | other)


def notice(customer: str = "acme", sent: datetime | None = None, **other: object) -> Notice:
    """A notice eleven days early unless said otherwise."""
    fields: dict[str, object] = {
        "customer": customer,
        "sent": sent or START - timedelta(days=11),
        "reference": "mail-4711",
    }
    return Notice.model_validate(fields | other)


def wave(name: str = WAVE, *instances: str, **other: object) -> Wave:
    """A wave with the usual window."""
    fields: dict[str, object] = {
        "name": name,
        "window": WINDOW,
        "instances": instances or ("acme-prod1",),
        "notices": (notice(),),
    }
    return Wave.model_validate(fields | other)


def estate(*instances: Instance, waves: tuple[Wave, ...] = (), **other: object) -> Estate:
    """An estate of these instances; the wave under test comes first."""
    found = instances or (instance(),)
    return Estate.model_validate(
        {
            "version": 1,
            "policy": Policy(timestamps="optional"),
            "customers": tuple(Customer(name=n) for n in sorted({i.customer for i in found})),
            "instances": found,
            "waves": waves or (wave(),),
        }
        | other
    )
