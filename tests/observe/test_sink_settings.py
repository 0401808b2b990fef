# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What an estate makes of a sink: addresses, patterns, proxies, heartbeat."""

import ipaddress
from datetime import timedelta

import pytest

from wavegate.errors import InputError
from wavegate.estate.model import Estate, Instance, MailSource
from wavegate.estate.policy import Policy
from wavegate.observe.sink_settings import DEFAULT_LISTEN, Door, settings_for


def estate(*sources: MailSource, probe_interval: timedelta = timedelta(seconds=5)) -> Estate:
    """An estate with one instance per mail source."""
    return Estate(
        version=1,
        policy=Policy(probe_interval=probe_interval),
        instances=tuple(
            Instance(
                name=f"acme-dev{number}",
                customer="acme",
                product="campaign-v8",
                hosting="managed",
                environment="dev",
                mail=(source,),
            )
            for number, source in enumerate(sources)
        ),
    )


def sink(
    listen: str | None = None,
    recipients: tuple[str, ...] | None = None,
    proxy_from: tuple[str, ...] = (),
) -> MailSource:
    """A sink of one instance."""
    return MailSource(sink=True, listen=listen, recipients=recipients, proxy_from=proxy_from)


def test_instances_share_the_given_address() -> None:
    """At one address the patterns and networks of all its instances are joined, each once."""
    found = settings_for(
        estate(
            sink(recipients=("*@seed.example",), proxy_from=("127.0.0.1/32",)),
            sink(recipients=("*@seed.example", "x@other.example")),
        ),
        ["127.0.0.1:2600"],
        ["10.0.0.0/8"],
    )
    assert found.doors == (
        Door(
            host="127.0.0.1",
            port=2600,
            recipients=("*@seed.example", "x@other.example"),
            proxy_from=("10.0.0.0/8", "127.0.0.1/32"),
        ),
    )


def test_one_instance_without_patterns_opens_the_door() -> None:
    """Where one instance takes any recipient its address takes any, in whatever order they come."""
    closed, anyone = sink(recipients=("*@seed.example",)), sink()
    for sources in ((closed, anyone), (anyone, closed)):
        (door,) = settings_for(estate(*sources)).doors
        assert door.recipients is None


def test_own_address_wins_over_the_given_one() -> None:
    """An instance with its own address is served there; others at the given one."""
    found = settings_for(
        estate(sink("[::1]:2601", ("a@x.example",)), sink(recipients=("b@x.example",))),
        ["127.0.0.1:2600"],
    )
    assert found.doors == (
        Door(host="::1", port=2601, recipients=("a@x.example",)),
        Door(host="127.0.0.1", port=2600, recipients=("b@x.example",)),
    )


def test_given_address_that_nobody_needs_serves_all() -> None:
    """An address that was asked for is listened on, and takes every instance's recipients."""
    found = settings_for(estate(sink("127.0.0.1:2601", ("a@x.example",))), ["0.0.0.0:25"])
    assert [(door.host, door.port, door.recipients) for door in found.doors] == [
        ("127.0.0.1", 2601, ("a@x.example",)),
        ("0.0.0.0", 25, ("a@x.example",)),  # noqa: S104 - an address in an estate, not bound here
    ]


def test_without_any_address_the_default_is_used() -> None:
    """A sink without an address anywhere listens on this machine only."""
    (door,) = settings_for(estate(sink())).doors
    assert f"{door.host}:{door.port}" == DEFAULT_LISTEN


def test_port_zero_is_any_port() -> None:
    """Port 0 lets the system choose, for tests and for several sinks on one machine."""
    (door,) = settings_for(estate(sink()), ["[::1]:0"]).doors
    assert (door.host, door.port) == ("::1", 0)


@pytest.mark.parametrize(
    ("listen", "proxy_from", "where"),
    [
        (["127.0.0.1"], [], "listen '127.0.0.1'"),
        (["127.0.0.1:99999"], [], "listen '127.0.0.1:99999'"),
        ([":0"], [], "listen ':0'"),
        ([], ["10.0.0.1/8"], "proxy-from '10.0.0.1/8'"),
    ],
)
def test_bad_flag_is_named(listen: list[str], proxy_from: list[str], where: str) -> None:
    """An address or network that cannot be read is an input error with its cure."""
    with pytest.raises(InputError) as caught:
        settings_for(estate(sink()), listen, proxy_from)
    assert caught.value.where == where
    assert caught.value.cure


def test_estate_without_a_sink_is_refused() -> None:
    """A sink whose mail nobody would read is not started."""
    with pytest.raises(InputError, match="no instance"):
        settings_for(estate(MailSource(maildir="/var/mail")), ["127.0.0.1:2525"])


@pytest.mark.parametrize(("interval", "expected"), [(0.5, 0.5), (60, 5), (0.001, 0.2)])
def test_heartbeat_follows_the_probes(interval: float, expected: float) -> None:
    """In a short window the sink gives signs of life as often as the probes ask."""
    found = settings_for(estate(sink(), probe_interval=timedelta(seconds=interval)))
    assert found.heartbeat == timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("x@seed.example", True),
        ("X@SEED.Example", True),
        ("seed+1@other.example", True),
        ("x@seed.example.evil.example", False),
        ("x@sub.seed.example", False),
        ("seed@other.example", False),
    ],
)
def test_recipients_are_matched_whole_and_without_case(recipient: str, expected: bool) -> None:
    """A pattern covers the whole address; a longer one does not slip in."""
    door = Door(host="::1", port=0, recipients=("*@Seed.example", "seed+*@other.example"))
    assert door.takes(recipient) is expected


def test_only_named_networks_are_proxies() -> None:
    """A peer outside the networks, or of another family, is no proxy."""
    door = Door(host="::1", port=0, proxy_from=("10.0.0.0/8", "2001:db8::/32"))
    peers = ["10.1.2.3", "11.1.2.3", "2001:db8::1", "::1"]
    found = [door.is_proxy(ipaddress.ip_address(peer)) for peer in peers]
    assert found == [True, False, True, False]
