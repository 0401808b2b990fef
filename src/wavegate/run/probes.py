# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Which probes a capture uses."""

from collections.abc import Sequence

from wavegate.observe.campaign_probe import CampaignProbe
from wavegate.observe.dns_probe import DnsProbe
from wavegate.observe.host_probe import HostProbe
from wavegate.observe.probe import Probe
from wavegate.observe.rate_probe import NightQuestions, RateQuestions
from wavegate.observe.sink_clock import SinkClockProbe
from wavegate.observe.witness_probe import WitnessQuestions


def probes() -> Sequence[Probe]:
    """The probes of a capture, in the order in which they look."""
    campaign = CampaignProbe(companions=(RateQuestions(), WitnessQuestions()))
    return (DnsProbe(), HostProbe(), campaign, SinkClockProbe())


def nightly_probes() -> Sequence[Probe]:
    """The probes of a night: the same, but of rates only those since the night before."""
    return (DnsProbe(), HostProbe(), CampaignProbe(companions=(NightQuestions(),)))
