# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The promises: their ids, sentences and published sources.

The sources are editions of one technical note, of which only the first made all the claims; the
report says for each whether it is still in force.
"""

from dataclasses import dataclass

FIRST = ("2023-09-18", "en", "d0935df5")
SECOND = ("2023-09-19", "en", "557d61e0")
LATEST = ("latest edition read", "en", "eb35ccb4")
NOTE = "Adobe Campaign v8 technical note, migration to AWS"
CARD = "Wavegate's own mission"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a promise was made: document, section, edition date, language and commit.

    withdrawn: what became of it later, or None while it is in force.
    """

    document: str
    section: str
    edition: str
    language: str
    commit: str
    withdrawn: str | None = None

    @property
    def in_force(self) -> bool:
        """Whether the latest edition read still says it."""
        return self.withdrawn is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise: its id (the suite's file name), its sentence, its source."""

    id: str
    sentence: str
    source: Source


def _note(
    section: str, edition: tuple[str, str, str] = LATEST, withdrawn: str | None = None
) -> Source:
    date, language, commit = edition
    return Source(
        document=NOTE,
        section=section,
        edition=date,
        language=language,
        commit=commit,
        withdrawn=withdrawn,
    )


def _card(section: str) -> Source:
    return Source(document=CARD, section=section, edition="1", language="en", commit="-")


_GONE = f"deleted from the edition of {SECOND[0]} (commit {SECOND[2]})"

_BUILT_IN = (
    Promise(
        id="scope",
        sentence="Exactly the affected instances move, each in one wave",
        source=_note("are you affected"),
    ),
    Promise(
        id="schedule",
        sentence="Dev and staging move first; production not before January 2024 and never "
        "before the same customer's dev and staging waves closed",
        source=_note("when"),
    ),
    Promise(
        id="notice",
        sentence="Every customer was told at least seven days before the window opened",
        source=_note(
            "when", FIRST, "the latest edition promises 30 days for production, 7 for staging"
        ),
    ),
    Promise(
        id="sending_ips",
        sentence="The sending IPs are the ones used before",
        source=_note("impact", FIRST, _GONE),
    ),
    Promise(
        id="reverse_dns",
        sentence="Each sending IP has the PTR it had, and it forward-confirms",
        source=_card("PTR"),
    ),
    Promise(
        id="spf",
        sentence="SPF authorises exactly the same addresses, and each sending IP passes",
        source=_card("SPF"),
    ),
    Promise(
        id="dkim",
        sentence="Each selector publishes the same key, and mail sent after is signed and verifies",
        source=_card("DKIM"),
    ),
    Promise(
        id="dmarc",
        sentence="The DMARC policy in effect is the same, and mail aligns",
        source=_card("what PTR, SPF and DKIM are for"),
    ),
    Promise(
        id="build_version",
        sentence="The Campaign build is the one that ran before",
        source=_note("impact", FIRST, _GONE),
    ),
    Promise(
        id="throughput",
        sentence="Sending is not slower than before, by more than the agreed margin",
        source=_note("optimal throughput", FIRST),
    ),
    Promise(
        id="availability_after",
        sentence="No single point stops sending, and it keeps pace as load grows",
        source=_note("high availability and room to scale"),
    ),
    Promise(
        id="sending_window",
        sentence="No mail leaves during the window, and sending is back when it closes",
        source=_note("impact"),
    ),
    Promise(
        id="only_sending_disrupted",
        sentence="No other Campaign function is disrupted",
        source=_note("impact"),
    ),
    Promise(
        id="queued_mail",
        sentence="Every mail queued before the window is accounted for, and is resent exactly once",
        source=_note("impact", FIRST, _GONE),
    ),
    Promise(
        id="nothing_else_changed",
        sentence="What was observed and no other promise explains is unchanged",
        source=_card("compare pre- and post-migration state"),
    ),
    Promise(
        id="sound_evidence",
        sentence="The records judged are complete, signed, taken at the right time and by the "
        "same tool version on both sides",
        source=_card("signed reports, audit evidence"),
    ),
)

PROMISES: dict[str, Promise] = {promise.id: promise for promise in _BUILT_IN}
"""The sixteen promises of the design, in report order."""

NEVER_WAIVED = frozenset({"sound_evidence", "scope"})
"""A FAILED of these cannot be waived (design, "Waiver")."""

NEEDS_URL = frozenset({"build_version", "queued_mail", "throughput"})
"""NOT_APPLICABLE by the signed grid for an instance without `url` (design, estate file)."""


def own_promise(promise_id: str, sentence: str) -> Promise:
    """A user's promise: its suite file's name and the first line of its docstring."""
    source = Source(
        document="suite of the user", section=promise_id, edition="-", language="-", commit="-"
    )
    return Promise(id=promise_id, sentence=sentence, source=source)


def order(promise_id: str) -> tuple[int, str]:
    """Sort key: the design's order first, a user's own promises after it by name."""
    known = list(PROMISES)
    return (known.index(promise_id) if promise_id in PROMISES else len(known), promise_id)
