# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""Keys in a PKCS#11 token (SoftHSM) and in AWS KMS (a stub that signs with a key of its own)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.softhsm import KEY_IN_TOKEN, PIN, make_token, needs_softhsm

from wavegate.errors import InputError, InternalError, MissingError
from wavegate.evidence.envelope import open_envelope, sign
from wavegate.evidence.public_key import PublicKey
from wavegate.evidence.signer import Signer
from wavegate.evidence.signer_apart import service_signer, token_signer
from wavegate.evidence.trust import Role, Trust, everything


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The token."""
    with pytest.MonkeyPatch.context() as patch:
        make_token(tmp_path_factory.mktemp("softhsm"), patch)
        yield


def opens(signer: Signer) -> bool:
    """Whether what it signs verifies."""
    trust = Trust(keys=(everything(signer.public),))
    return open_envelope(sign(b"payload", signer), trust, Role.SEAL).keyids == (signer.keyid,)


@needs_softhsm
@pytest.mark.usefixtures("token")
def test_token_signs() -> None:
    """A key that cannot leave its token signs what any verifier accepts; it tells its own id."""
    signer = token_signer(KEY_IN_TOKEN, lambda: PIN)
    assert (True, KEY_IN_TOKEN) == (opens(signer), signer.place)
    assert signer.keyid == token_signer("hsm:1", lambda: PIN).keyid
    assert PIN not in repr(signer)


@needs_softhsm
@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("place", "pin", "says"),
    [
        (KEY_IN_TOKEN, "999999", "the token refused the PIN"),
        ("hsm:7?label=wavegate", PIN, "could not find ECDSA key"),
        ("hsm:2?label=wavegate", PIN, "could not find ECDSA key"),
        ("hsm:1?label=nowhere", PIN, "No PKCS#11 token found for label nowhere"),
    ],
)
def test_token_cannot(place: str, pin: str, says: str) -> None:
    """A wrong PIN, id, kind of key or label is one sentence with its cure, without the PIN."""
    with pytest.raises(MissingError, match=says) as caught:
        token_signer(place, lambda: pin).sign(b"x")
    assert (3, True, False) == (
        caught.value.exit_code,
        bool(caught.value.cure),
        pin in str(caught.value),
    )


@needs_softhsm
@pytest.mark.usefixtures("token")
def test_pin_is_fetched_once_and_offered_once() -> None:
    """A person is asked once; a PIN that was refused is not tried until the token locks."""
    asked: list[str] = []

    def pin(given: str) -> str:
        asked.append(given)
        return given

    signer = token_signer(KEY_IN_TOKEN, lambda: pin(PIN))
    assert (True, True, [PIN]) == (opens(signer), opens(signer), asked)
    wrong = token_signer(KEY_IN_TOKEN, lambda: pin("999999"))
    for says in ("the token refused the PIN$", "refused the PIN before"):
        with pytest.raises(MissingError) as caught:
            wrong.sign(b"x")
        assert re.search(says, caught.value.message)
    assert [PIN, "999999"] == asked


@pytest.mark.parametrize(
    "place", ["hsm:", "hsm:x", "hsm:-1", "hsm:1?name=x", "hsm:1?label=a&pin=1"]
)
def test_name_of_a_token_key(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is not understood is refused with the form it should have; so is a PIN in it."""
    monkeypatch.setenv("PYKCS11LIB", "/nowhere.so")
    with pytest.raises(InputError, match="not the name of a key in a token"):
        token_signer(place, lambda: PIN)


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a PKCS#11 library it says which variable names it."""
    monkeypatch.delenv("PYKCS11LIB", raising=False)
    with pytest.raises(MissingError, match="PYKCS11LIB") as caught:
        token_signer(KEY_IN_TOKEN, lambda: PIN)
    assert "libsofthsm2" in str(caught.value.cure)


class Service:
    """AWS KMS as its client is seen: it signs the digest that it is sent."""

    def __init__(self, curve: ec.EllipticCurve, *, digests: bool = True) -> None:
        """digests: False takes the digest for the message, as moto does."""
        self.key = ec.generate_private_key(curve)
        self.digests = digests
        self.asked: list[dict[str, Any]] = []

    def get_public_key(self, **_: str) -> dict[str, Any]:
        """The public key, and what it can be used for."""
        size = self.key.curve.key_size
        public = self.key.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {"PublicKey": der, "SigningAlgorithms": [f"ECDSA_SHA_{size}"]}

    def sign(self, **asked: Any) -> dict[str, Any]:
        """A signature."""
        self.asked.append(asked)
        how = utils.Prehashed(hashes.SHA256()) if self.digests else hashes.SHA256()
        return {"Signature": self.key.sign(asked["Message"], ec.ECDSA(how))}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A key service in place of AWS."""
    boto3 = pytest.importorskip("boto3", reason="the extra kms is not installed")
    made = Service(ec.SECP256R1())
    monkeypatch.setattr(boto3, "client", lambda _: made)
    return made


def test_service_signs(service: Service) -> None:
    """Only the digest is sent, and what comes back is any verifier's good signature."""
    signer = service_signer("awskms:alias/wavegate")
    assert (True, PublicKey.of(service.key.public_key())) == (opens(signer), signer.public)
    assert ("alias/wavegate", "DIGEST", "ECDSA_SHA_256", 32) == (
        service.asked[0]["KeyId"],
        service.asked[0]["MessageType"],
        service.asked[0]["SigningAlgorithm"],
        len(service.asked[0]["Message"]),
    )


def test_service_signs_something_else(service: Service) -> None:
    """A service that signs the wrong thing is found out now, and not by an auditor later."""
    service.digests = False
    with pytest.raises(InternalError, match="is not its key's"):
        service_signer("awskms:x").sign(b"x")


def test_service_with_another_kind(service: Service) -> None:
    """A key of another curve is refused before anything is signed."""
    service.key = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(InputError, match="secp384r1"):
        service_signer("awskms:x")
    assert [] == service.asked


@pytest.mark.usefixtures("service")
def test_service_without_a_name() -> None:
    """`awskms:` alone names no key."""
    with pytest.raises(InputError, match="names no key"):
        service_signer("awskms:")


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region or credentials it says so in a sentence, and asks nobody."""
    pytest.importorskip("boto3", reason="the extra kms is not installed")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(MissingError, match="the key service was not asked") as caught:
        service_signer("awskms:x")
    assert "AWS_REGION" in str(caught.value.cure)


@pytest.mark.parametrize(("name", "extra"), [("awskms:x", "kms"), (KEY_IN_TOKEN, "hsm")])
def test_without_the_extra(name: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is told by the extra that brings it."""
    needs = {"kms": "boto3", "hsm": "pkcs11"}[extra]
    monkeypatch.setitem(__import__("sys").modules, needs, None)
    monkeypatch.setenv("PYKCS11LIB", "/nowhere.so")
    with pytest.raises(MissingError, match=f"the package {needs} is not installed") as caught:
        service_signer(name) if extra == "kms" else token_signer(name, lambda: PIN)
    assert f"wavegate[{extra}]" in str(caught.value.cure)
