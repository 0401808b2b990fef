# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A PKCS#11 token in software, with a P-256 key of id 1 and an RSA key of id 2."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PIN = "567890"
LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
LIBRARY = next((path for path in LIBRARIES if Path(path).exists()), None)
needs_softhsm = pytest.mark.skipif(
    LIBRARY is None or shutil.which("softhsm2-util") is None,
    reason="SoftHSM is not on this machine (package softhsm2)",
)
KEY_IN_TOKEN = "hsm:1?label=wavegate"


def make_token(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the token in a folder and point the environment at it; skips without the library."""
    pkcs11: Any = pytest.importorskip("pkcs11", reason="the extra hsm is not installed")
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    patch.setenv("PYKCS11LIB", str(LIBRARY))
    words = ["--init-token", "--free", "--label", "wavegate", "--so-pin", "123456"]
    subprocess.run(["softhsm2-util", *words, "--pin", PIN], check=True, capture_output=True)  # noqa: S607 - the one of this machine is meant
    library = pkcs11.lib(LIBRARY)
    library.reinitialize()
    with library.get_token(token_label="wavegate").open(True, PIN) as session:
        _make(session, pkcs11)


def _make(session: Any, pkcs11: Any) -> None:
    """Two key pairs in the token."""
    curve = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
    given = {pkcs11.Attribute.EC_PARAMS: curve}
    parameters = session.create_domain_parameters(pkcs11.KeyType.EC, given, local=True)
    parameters.generate_keypair(store=True, id=b"\1", label="records")
    session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, id=b"\2", label="rsa")
