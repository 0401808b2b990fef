# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The rules that may clear a difference of `nothing_else_changed`: small, named, listed.

Whatever none of them explains is a finding (design, rule 2). Records in another order, a TXT
split elsewhere and names in other letter case are equal before any rule is asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wavegate.compare.residue import NO_NAME, NO_RECORD, Known

BEHIND_POLICY = "policy "


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two definite, unequal states of one subject."""

    subject: str
    before: Known
    after: Known

    @property
    def lost(self) -> tuple[str, ...]:
        """What was there before and is not after; absence itself is nothing."""
        return _real(item for item in self.before.items if item not in self.after.items)

    @property
    def gained(self) -> tuple[str, ...]:
        """What is there after and was not before."""
        return _real(item for item in self.after.items if item not in self.before.items)


def _real(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(item for item in items if item not in (NO_NAME, NO_RECORD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A clearing rule: its name and sentence for the report, and what it clears."""

    name: str
    explanation: str
    clears: Callable[[Difference], bool]


def _serial(found: Difference) -> bool:
    return found.subject.endswith(" SOA serial")


def _primary(found: Difference) -> bool:
    return found.subject.endswith(" SOA primary")


def _absent_either_way(found: Difference) -> bool:
    return not found.lost and not found.gained


def _behind_cname(found: Difference) -> bool:
    aliased = bool(found.after.behind) and not found.after.behind.startswith(BEHIND_POLICY)
    return found.subject.endswith((" A", " AAAA")) and aliased


def _dnssec_detail(found: Difference) -> bool:
    return found.subject.endswith((" DNSKEY", " DS at the parent"))


def _renewed(found: Difference) -> bool:
    in_use = found.subject.endswith(" certificate in use")
    return in_use and found.after.behind > found.before.behind


def _same_policy_behind(found: Difference) -> bool:
    """An `id` that counts edits, or another address of the host, before one and the same policy."""
    owner, _, what = found.subject.partition(" ")
    behind = found.after.behind
    kept = behind.startswith(BEHIND_POLICY) and behind == found.before.behind
    if what == "TXT" and owner.startswith("_mta-sts."):
        return kept and _without_id(found.before) == _without_id(found.after)
    return kept and what in ("A", "AAAA") and owner.startswith("mta-sts.") and _still_there(found)


def _still_there(found: Difference) -> bool:
    return bool(found.lost) and bool(found.gained)


def _without_id(state: Known) -> list[dict[str, str]]:
    return [{name: v for name, v in _tags(text).items() if name != "id"} for text in state.items]


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _respaced(found: Difference) -> bool:
    owner, _, what = found.subject.partition(" ")
    if what != "TXT" or not owner.startswith(TAGGED):
        return False
    return [*map(_tags, found.before.items)] == [*map(_tags, found.after.items)]


def _delisted(found: Difference) -> bool:
    return " listed on " in found.subject and not found.gained


TAGGED = ("_mta-sts.", "_smtp._tls.", "default._bimi.")
"""Names whose TXT are lists of tags (RFC 8461 3.1, RFC 8460 3; BIMI)."""

RULES = (
    Rule(
        name="soa-serial-counts-edits",
        explanation="the serial rises with any edit of the zone (RFC 1035 3.3.13)",
        clears=_serial,
    ),
    Rule(
        name="soa-primary-is-for-updates",
        explanation="the primary name is where updates go, nobody who reads the zone goes there",
        clears=_primary,
    ),
    Rule(
        name="absent-either-way",
        explanation="no such name and no such record both mean that there is nothing",
        clears=_absent_either_way,
    ),
    Rule(
        name="address-behind-cname",
        explanation="addresses behind a CNAME rotate; its target is what is compared",
        clears=_behind_cname,
    ),
    Rule(
        name="dnssec-keys-roll",
        explanation="keys and DS are exchanged as a matter of routine; what they amount to is "
        "compared as the DNSSEC state",
        clears=_dnssec_detail,
    ),
    Rule(
        name="certificate-renewed",
        explanation="a certificate that ends later; its names, issuer and trust are compared",
        clears=_renewed,
    ),
    Rule(
        name="mta-sts-policy-kept",
        explanation="the id counts edits and the host may move; the policy itself is compared "
        "(RFC 8461 3.1)",
        clears=_same_policy_behind,
    ),
    Rule(
        name="tags-respaced",
        explanation="the same tags with the same values, spaced otherwise",
        clears=_respaced,
    ),
    Rule(
        name="left-a-blocklist",
        explanation="an address that a list does not hold any more has lost nothing",
        clears=_delisted,
    ),
)


def clearing_rule(found: Difference) -> Rule | None:
    """The first rule that explains a difference, or None: then it is a finding."""
    return next((rule for rule in RULES if rule.clears(found)), None)
