# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from wavegate.record.certificate import read_certificate

ROOT = Path(__file__).parents[2] / "fixtures/bundles/v2/tsa-root.pem"
DER = x509.load_pem_x509_certificate(ROOT.read_bytes()).public_bytes(serialization.Encoding.DER)
VERSION, COMMON_NAME = b"\xa0\x03\x02\x01\x02", b"\x06\x03\x55\x04\x03\x0c"


def test_a_good_one() -> None:
    """Whose it is and until when."""
    found = read_certificate(DER)
    assert ("CN=tsa root", 2040) == (found.issuer, found.until.year)


@pytest.mark.parametrize(
    "der",
    [
        DER.replace(VERSION, b"\xa0\x03\x02\x01\x06"),
        DER.replace(COMMON_NAME, COMMON_NAME[:-1] + b"\x03"),
        DER[:-9],
        b"",
    ],
    ids=["a version that is none", "a name of bits", "cut", "nothing"],
)
def test_what_no_decoder_takes(der: bytes) -> None:
    """A server may send anything: one kind of error, whatever the decoder raises."""
    assert der != DER
    with pytest.raises(ValueError, match="no certificate that can be read"):
        read_certificate(der)
