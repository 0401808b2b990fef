# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.attacks import Attack, other_estate, raw
from tests.evidence.more_attacks import EVERY
from tests.evidence.small_bundle import GOOD, KEY, NAMES, NO_GO, OTHER_KEY, RUN, WAVE, make

from wavegate.errors import InputError, InvalidError
from wavegate.evidence.tree import Budget, Tree
from wavegate.evidence.trust import Role, Trust, TrustedKey, dump, everything, of_public_keys
from wavegate.evidence.verify import verify_bundle
from wavegate.run.verify import trust_of

TRUST = Trust(keys=(everything(KEY.public),))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good bundle that no test changes for long."""
    return make(tmp_path_factory.mktemp("good") / "bundle")


def test_good_bundle(good: Path) -> None:
    """A good bundle verifies, and says by whom it was sealed and that its time is not proven."""
    found = verify_bundle(good, TRUST, expect_run=RUN, expect_wave=WAVE)
    assert (found.ok, found.exit_code, found.decision) == (True, 0, "GO")
    assert (found.keyids, found.time_proven, found.problems) == ((KEY.keyid,), False, ())
    assert any(KEY.keyid in sentence for sentence in found.proven)
    assert any("timestamp" in sentence for sentence in found.not_proven)


def test_honest_no_go(tmp_path: Path) -> None:
    """Authenticity is judged, not the decision: an honest NO-GO is valid."""
    found = verify_bundle(make(tmp_path / "bundle", NO_GO), TRUST)
    assert (found.ok, found.decision) == (True, "NO-GO")


@pytest.mark.parametrize("attack", EVERY, ids=lambda attack: attack.name)
def test_refused(attack: Attack, tmp_path: Path) -> None:
    """Every tampering is refused, for its own reason."""
    with pytest.raises(InvalidError, match=attack.says) as caught:
        verify_bundle(attack.make(tmp_path / "bundle"), TRUST)
    assert caught.value.exit_code == 1


@settings(max_examples=80)
@given(data=st.data())
def test_any_byte_flipped(data: st.DataObject, good: Path) -> None:
    """One changed bit in any byte of any file is refused, and never crashes the verifier."""
    files = sorted(path for path in good.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    flipped = bytes([whole[place] ^ 1 << bit])
    path.chmod(0o644)
    try:
        path.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        with pytest.raises(InvalidError):
            verify_bundle(good, TRUST)
    finally:
        path.write_bytes(whole)


def test_no_key(good: Path) -> None:
    """Without a key from outside nothing is proven: inconclusive, never valid."""
    for trust in (None, Trust(keys=())):
        found = verify_bundle(good, trust)
        assert (found.ok, found.exit_code, found.keyids) == (False, 3, ())
        assert "--key" in found.problems[0]


def test_key_in_the_bundle(tmp_path: Path) -> None:
    """The key that came with the bundle proves nothing, even through a link from outside."""
    public = KEY.public.pem.encode()
    bundle = make(tmp_path / "bundle", inside=lambda f: (f / "key.pub").write_bytes(public))
    (tmp_path / "link.pub").symlink_to(bundle / "key.pub")
    for path in (bundle / "key.pub", tmp_path / "link.pub"):
        found = verify_bundle(bundle, of_public_keys([path]))
        assert (found.exit_code, "lies in the bundle" in found.problems[0]) == (3, True)


def test_trust_file_in_the_bundle(tmp_path: Path) -> None:
    """A trust file that came with the bundle proves nothing, beside a key from outside too."""
    bundle = make(tmp_path / "bundle", inside=lambda f: (f / "trust.json").write_bytes(dump(TRUST)))
    (tmp_path / "key.pub").write_text(OTHER_KEY.public.pem)
    found = verify_bundle(bundle, trust_of((tmp_path / "key.pub",), bundle / "trust.json"))
    assert (3, (), True) == (
        found.exit_code,
        tuple(text for text in found.proven if KEY.keyid in text),
        "lies in the bundle" in found.problems[0],
    )


def test_record_key_cannot_seal(good: Path) -> None:
    """A key trusted for records does not seal."""
    key = TrustedKey(key=KEY.public, roles=frozenset({Role.RECORD}))
    with pytest.raises(InvalidError, match="not trusted for the role seal"):
        verify_bundle(good, Trust(keys=(key,)))


def test_seal_key_cannot_record(good: Path) -> None:
    """A key trusted for seals does not sign plans or records."""
    key = TrustedKey(key=KEY.public, roles=frozenset({Role.SEAL}))
    with pytest.raises(InvalidError, match="not trusted for the role record"):
        verify_bundle(good, Trust(keys=(key,)))


def test_two_keys(tmp_path: Path) -> None:
    """Records and seal may have keys of their own, each in its role."""
    bundle = make(tmp_path / "bundle", replace(GOOD, record_key=OTHER_KEY))
    keys = (
        TrustedKey(key=KEY.public, roles=frozenset({Role.SEAL})),
        TrustedKey(key=OTHER_KEY.public, roles=frozenset({Role.RECORD})),
    )
    assert verify_bundle(bundle, Trust(keys=keys)).ok


def test_timestamps_required(tmp_path: Path) -> None:
    """Where the seal says that a timestamp was required, its absence is inconclusive."""
    bundle = make(tmp_path / "bundle", replace(GOOD, timestamps_required=True))
    found = verify_bundle(bundle, TRUST)
    assert (found.exit_code, "timestamp" in found.problems[0]) == (3, True)


@pytest.mark.parametrize("expected", [{"expect_run": "other"}, {"expect_wave": "other"}])
def test_replayed(good: Path, expected: dict[str, str]) -> None:
    """An old bundle does not pass for another run or wave."""
    with pytest.raises(InvalidError, match="expected 'other'"):
        verify_bundle(good, TRUST, **expected)  # type: ignore[arg-type] # only texts here


def test_admitted_flaw(tmp_path: Path) -> None:
    """A run that says itself that its evidence is unsound is authentic, and the doubt is told."""
    bad = tuple((name, "sound_evidence") for name in NAMES)
    bundle = make(tmp_path / "bundle", replace(GOOD, flaw="digest", bad=bad))
    found = verify_bundle(bundle, TRUST)
    assert (found.ok, found.decision) == (True, "NO-GO")
    assert any("a byte was changed" in sentence for sentence in found.not_proven)


def test_harmless_flaw(tmp_path: Path) -> None:
    """A last line that was never acknowledged takes nothing away from sound evidence."""
    found = verify_bundle(make(tmp_path / "bundle", replace(GOOD, flaw="torn-journal")), TRUST)
    assert (found.ok, found.decision) == (True, "GO")


def test_superseded_capture(tmp_path: Path) -> None:
    """A capture under an earlier agreement may lie in the bundle if nothing rests on it."""
    recipe = replace(GOOD, snapshots=other_estate, unused="before")
    assert verify_bundle(make(tmp_path / "bundle", recipe), TRUST).ok


def test_no_bundle(tmp_path: Path) -> None:
    """A file, nothing and an empty folder are errors of the caller, each with a cure."""
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    for name in ("file", "nothing", "empty"):
        with pytest.raises(InputError) as caught:
            verify_bundle(tmp_path / name, TRUST)
        assert (caught.value.exit_code, bool(caught.value.cure)) == (2, True)


@pytest.mark.parametrize("budget", [Budget(files=5), Budget(total=2000), Budget(one=1000)])
def test_budget(good: Path, budget: Budget) -> None:
    """A bundle that is larger than any of ours is refused before it is read."""
    with pytest.raises(InvalidError, match="more than"):
        verify_bundle(good, TRUST, budget=budget)


def test_each_file_is_read_once(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hashed is what is parsed: nothing can change between the two."""
    seen: list[str] = []
    read = Tree.read

    def counting(self: Tree, name: str) -> bytes:
        seen.append(name)
        return read(self, name)

    monkeypatch.setattr(Tree, "read", counting)
    verify_bundle(good, TRUST)
    names = sorted(p.relative_to(good).as_posix() for p in good.rglob("*") if p.is_file())
    assert sorted(seen) == names


