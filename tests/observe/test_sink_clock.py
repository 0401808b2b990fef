# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The clock of the receiving side, as a capture hears it from a running sink."""

import socket
from pathlib import Path
from typing import Any

import pytest
from tests.builders.estates import estate, instance
from tests.builders.running_sink import proxied, running
from tests.builders.snapshots import snapshot
from tests.builders.tiny_tcp import TinyTcp

from wavegate.compare.clocks import skews
from wavegate.observe.probe import Looked, Task
from wavegate.observe.sink_clock import SinkClockProbe
from wavegate.record.campaign_view import CampaignView


def look(tmp_path: Path, *mail: dict[str, Any]) -> Looked:
    """What the probe brings of an instance with these mail sources."""
    one = instance(mail=mail)
    task = Task(estate=estate(one), instance=one, vantage="here", base=tmp_path)
    assert len(SinkClockProbe().questions(task)) == sum("listen" in source for source in mail)
    return SinkClockProbe().look(task)


def skew_of(looked: Looked) -> dict[str, float]:
    """Seconds by source."""
    taken = snapshot("after", looked.observations)
    return {s.source: s.least.total_seconds() for s in skews(taken, CampaignView(taken))}


def greeting(text: str) -> TinyTcp:
    """A mail server that greets so and waits for the other to leave."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(text.encode("ascii") + b"\r\n")
        peer.recv(100)

    return TinyTcp(talk)


def test_a_sink_with_our_clock_shows_no_skew(tmp_path: Path) -> None:
    """Its greeting is written between asking and hearing; no mail is recorded by the question."""
    with running(tmp_path) as sink:
        looked = look(tmp_path, {"sink": True, "listen": sink.places[0]})
        assert {"the sink": 0.0} == skew_of(looked)
        assert () == sink.finish().messages


def test_a_sink_behind_a_proxy_is_asked_as_a_proxy_asks(tmp_path: Path) -> None:
    """Where it believes proxies it is silent until a header came; one that names nobody will do."""
    with running(tmp_path, proxied("127.0.0.0/8")) as sink:
        source = {"sink": True, "listen": sink.places[0], "proxy_from": ["127.0.0.1/32"]}
        assert {"the sink": 0.0} == skew_of(look(tmp_path, source))


@pytest.mark.parametrize(("year", "seconds"), [("2200", 5.4e9), ("2020", -1e8)])
def test_a_clock_that_is_off_is_told_with_its_sign(
    tmp_path: Path, year: str, seconds: float
) -> None:
    """Mail is dated by it, so that it decides what left within the window."""
    with greeting(f"220 mx.seed.example Wavegate sink; {year}-01-01T00:00:00Z") as server:
        place = f"127.0.0.1:{server.port}"
        found = skew_of(look(tmp_path, {"sink": True, "listen": place}))["the sink"]
    assert found * seconds > 0
    assert abs(found) > abs(seconds)


@pytest.mark.parametrize("text", ["220 mx.example ESMTP", "220 x Wavegate sink; soon", ""])
def test_another_greeting_tells_no_time(tmp_path: Path, text: str) -> None:
    """An older sink, or another server: not measured, and no skew made up."""
    with greeting(text) as server:
        source = {"sink": True, "listen": f"127.0.0.1:{server.port}"}
        assert {} == skew_of(look(tmp_path, source))


def test_a_sink_that_is_not_there_is_left_out_with_the_reason(tmp_path: Path) -> None:
    """It is no fault of the instance, and its silence is not an observation of it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
    looked = look(tmp_path, {"sink": True, "listen": place})
    assert () == looked.observations
    assert [f"clock of the sink at {place}"] == [found.what for found in looked.left_out]


def test_a_sink_without_a_place_is_not_asked(tmp_path: Path) -> None:
    """Where `sink --listen` decides, a capture does not know where to ask."""
    assert Looked(observations=()) == look(tmp_path, {"sink": True})
