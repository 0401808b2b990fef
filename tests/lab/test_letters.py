# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""What a letter of the lab reveals, read with the standard library."""

import base64
import email
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

from wavegate.lab.letters import Letter, compose
from wavegate.lab.reference import MOVED_WHEN, NEW_SITE, OLD_SITE, reference_world
from wavegate.lab.world import Mta


def _letter(mta: Mta) -> Letter:
    mailing = reference_world().before.instance("acme-prod1").mailing
    return Letter(
        instance="acme-prod1",
        sender=mailing.sender("news.acme.example"),
        route=mailing.route("127.10.3.11"),
        mta=mta,
        x_mailer=mailing.x_mailer,
        recipient="s-1@seed.example",
        number=0xABCDEF,
        delivery=4005,
        at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


def test_the_message_id_holds_both_ids_and_the_instance() -> None:
    """NM6, eight hex digits each, the instance, the domain."""
    found = email.message_from_bytes(compose(_letter(OLD_SITE[0])))["Message-ID"]
    assert found == "<NM600ABCDEF00000FA5acme-prod1@news.acme.example>"


def test_the_feedback_token_names_the_address() -> None:
    """X-MSFBL is folded inside its base64, and b binds the sending IP."""
    value = email.message_from_bytes(compose(_letter(OLD_SITE[0])))["X-MSFBL"]
    assert "\n" in value
    told = json.loads(base64.b64decode(re.sub(r"\s", "", value).partition("|")[2]))
    assert told["rcpt_meta"]["d"] == "4005"
    assert told["b"].startswith("acme_127.10.3.11_prod.marketing_")


def test_only_the_new_site_bears_the_sign_of_the_move() -> None:
    """The estate's `moved_when` tells the sites apart by the host of the Received line."""

    def by(mta: Mta) -> str:
        line = email.message_from_bytes(compose(_letter(mta)))["Received"]
        found = re.search(r"\sby (\S+)", line)
        assert found is not None
        return found[1]

    hosts = [by(mta) for mta in (*OLD_SITE, *NEW_SITE)]
    assert [bool(re.search(MOVED_WHEN, host)) for host in hosts] == [False, False, True, True]


def test_a_slow_hop_is_behind_in_its_own_line_only() -> None:
    """The Date header goes by the writer's clock, the Received line by the host's."""
    told = email.message_from_bytes(compose(_letter(replace(NEW_SITE[0], behind=1.0))))
    assert told["Received"].endswith("Fri, 02 Jan 2026 03:04:04 +0000")
    assert told["Date"].endswith("03:04:05 +0000")


def test_transactional_mail_names_its_binding() -> None:
    """Which group of senders a message left by stands in X-MSFBL."""
    letter = replace(_letter(NEW_SITE[0]), binding="transactional")
    value = email.message_from_bytes(compose(letter))["X-MSFBL"]
    told = json.loads(base64.b64decode(re.sub(r"\s", "", value).partition("|")[2]))
    assert told["b"].startswith("acme_127.10.3.11_prod.transactional_")
