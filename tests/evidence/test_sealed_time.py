# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.builders.tiny_tsa import WITH_OPENSSL, Tsa
from tests.evidence.small_bundle import (
    AT,
    END,
    GOOD,
    KEY,
    NAMES,
    START,
    WAVE,
    Recipe,
    estate,
    make,
)

from wavegate.errors import InvalidError
from wavegate.estate.model import Estate
from wavegate.evidence.authorities import Authorities, load_roots
from wavegate.evidence.envelope import read_unverified
from wavegate.evidence.instructions import VERIFY_MD, script
from wavegate.evidence.sealed import Opener, open_sealed
from wavegate.evidence.sealed_records import read_records
from wavegate.evidence.sealed_time import SealedTime, read_time
from wavegate.evidence.sealed_verdicts import read_verdicts
from wavegate.evidence.tree import open_tree
from wavegate.evidence.trust import Trust, everything
from wavegate.evidence.verify import Verification, verify_bundle

pytestmark = WITH_OPENSSL
TRUST = Trust(keys=(everything(KEY.public),))
REQUIRED = replace(GOOD, timestamps_required=True)
HOUR = timedelta(hours=1)
BEFORE, AFTER = START - HOUR / 2, END + 2 * HOUR
Make = Callable[[bytes], bytes]
with_stock_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "openssl", "jq", "sha256sum", "realpath"))),
    reason="the stock tools are not on this machine",
)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    """An authority."""
    return Tsa.make(tmp_path_factory.mktemp("tsa") / "tsa")


def envelope(folder: Path, name: str, sequence: int) -> Path:
    """The envelope of a capture in a bundle."""
    return folder / f"records/signed/{WAVE}/{name}/{sequence:06d}.dsse.json"


def token_of(name: str, sequence: int) -> str:
    """Where the token of a capture is kept."""
    return f"records/stamps/{WAVE}/{name}/{sequence:06d}.1.tsr"


def put(folder: Path, name: str, token: bytes) -> None:
    """Put a token into a bundle that is not sealed yet, and into the customer's extract."""
    for path in (folder / name, folder / "customers/acme" / name):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(token)


def stamp_capture(folder: Path, name: str, sequence: int, make_token: Make) -> None:
    """Put a token beside a capture, before the bundle is sealed."""
    payload = read_unverified(envelope(folder, name, sequence).read_bytes())
    put(folder, token_of(name, sequence), make_token(payload))


def stamp_all(tsa: Tsa) -> Callable[[Path], None]:
    """Stamp every capture on its side of the window."""

    def edit(folder: Path) -> None:
        for name in NAMES:
            stamp_capture(folder, name, 1, lambda payload: tsa.stamp_at(payload, BEFORE))
            stamp_capture(folder, name, 2, lambda payload: tsa.stamp_at(payload, AFTER))

    return edit


def stamp_seal(folder: Path, make_token: Make, name: str = "seal.tsr") -> None:
    """Put a token beside the seal."""
    payload = read_unverified((folder / "seal.dsse.json").read_bytes())
    (folder / name).write_bytes(make_token(payload))


def stamped(folder: Path, tsa: Tsa, recipe: Recipe = REQUIRED) -> Path:
    """A bundle with every token that there should be."""
    make(folder, recipe, inside=stamp_all(tsa))
    stamp_seal(folder, lambda payload: tsa.stamp_at(payload, AT))
    return folder


def verify(bundle: Path, *roots: Path, trust: Trust = TRUST) -> Verification:
    """Verify with the roots in these files."""
    return verify_bundle(bundle, trust, authorities=load_roots(roots))