def test_no_secret_circle(good: Path) -> None:
    """No file under MANIFEST holds the digest of MANIFEST, seal or a report."""
    from wavegate.canonical import digest

    last = ("MANIFEST", "seal.dsse.json", "report.html", "summary.md")
    digests = [digest((good / name).read_bytes()).encode() for name in last]
    listed = [p for p in good.rglob("*") if p.is_file() and p.name not in last[:2]]
    assert [p for p in listed if any(d in p.read_bytes() for d in digests)] == []


def test_earlier_gate(tmp_path: Path) -> None:
    """An earlier wave's seal is checked; by an unknown key it proves nothing, and is said to."""
    other = make(tmp_path / "other", replace(GOOD, seal_key=OTHER_KEY))

    def bring(folder: Path) -> None:
        place = folder / "records/gates" / WAVE / RUN
        place.mkdir(parents=True)
        for name in ("seal.dsse.json", "verdicts.json"):
            (place / name).write_bytes((other / name).read_bytes())

    bundle = make(tmp_path / "bundle", inside=bring)
    unknown = verify_bundle(bundle, TRUST)
    assert any(f"That wave {WAVE} was decided" in text for text in unknown.not_proven)
    known = Trust(keys=(*TRUST.keys, everything(OTHER_KEY.public)))
    assert any("sealed by" in text for text in verify_bundle(bundle, known).proven)

    def lie(folder: Path) -> None:
        bring(folder)
        raw(f"records/gates/{WAVE}/{RUN}/verdicts.json", lambda data: data + b" ")(folder)

    with pytest.raises(InvalidError, match="not the sealed ones"):
        verify_bundle(make(tmp_path / "lie", inside=lie), known)
