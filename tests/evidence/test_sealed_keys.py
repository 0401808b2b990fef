# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Keys that had not begun, had ended or were revoked when they signed a bundle."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.builders.tiny_tsa import Tsa
from tests.evidence.small_bundle import (
    AT,
    END,
    GOOD,
    KEY,
    NAMES,
    OTHER_KEY,
    RUN,
    START,
    WAVE,
    described,
    make,
    plan,
    snapshot,
)
from tests.evidence.test_keys import P256, pem
from tests.evidence.test_sealed_time import stamp_seal

from wavegate.errors import InputError, InvalidError
from wavegate.evidence.authorities import load_roots
from wavegate.evidence.sealed_claims import Claim
from wavegate.evidence.sealed_keys import Signed, key_doubts
from wavegate.evidence.trust import Role, Trust, TrustedKey, everything, of_public_keys
from wavegate.evidence.verify import Verification, verify_bundle

HOUR = timedelta(hours=1)
PLANNED = plan().at


def trusted(**bounds: datetime) -> Trust:
    """Trust in the key that signs everything, within bounds."""
    return Trust(keys=(replace(everything(KEY.public), **bounds),))  # type: ignore[arg-type] # only instants here


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good bundle."""
    return make(tmp_path_factory.mktemp("good") / "bundle")


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    """One authority for all tests here."""
    return Tsa.make(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"valid_until": AT}, "sealed then"),
        ({"valid_until": PLANNED}, "plan.dsse.json: key"),
        ({"valid_from": AT + HOUR}, "sealed then"),
        ({"valid_from": PLANNED + HOUR}, "made then"),
        ({"revoked_at": AT}, "sealed then"),
        ({"revoked_at": START}, "sealed then"),
    ],
)
def test_outside_its_bounds_by_its_own_clock(
    bounds: dict[str, datetime], says: str, good: Path
) -> None:
    """What a key signed outside its validity, by its own word, does not count (attack 9)."""
    with pytest.raises(InvalidError, match="was not valid at") as caught:
        verify_bundle(good, trusted(**bounds))
    assert (1, True, True) == (
        caught.value.exit_code,
        says in str(caught.value),
        "trust file" in str(caught.value.cure),
    )


def test_within_its_bounds(good: Path) -> None:
    """Within its bounds a key counts, and that only its own clock says so is told."""
    found = verify_bundle(good, trusted(valid_from=PLANNED, valid_until=AT + HOUR))
    told = [text for text in found.not_proven if "only the signer's own clock says so" in text]
    assert (0, 1) == (found.exit_code, len(told))


def test_revoked_later(good: Path) -> None:
    """A key that was revoked later may have sealed after its theft: inconclusive without a time."""
    found = verify_bundle(good, trusted(revoked_at=AT + HOUR))
    assert (3, True) == (found.exit_code, "the sealing key was revoked" in found.problems[0])


def by_two_keys(folder: Path, **bounds: datetime) -> tuple[Path, Trust]:
    """A bundle whose plan and records another key signed than its seal; that one has bounds."""
    records = TrustedKey(key=OTHER_KEY.public, roles=frozenset({Role.RECORD}), **bounds)
    bundle = make(folder, replace(GOOD, record_key=OTHER_KEY))
    return bundle, Trust(keys=(everything(KEY.public), records))


def test_records_signed_after_the_end(tmp_path: Path) -> None:
    """A record that by its own word was taken after its key had ended is refused."""
    bundle, trust = by_two_keys(tmp_path / "bundle", valid_until=END)
    with pytest.raises(InvalidError, match="was not valid at 2024-01-17T00:00:00Z"):
        verify_bundle(bundle, trust)


def test_records_signed_before_the_end(tmp_path: Path) -> None:
    """A key that was rotated after the wave leaves the wave's records as they were."""
    bundle, trust = by_two_keys(tmp_path / "bundle", valid_until=AT + HOUR)
    assert 0 == verify_bundle(bundle, trust).exit_code


