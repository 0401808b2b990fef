# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The estate file of a world: what was agreed, written as plain YAML for the harness to read.

Every duration of the policy is in proportion to the window, so that a window of seconds can be
judged like one of an hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from ruamel.yaml import YAML

from wavegate.clock import format_duration
from wavegate.lab.clockwork import too_slow, unit
from wavegate.lab.estate_functions import functions, unprobed
from wavegate.lab.mailbox import RECEIVER
from wavegate.lab.reference import MOVED_WHEN
from wavegate.lab.reference_zones import BLOCKLIST
from wavegate.lab.world import AgreedInstance, AgreedNotice, AgreedStep, AgreedWave, Agreement

SEEDS = "*@seed.example"
FAILOVER = 0.7
"""In window lengths; the planned stops last longer."""
Tree = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where an instance is reached, and the files that hold its operator and password."""

    url: str
    operator: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What only the running lab knows: the window, and where everything listens.

    seeds: per instance the address of its probe events. exchangers: per instance where the mail
    exchanger of its bounces listens. sftp: per instance where its SFTP host listens. mailboxes:
    per instance that has one, its Maildir from the estate file. recipients: patterns of those that
    the sink takes mail for. secure: per instance with a TLS front, its url.
    """

    opens: datetime
    window: timedelta
    resolver: str
    authoritative: dict[str, list[str]]
    accounts: dict[str, Account]
    secrets: dict[str, str]
    smtp: str
    seeds: dict[str, str] = field(default_factory=dict)
    exchangers: dict[str, str] = field(default_factory=dict)
    sftp: dict[str, str] = field(default_factory=dict)
    mailboxes: dict[str, str] = field(default_factory=dict)
    recipients: tuple[str, ...] = (SEEDS,)
    secure: dict[str, str] = field(default_factory=dict)

    @property
    def closes(self) -> datetime:
        """The end of the window."""
        return self.opens + self.window


def write_estate(path: Path, agreed: Agreement, place: Place) -> None:
    """Write the estate file; readable YAML, keys in the design's order."""
    yaml = YAML()
    yaml.default_flow_style = False
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(estate(agreed, place), file)


def estate(agreed: Agreement, place: Place) -> Tree:
    """The estate file as a tree."""
    return {
        "version": 1,
        "policy": _policy(agreed, place),
        "resolvers": [place.resolver],
        "authoritative": place.authoritative,
        "customers": [
            {"name": name, "secret": f"file:{place.secrets[name]}"} for name in agreed.customers
        ],
        "instances": [_instance(item, place, agreed.probed) for item in agreed.instances],
        "waves": [_wave(wave, place) for wave in agreed.waves],
        **({"limits": list(_limits(agreed))} if agreed.limits else {}),
    }


def _limits(agreed: Agreement) -> Iterator[Tree]:
    for promise in agreed.limits:
        yield {
            "promise": promise,
            "instances": list(agreed.waves[0].instances),
            "reason": "not played in this lab",
            "approved_by": "R. Lab, migration office",
        }


def _policy(agreed: Agreement, place: Place) -> Tree:
    window = place.window
    step = unit(window)
    earliest = {"dev": "2023-10-01", "stage": "2023-10-01", "prod": "2024-01-01"}
    if agreed.earliest_prod is not None:
        earliest["prod"] = _instant(place.opens + agreed.earliest_prod, 0)
    return {
        "notice_days": {"dev": 7, "stage": 7, "prod": 7},
        "earliest": earliest,
        "due": {
            "sending_window": _length(window),
            "only_sending_disrupted": _length(window),
            "throughput": _length(15 * step),
            "queued_mail": _length(2 * window),
            "availability_after": _length(20 * window),
        },
        "throughput_unit": _length(step),
        "probe_interval": _length(window / 20),
        "settle": _length(window),
        "queue_deadline": _length(agreed.queue_deadline * window),
        "clock_tolerance": _length(max(window / 5, timedelta(seconds=1))),
        "resume_within": _length(window / 2),
        "failover_within": _length(FAILOVER * window),
        "too_slow": _length(too_slow(window)),
        "options": ["NmsServer_LastPostUpgrade", "NmsEmail_DefaultErrorAddr"],
        "blocklists": [BLOCKLIST],
        "reachable_private": ["127.0.0.0/8"],
        "timestamps": "optional",
    }