def run_script(bundle: Path, *roots: Path) -> tuple[int, str]:
    """What the stock tools say: one's own script, and the commands that VERIFY.md prints."""
    own, public = bundle.parent / "own.sh", bundle.parent / "signer.pub"
    own.write_text(script())
    public.write_text(KEY.public.pem)
    command = ["sh", str(own), str(public), *map(str, roots)]
    environment = {"PATH": "/usr/bin:/bin", "BUNDLE": str(bundle)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    typed = _typed(bundle, public, *roots)
    assert typed == done.returncode
    return done.returncode, done.stdout + done.stderr


def _typed(bundle: Path, public: Path, *roots: Path) -> int:
    text = (bundle / VERIFY_MD).read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    given = f"PUB='{public}'\nTSAROOT='{roots[0] if roots else ''}'\n"
    done = subprocess.run(
        ["sh"],  # noqa: S607 - the sh of this machine is meant
        input=given + "".join(blocks),
        capture_output=True,
        text=True,
        check=False,
        cwd=bundle,
    )
    return done.returncode


@with_stock_tools
def test_time_is_proven(tmp_path: Path, tsa: Tsa) -> None:
    """With the root, both verifiers say by when it was sealed; ours also of each capture."""
    bundle = stamped(tmp_path / "bundle", tsa)
    found = verify(bundle, tsa.root)
    assert (0, True, AT) == (found.exit_code, found.time_proven, found.sealed_at)
    assert "The seal existed by 2024-01-17T01:00:00Z (within 1 s), says tsa." in found.proven
    assert any("4 of the 4 captures" in sentence for sentence in found.proven)
    assert not any("When" in sentence for sentence in found.not_proven)
    assert "2024-01-17T01:00:00Z" == found.to_json()["sealed_at"]
    code, told = run_script(bundle, tsa.root)
    assert (0, True) == (code, "the seal existed by Jan 17 01:00:00 2024 GMT" in told), told


@with_stock_tools
def test_no_root(tmp_path: Path, tsa: Tsa) -> None:
    """A token without a root: cannot tell where one was required, else valid, time unproven."""
    required = stamped(tmp_path / "a", tsa)
    found = verify(required)
    assert (3, False, None) == (found.exit_code, found.time_proven, found.sealed_at)
    assert "--tsa-root" in found.problems[0]
    assert 3 == run_script(required)[0]
    optional = stamped(tmp_path / "b", tsa, GOOD)
    found = verify(optional)
    assert (0, False) == (found.exit_code, found.time_proven)
    assert any("--tsa-root" in sentence for sentence in found.not_proven)
    assert (0, True) == (
        run_script(optional)[0],
        "when is not proven" in run_script(optional)[1],
    )


@with_stock_tools
def test_token_taken_away(tmp_path: Path, tsa: Tsa) -> None:
    """The seal's token can be taken away by anybody: then its time is not proven."""
    for recipe, code in ((REQUIRED, 3), (GOOD, 0)):
        bundle = stamped(tmp_path / f"bundle{code}", tsa, recipe)
        (bundle / "seal.tsr").unlink()
        found = verify(bundle, tsa.root)
        assert (code, False) == (found.exit_code, found.time_proven)
        assert code == run_script(bundle, tsa.root)[0]


SEAL_TOKENS: dict[str, Callable[[Tsa, bytes], bytes]] = {
    "28 of another bundle": lambda tsa, payload: tsa.stamp_at(payload + b"x", AT),
    "28 no token at all": lambda _tsa, _payload: b"garbage",
    "28 a rejection": lambda tsa, payload: tsa.stamp(payload, "-md5", "-cert"),
    "29 expired when it stamped": lambda tsa, payload: tsa.stamp_at(
        payload, AT, tsa.certificate(until=AT - HOUR)
    ),
    "29 not for timestamps alone": lambda tsa, payload: tsa.stamp_at(
        payload, AT, tsa.certificate(critical=False)
    ),
    "29 over SHA-1": lambda tsa, payload: tsa.stamp(payload, "-sha1", "-cert"),
}


@with_stock_tools
@pytest.mark.parametrize("case", SEAL_TOKENS)
def test_bad_token_of_the_seal(case: str, tmp_path: Path, tsa: Tsa) -> None:
    """A token that is of something else, or by nobody who may, is refused by both verifiers."""
    for recipe in (REQUIRED, GOOD):
        bundle = stamped(tmp_path / f"bundle{recipe.timestamps_required}", tsa, recipe)
        stamp_seal(bundle, lambda payload: SEAL_TOKENS[case](tsa, payload))
        with pytest.raises(InvalidError, match="no valid timestamp"):
            verify(bundle, tsa.root)
        code, told = run_script(bundle, tsa.root)
        assert (1, False) == (code, "VALID" in told), told


@with_stock_tools
def test_other_root(tmp_path: Path, tsa: Tsa) -> None:
    """An authority under another root than the one in hand is refused."""
    other = Tsa.make(tmp_path / "other")
    bundle = stamped(tmp_path / "bundle", tsa)
    with pytest.raises(InvalidError, match="no valid timestamp"):
        verify(bundle, other.root)
    assert 1 == run_script(bundle, other.root)[0]


@with_stock_tools
def test_two_authorities(tmp_path: Path, tsa: Tsa) -> None:
    """Of two tokens over one thing, one under the root in hand suffices; both must be over it."""
    other = Tsa.make(tmp_path / "other", name="other")
    bundle = stamped(tmp_path / "bundle", tsa)
    stamp_seal(bundle, lambda payload: other.stamp_at(payload, AT - HOUR), "seal.2.tsr")
    found = verify(bundle, tsa.root)
    assert (0, AT) == (found.exit_code, found.sealed_at)
    assert any("other timestamps" in sentence for sentence in found.not_proven)
    assert AT - HOUR == verify(bundle, tsa.root, other.root).sealed_at
    assert 0 == run_script(bundle, tsa.root)[0]
    stamp_seal(bundle, lambda payload: other.stamp_at(payload + b"x", AT), "seal.2.tsr")
    with pytest.raises(InvalidError, match="of something else"):
        verify(bundle, tsa.root)
    assert 1 == run_script(bundle, tsa.root)[0]


@with_stock_tools
def test_root_in_the_bundle(tmp_path: Path, tsa: Tsa) -> None:
    """A root that came with the bundle proves nothing, even through a link from outside."""
    inside = stamp_all(tsa)

    def with_root(folder: Path) -> None:
        inside(folder)
        shutil.copy(tsa.root, folder / "root.pem")

    bundle = make(tmp_path / "bundle", GOOD, inside=with_root)
    stamp_seal(bundle, lambda payload: tsa.stamp_at(payload, AT))
    (tmp_path / "link.pem").symlink_to(bundle / "root.pem")
    for root in (bundle / "root.pem", tmp_path / "link.pem"):
        found = verify(bundle, root)
        assert (3, False) == (found.exit_code, found.time_proven)
        assert "lies in the bundle" in found.problems[0]
        assert 3 == run_script(bundle, root)[0]


@with_stock_tools
def test_token_of_another_capture(tmp_path: Path, tsa: Tsa) -> None:
    """A token that a liar with the key put beside another capture is refused by both."""

    def swapped(folder: Path) -> None:
        stamp_all(tsa)(folder)
        put(folder, token_of(NAMES[0], 1), (folder / token_of(NAMES[0], 2)).read_bytes())

    bundle = make(tmp_path / "bundle", GOOD, inside=swapped)
    with pytest.raises(InvalidError, match="of something else"):
        verify(bundle)
    assert 1 == run_script(bundle)[0]


@with_stock_tools
def test_token_of_no_capture(tmp_path: Path, tsa: Tsa) -> None:
    """A token beside nothing is no token of ours; the stock tools look at captures only."""

    def odd(folder: Path) -> None:
        put(folder, token_of(NAMES[0], 9), tsa.stamp_at(b"x", BEFORE))

    bundle = make(tmp_path / "bundle", GOOD, inside=odd)
    with pytest.raises(InvalidError, match="of no capture"):
        verify(bundle)
    assert 0 == run_script(bundle)[0]


@with_stock_tools
def test_after_stamped_before_the_close(tmp_path: Path, tsa: Tsa) -> None:
    """`after` that an authority saw before the close is not from after it (attack 30)."""

    def early(folder: Path) -> None:
        stamp_capture(folder, NAMES[0], 2, lambda payload: tsa.stamp_at(payload, BEFORE))

    with pytest.raises(InvalidError, match="wrong side of the window"):
        verify(make(tmp_path / "bundle", GOOD, inside=early), tsa.root)
    assert 0 == run_script(tmp_path / "bundle", tsa.root)[0]
    bad = replace(GOOD, bad=((NAMES[0], "sound_evidence"),))
    found = verify(make(tmp_path / "admitted", bad, inside=early), tsa.root)
    assert (0, "NO-GO") == (found.exit_code, found.decision)
    assert any("wrong side of the window" in sentence for sentence in found.not_proven)


def time_of(bundle: Path, demanded: Estate, authorities: Authorities) -> SealedTime:
    """What a bundle's tokens prove where an estate demands them."""
    opener = Opener(trust=TRUST)
    with open_tree(bundle) as tree:
        sealed = open_sealed(tree, opener, expect_run=None, expect_wave=None)
        records = read_records(tree, sealed, opener)
        verdicts = read_verdicts(sealed)
    return read_time(sealed, records, verdicts, demanded, trust=TRUST, authorities=authorities)


def demanding() -> Estate:
    """The estate, with timestamps required."""
    found = estate()
    return found.model_copy(
        update={"policy": found.policy.model_copy(update={"timestamps": "required"})}
    )


def test_required_of_each_capture(tmp_path: Path, tsa: Tsa) -> None:
    """Where they are required, each capture that counts needs a token on its side."""
    roots = load_roots([tsa.root])
    assert () == time_of(stamped(tmp_path / "a", tsa), demanding(), roots).doubts
    bare = time_of(make(tmp_path / "b"), demanding(), roots)
    assert sorted([*NAMES, *NAMES]) == sorted(doubt.instance for doubt in bare.doubts)
    assert all("has not the timestamp" in doubt.text for doubt in bare.doubts)
    assert () == time_of(tmp_path / "b", estate(), roots).doubts


def test_late_token_of_before(tmp_path: Path, tsa: Tsa) -> None:
    """A late token of `before` proves existence by then, which is no use and, required, wrong."""

    def late(folder: Path) -> None:
        stamp_capture(folder, NAMES[0], 1, lambda payload: tsa.stamp_at(payload, AFTER))

    bundle = make(tmp_path / "bundle", GOOD, inside=late)
    assert () == time_of(bundle, estate(), Authorities()).doubts
    texts = {d.text for d in time_of(bundle, demanding(), Authorities()).doubts}
    assert any("wrong side of the window" in text for text in texts)


@pytest.mark.parametrize(
    ("change", "ok"),
    [
        ({"revoked_at": AT + HOUR}, True),
        ({"revoked_at": AT - HOUR}, False),
        ({"valid_until": AT - HOUR}, False),
        ({"valid_from": AT + HOUR}, False),
    ],
)
def test_key_at_the_proven_instant(
    change: dict[str, datetime], ok: bool, tmp_path: Path, tsa: Tsa
) -> None:
    """A key counts where it was valid when an authority saw what it signed (attack 9)."""
    bundle = make(tmp_path / "bundle", GOOD)
    stamp_seal(bundle, lambda payload: tsa.stamp_at(payload, AT))
    key = replace(everything(KEY.public), **change)  # type: ignore[arg-type] # only instants here
    if ok:
        found = verify(bundle, tsa.root, trust=Trust(keys=(key,)))
        assert (0, AT) == (found.exit_code, found.sealed_at)
    else:
        with pytest.raises(InvalidError, match="was not valid at"):
            verify(bundle, tsa.root, trust=Trust(keys=(key,)))


def test_no_key_no_time(tmp_path: Path, tsa: Tsa) -> None:
    """Who sealed it is not known: then the authority's word about it says nothing to us."""
    bundle = stamped(tmp_path / "bundle", tsa)
    found = verify_bundle(bundle, None, authorities=load_roots([tsa.root]))
    assert (3, False, None) == (found.exit_code, found.time_proven, found.sealed_at)