@pytest.mark.parametrize(
    ("folder", "bounds", "doubted"),
    [
        ("signed", {}, False),
        ("signed", {"valid_from": START - 2 * HOUR, "valid_until": START}, False),
        ("signed", {"valid_from": START}, True),
        ("signed", {"valid_until": START - HOUR}, True),
        ("accepted", {"valid_from": START}, False),
        ("accepted", {"revoked_at": START - HOUR}, True),
    ],
)
def test_records_outside_the_bounds(
    folder: str, bounds: dict[str, datetime], doubted: bool
) -> None:
    """A capture that says it is older than its key was made up later; an accepted one may be."""
    taken = described(snapshot(NAMES[0], "before", 1, None))
    where = f"records/{folder}/{WAVE}/{NAMES[0]}/000001.dsse.json"
    claim = Claim(where=where, record="0" * 64, signed=taken, keyids=(KEY.keyid,))
    signed = Signed(at=AT, planned=None, seen=None, sealers=(), planners=(), bare=(claim,))
    doubts = tuple(key_doubts(signed, trusted(**bounds)))
    assert doubted == bool(doubts)
    assert {where} >= {doubt.where for doubt in doubts}


def told(bundle: Path, trust: Trust, tsa: Tsa) -> Verification:
    """The verification with a root in hand."""
    return verify_bundle(bundle, trust, authorities=load_roots([tsa.root]))


def test_records_of_a_revoked_key(tmp_path: Path, tsa: Tsa) -> None:
    """Records of a key that was revoked need a trusted time, which one over the seal gives."""
    bundle, trust = by_two_keys(tmp_path / "bundle", revoked_at=AT + HOUR)
    bare = told(bundle, trust, tsa)
    assert (3, True) == (bare.exit_code, "a key of records" not in bare.problems[0])
    stamp_seal(bundle, lambda payload: tsa.stamp_at(payload, AT))
    assert (0, ()) == (told(bundle, trust, tsa).exit_code, told(bundle, trust, tsa).problems)


def test_seal_stamped_after_records_key_was_revoked(tmp_path: Path, tsa: Tsa) -> None:
    """A seal that an authority saw only after the theft does not save the thief's records."""
    bundle, trust = by_two_keys(tmp_path / "bundle", revoked_at=AT + HOUR)
    stamp_seal(bundle, lambda payload: tsa.stamp_at(payload, AT + 2 * HOUR))
    found = told(bundle, trust, tsa)
    assert (3, True) == (found.exit_code, "was revoked at" in found.problems[0])


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"valid_until": AT + HOUR}, ""),
        ({"valid_until": AT}, "was not valid at"),
        ({"valid_from": AT + HOUR}, "was not valid at"),
        ({"revoked_at": AT + HOUR}, "was revoked at"),
    ],
)
def test_earlier_gate(bounds: dict[str, datetime], says: str, tmp_path: Path) -> None:
    """That an earlier wave was decided is proven by its seal only if that key was valid then."""
    other = make(tmp_path / "other", replace(GOOD, seal_key=OTHER_KEY))

    def bring(folder: Path) -> None:
        place = folder / "records/gates" / WAVE / RUN
        place.mkdir(parents=True)
        for name in ("seal.dsse.json", "verdicts.json"):
            (place / name).write_bytes((other / name).read_bytes())

    bundle = make(tmp_path / "bundle", inside=bring)
    sealer = replace(everything(OTHER_KEY.public), **bounds)  # type: ignore[arg-type] # only instants here
    found = verify_bundle(bundle, Trust(keys=(everything(KEY.public), sealer)))
    proven = [text for text in found.proven if f"Wave {WAVE} was decided" in text]
    unproven = [text for text in found.not_proven if f"That wave {WAVE} was decided" in text]
    assert (not says, bool(says)) == (bool(proven), bool(unproven))
    assert all(says in text for text in unproven)


def test_private_key_for_a_public_one(tmp_path: Path) -> None:
    """Who gives a private key to verify is told to leave it where it belongs; it is not shown."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem(P256))
    with pytest.raises(InputError, match="a private key, which verifying never needs") as caught:
        of_public_keys([path])
    assert (2, False) == (caught.value.exit_code, "BEGIN" in str(caught.value))


def test_wrong_key_in_one_sentence(good: Path) -> None:
    """Another signer's key is refused in one sentence with its cure."""
    with pytest.raises(InvalidError, match="which is no trusted key") as caught:
        verify_bundle(good, Trust(keys=(everything(OTHER_KEY.public),)))
    assert (1, True) == (caught.value.exit_code, bool(caught.value.cure))
