# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.evidence.small_bundle import KEY, OTHER_KEY

from wavegate.canonical import digest
from wavegate.errors import InvalidError
from wavegate.evidence.envelope import sign
from wavegate.evidence.rotation import (
    SUBJECT,
    RotationPredicate,
    follow,
    open_rotation,
    rotation,
    sign_rotation,
)
from wavegate.evidence.signer import FileSigner, Signer
from wavegate.evidence.statement import write
from wavegate.evidence.trust import Role, Trust, TrustedKey, dump, everything

AT = datetime(2024, 6, 1, 12, 0, 0, 250, tzinfo=UTC)
DAY = timedelta(days=1)
BOTH = frozenset({Role.RECORD, Role.SEAL})
OLD, NEW = (TrustedKey(key=key.public, roles=BOTH) for key in (KEY, OTHER_KEY))
MINE = Trust(keys=(OLD,))
TOLD = rotation(OLD, NEW, AT)
THIRD = FileSigner.of(ec.derive_private_key(4713, ec.SECP256R1()))


def opened(data: bytes, trust: Trust = MINE, seen: datetime | None = None) -> RotationPredicate:
    """What a rotation says, by a trust."""
    return open_rotation(data, trust, seen=seen, where="rotation")


def test_both_have_signed() -> None:
    """Whoever trusts the old key follows: the old one ends where the new one begins."""
    told = opened(sign_rotation(TOLD, KEY, OTHER_KEY))
    found = follow(told, MINE).trust
    assert (TOLD, (replace(OLD, valid_until=AT), replace(NEW, valid_from=AT))) == (told, found.keys)
    for at, valid in ((AT - DAY, (True, False)), (AT, (False, True))):
        assert valid == tuple(key.valid_at(at) for key in found.keys)


def test_again_changes_nothing() -> None:
    """A rotation that was followed can be opened again, and tells nothing new."""
    data = sign_rotation(TOLD, KEY, OTHER_KEY)
    found = follow(opened(data), MINE).trust
    assert ((), found) == (follow(opened(data, found), found).told, found)


@pytest.mark.parametrize(
    "signers", [(KEY,), (OTHER_KEY,), (OTHER_KEY, THIRD), (KEY, THIRD), (KEY, KEY), (THIRD,)]
)
def test_not_by_both(signers: tuple[Signer, ...]) -> None:
    """Without the old key, or without the new one, nobody follows, however many others signed."""
    data = sign(write({SUBJECT: digest(dump(TOLD.trust))}, TOLD), *signers)
    with pytest.raises(InvalidError) as caught:
        opened(data)
    assert 1 == caught.value.exit_code


def test_of_a_key_that_is_not_trusted() -> None:
    """A rotation of keys that are all unknown here brings no trust."""
    with pytest.raises(InvalidError, match="which is not trusted here"):
        opened(sign_rotation(TOLD, KEY, OTHER_KEY), Trust(keys=(everything(THIRD.public),)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: replace(t, old=replace(t.old, valid_until=AT + DAY)), "does not end where"),
        (lambda t: replace(t, new=replace(t.new, valid_from=AT - DAY)), "does not end where"),
        (lambda t: replace(t, new=replace(t.new, valid_until=AT + DAY)), "does not end where"),
        (lambda t: replace(t, new=replace(t.new, roles=frozenset(Role))), "roles of the old one"),
        (lambda t: rotation(t.old, t.old, AT), "another one for roles"),
    ],
)
def test_what_is_no_rotation(
    change: Callable[[RotationPredicate], RotationPredicate], says: str
) -> None:
    """A rotation leaves not both keys valid, ends not the new one, and widens no roles."""
    with pytest.raises(InvalidError, match=says):
        opened(sign_rotation(change(TOLD), KEY, OTHER_KEY))


def test_about_other_keys() -> None:
    """The subject that is signed is the trust file of the two keys that are told."""
    with pytest.raises(InvalidError, match="not about its own two keys"):
        opened(sign(write({SUBJECT: "0" * 64}, TOLD), KEY, OTHER_KEY))


def test_by_a_key_that_had_ended() -> None:
    """A key cannot vouch for another after its end, by its own word or by a timestamp."""
    data = sign_rotation(TOLD, KEY, OTHER_KEY)
    for end in (AT, AT - DAY):
        with pytest.raises(InvalidError, match="was not valid at"):
            opened(data, Trust(keys=(replace(OLD, valid_until=end),)))
    with pytest.raises(InvalidError, match="was not valid at"):
        opened(data, Trust(keys=(replace(OLD, valid_until=AT + DAY),)), seen=AT + 2 * DAY)


def test_by_a_key_that_was_revoked_since() -> None:
    """Whoever stole a key can set back their clock: only a timestamp shows that it came before."""
    data = sign_rotation(TOLD, KEY, OTHER_KEY)
    trust = Trust(keys=(replace(OLD, revoked_at=AT + DAY),))
    with pytest.raises(InvalidError, match="no trusted timestamp shows"):
        opened(data, trust)
    assert TOLD == opened(data, trust, seen=AT)
    with pytest.raises(InvalidError, match="was not valid at"):
        opened(data, trust, seen=AT + DAY)


def test_no_more_trust_than_the_old_key_had_here() -> None:
    """Who lets the old key only seal lets the new one only seal, and no role is none."""
    data = sign_rotation(TOLD, KEY, OTHER_KEY)
    seals = Trust(keys=(replace(OLD, roles=frozenset({Role.SEAL})),))
    found = follow(opened(data, seals), seals).trust
    assert [frozenset({Role.SEAL})] * 2 == [key.roles for key in found.keys]
    with pytest.raises(InvalidError, match="the new is for none"):
        opened(data, Trust(keys=(replace(OLD, roles=frozenset({Role.APPROVE})),)))
