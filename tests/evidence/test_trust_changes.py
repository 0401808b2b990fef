# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.small_bundle import KEY, OTHER_KEY

from wavegate.errors import InputError, MissingError
from wavegate.evidence.trust import Role, Trust, TrustedKey, everything
from wavegate.evidence.trust_changes import key_named, merged, revoked

AT = datetime(2024, 1, 1, tzinfo=UTC)
ONE, OTHER = everything(KEY.public), everything(OTHER_KEY.public)
MINE = Trust(keys=(ONE,))

instants = st.none() | st.integers(0, 9).map(lambda day: AT + timedelta(days=day))
bounded = st.builds(
    replace, st.just(ONE), valid_from=instants, valid_until=instants, revoked_at=instants
)


def test_a_key_by_the_beginning_of_its_id() -> None:
    """A key is named by eight characters of its id or more, in either case, and only if one is."""
    keyid = ONE.key.keyid
    assert [ONE] * 3 == [key_named(MINE, name) for name in (keyid, keyid[:8], keyid[:20].upper())]
    for short in ("", keyid[:7]):
        with pytest.raises(InputError, match="does not name one key"):
            key_named(MINE, short)
    with pytest.raises(MissingError, match="no key 00000000") as caught:
        key_named(MINE, "00000000")
    assert keyid[:12] in str(caught.value.cure)


def test_new_keys_are_added() -> None:
    """What was not known is trusted as it was brought, and told."""
    found = merged(MINE, Trust(keys=(replace(OTHER, valid_from=AT),)))
    assert (ONE, replace(OTHER, valid_from=AT)) == found.trust.keys
    roles = "approve, record, seal"
    told = f"key {OTHER.key.keyid} is trusted for {roles}, valid from 2024-01-01T00:00:00Z"
    assert (told,) == found.told


@given(mine=bounded, brought=bounded, at=instants)
def test_a_merge_never_gives_back(
    mine: TrustedKey, brought: TrustedKey, at: datetime | None
) -> None:
    """A key counts after a merge only when it did in both; merging again changes nothing."""
    found = merged(Trust(keys=(mine,)), Trust(keys=(brought,)))
    (key,) = found.trust.keys
    moment = at or AT
    assert key.valid_at(moment) == (mine.valid_at(moment) and brought.valid_at(moment))
    assert ((), found.trust) == (
        merged(found.trust, Trust(keys=(brought,))).told,
        merged(found.trust, Trust(keys=(mine,))).trust,
    )


def test_roles_are_never_widened() -> None:
    """A file that brings a known key with other roles is refused, whichever they are."""
    for roles in ({Role.SEAL}, {Role.RECORD, Role.SEAL}):
        with pytest.raises(InputError, match="is trusted for approve, record, seal"):
            merged(MINE, Trust(keys=(replace(ONE, roles=frozenset(roles)),)))


def test_revocation_stays() -> None:
    """A revocation is told, an earlier one stays, and bounds are told as they become."""
    first = revoked(MINE, ONE.key.keyid[:8], AT + timedelta(days=1))
    assert (f"key {ONE.key.keyid} was revoked at 2024-01-02T00:00:00Z",) == first.told
    later = revoked(first.trust, ONE.key.keyid, AT + timedelta(days=2))
    assert (first.trust, ()) == (later.trust, later.told)
    earlier = revoked(first.trust, ONE.key.keyid, AT)
    assert AT == earlier.trust.keys[0].revoked_at
    ended = merged(MINE, Trust(keys=(replace(ONE, valid_until=AT),)))
    assert (f"key {ONE.key.keyid} is now valid until 2024-01-01T00:00:00Z",) == ended.told