def _length(length: timedelta) -> str:
    return format_duration(length)


def _instant(at: datetime, zone_hours: int) -> str:
    """An instant in text, in UTC or in another offset."""
    if zone_hours == 0:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return at.astimezone(timezone(timedelta(hours=zone_hours))).isoformat()


def _instance(item: AgreedInstance, place: Place, probed: bool) -> Tree:
    tree: Tree = {
        "name": item.name,
        "customer": item.customer,
        "product": item.product,
        "hosting": item.hosting,
        "environment": item.environment,
        **_access(place.accounts.get(item.name)),
        "sending_ips": list(item.sending_ips),
        "domains": [
            {"name": domain.name, "selectors": list(domain.selectors)}
            | ({"primary": True} if domain.primary else {})
            for domain in item.domains
        ],
        "mail": [
            {
                "sink": True,
                "listen": place.smtp,
                "proxy_from": ["127.0.0.1/32"],
                "recipients": list(place.recipients),
            },
            *_mailbox(place.mailboxes.get(item.name)),
        ],
    }
    if item.moves:
        tree["moved_when"] = {"received_by": MOVED_WHEN}
    if item.name in place.accounts and not probed:
        tree["functions"] = unprobed()
    elif item.name in place.accounts:
        tree["functions"] = functions(
            item,
            place.window,
            seed=place.seeds.get(item.name),
            exchanger=place.exchangers.get(item.name),
            sftp=place.sftp.get(item.name),
            secure=place.secure.get(item.name, ""),
        )
    if item.name in place.secure:
        tree["tls"] = {"ca": "file:ca.pem"}
    if item.masked:
        tree["masks"] = [_mask(function, place) for function in item.masked]
    if item.planned:
        tree["planned"] = [_planned(step, place) for step in item.planned]
    return tree


def _mailbox(path: str | None) -> list[Tree]:
    """The mailbox of a seed reader, where there is one."""
    return [{"maildir": path, "trusted_receiver": RECEIVER}] if path else []


def _mask(function: str, place: Place) -> Tree:
    """A daily restart; its minute is that of the opening, since no finer one can be written."""
    since = place.opens.replace(second=0, microsecond=0)
    return {
        "function": function,
        "daily_at": f"{since.astimezone(UTC):%H:%M}",
        "for": _length(place.closes - since),
        "reason": "modules restart every day",
    }


def _planned(step: AgreedStep, place: Place) -> Tree:
    tree: Tree = {"at": _instant(place.opens + step.since * place.window, 0)}
    tree["for"] = _length((step.until - step.since) * place.window)
    if step.load is not None:
        return {"load": f"x{step.load:g}", **tree}
    return {"stop": "mta", "node": step.node, **tree}


def _access(account: Account | None) -> Tree:
    """How to reach an instance; nothing for one that is only listed."""
    if account is None:
        return {}
    return {
        "url": account.url,
        "credentials": {
            "operator": f"file:{account.operator}",
            "password": f"file:{account.password}",
        },
    }


def _wave(wave: AgreedWave, place: Place) -> Tree:
    tree: Tree = {"name": wave.name}
    if wave.opens is not None:
        opens = place.opens + wave.opens
        length = (1 + wave.longer) * place.window
        tree["window"] = _window(opens, length, wave.zone_hours)
        tree["announced_duration"] = _length(place.window)
    tree["instances"] = list(wave.instances)
    if wave.notices and wave.opens is not None:
        tree["notices"] = [_notice(item, wave.opens, place) for item in wave.notices]
    if wave.closed is not None:
        tree["closed"] = {
            "at": _instant(place.opens + wave.closed, wave.zone_hours),
            "approved_by": "R. Lab, migration office",
            "reference": f"CHG-{wave.name}",
        }
    return tree


def _window(opens: datetime, length: timedelta, zone_hours: int) -> Tree:
    return {
        "start": _instant(opens, zone_hours),
        "end": _instant(opens + length, zone_hours),
    }


def _notice(notice: AgreedNotice, opens: timedelta, place: Place) -> Tree:
    tree: Tree = {
        "customer": notice.customer,
        "sent": _instant(place.opens + notice.sent, notice.zone_hours),
        "reference": notice.reference,
    }
    if notice.announces is not None:
        announced = place.opens + opens + notice.announces
        tree["announces"] = _window(announced, place.window, notice.zone_hours)
    return tree
