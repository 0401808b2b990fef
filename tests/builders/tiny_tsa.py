# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""A timestamp authority by `openssl ts`, with a root of its own, on a free port of loopback."""

import hashlib
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.builders.tiny_http import Got, Say, TinyHttp

REPLY = "application/timestamp-reply"
LONG_AGO, FAR_OFF = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
WITH_OPENSSL = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not on this machine"
)
ONE_AT_A_TIME = threading.Lock()  # openssl counts its serial numbers in a file
CONFIG = """\
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.crt
signer_key = {folder}/tsa.key
signer_digest = {digest}
default_policy = 1.3.6.1.4.1.99999.1
digests = sha1,sha256,sha384,sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Tsa:
    """An authority with a root of its own. name: what its certificate is called."""

    folder: Path
    name: str
    root_key: ec.EllipticCurvePrivateKey
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, folder: Path, *, name: str = "tsa", digest: str = "sha256") -> "Tsa":
        """Keys, a root and a certificate under it, valid from 2020 to 2040."""
        folder.mkdir(parents=True)
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        tsa = cls(folder, name, *keys)
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder, digest=digest))
        (folder / "serial").write_text("01\n")
        (folder / "tsa.key").write_bytes(
            tsa.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        tsa.root.write_bytes(tsa._root().public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.crt").write_bytes(tsa.certificate().public_bytes(serialization.Encoding.PEM))
        return tsa

    @property
    def root(self) -> Path:
        """The root certificate, PEM."""
        return self.folder / "ca.crt"

    def certificate(
        self,
        *,
        since: datetime = LONG_AGO,
        until: datetime = FAR_OFF,
        critical: bool = True,
        usage: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    ) -> x509.Certificate:
        """The authority's certificate, or another of the same key."""
        made = _builder(self.name, f"{self.name} root", since, until)
        extended = x509.ExtendedKeyUsage(list(usage))
        return (
            made.public_key(self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(extended, critical=critical)
            .sign(self.root_key, hashes.SHA256())
        )

    def _root(self) -> x509.Certificate:
        named = f"{self.name} root"
        made = _builder(named, named, LONG_AGO, FAR_OFF).public_key(self.root_key.public_key())
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        made = made.add_extension(constraints, critical=True)
        made = made.add_extension(_usage(signs=False), critical=True)
        return made.sign(self.root_key, hashes.SHA256())

    def reply(self, query: bytes) -> bytes:
        """The answer to a request, as `openssl ts -reply` gives it now."""
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            asked, given = Path(work, "q"), Path(work, "r")
            asked.write_bytes(query)
            files = ("-queryfile", str(asked), "-out", str(given))
            with ONE_AT_A_TIME:
                self._openssl("ts", "-reply", "-config", "tsa.cnf", *files)
            return given.read_bytes()

    def stamp(self, payload: bytes, *options: str) -> bytes:
        """A token over a payload, asked for by openssl itself."""
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            data, asked = Path(work, "data"), Path(work, "q")
            data.write_bytes(payload)
            given = options or ("-sha256", "-cert")
            self._openssl("ts", "-query", "-data", str(data), *given, "-out", str(asked))
            return self.reply(asked.read_bytes())

    def stamp_at(
        self, payload: bytes, at: datetime, certificate: x509.Certificate | None = None
    ) -> bytes:
        """A token with an instant, and a certificate, of one's choice.

        openssl stamps by the clock of the machine; this takes its token apart, sets genTime and
        certificate, and signs again.
        """
        response = tsp.TimeStampResp.load(self.stamp(payload))
        signed = response["time_stamp_token"]["content"]
        content = _redated(signed["encap_content_info"]["content"].parsed, at)
        signed["encap_content_info"]["content"] = core.ParsableOctetString(content)
        signer = signed["signer_infos"][0]
        found = asn1_x509.Certificate.load(
            (certificate or self.certificate()).public_bytes(serialization.Encoding.DER)
        )
        signed["certificates"] = cms.CertificateSet([cms.CertificateChoices("certificate", found)])
        named = {"issuer": found.issuer, "serial_number": found.serial_number}
        signer["sid"] = cms.SignerIdentifier("issuer_and_serial_number", named)
        for attribute in signer["signed_attrs"]:
            _redo(attribute, content, at, found)
        message = signer["signed_attrs"].untag().dump(force=True)
        signer["signature"] = core.OctetString(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return bytes(response.dump(force=True))

    def serve(self) -> TinyHttp:
        """A server that answers requests, to be entered with `with`."""
        return TinyHttp(self.answer)

    def answer(self, got: Got) -> Say:
        """What it answers to one request."""
        assert "application/timestamp-query" == got.headers["content-type"]
        return Say(self.reply(got.body), kind=REPLY)

    def _openssl(self, *command: str) -> None:
        subprocess.run(
            ["openssl", *command],  # noqa: S607 - the openssl of this machine is meant
            cwd=self.folder,
            check=True,
            capture_output=True,
        )


def _builder(
    subject: str, issuer: str, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    made = x509.CertificateBuilder(name(issuer), name(subject))
    made = made.serial_number(x509.random_serial_number())
    return made.not_valid_before(since).not_valid_after(until)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )


def _redated(info: tsp.TSTInfo, at: datetime) -> bytes:
    info["gen_time"] = core.GeneralizedTime(at.astimezone(UTC).replace(microsecond=0))
    return bytes(info.dump(force=True))


def _redo(
    attribute: cms.CMSAttribute, content: bytes, at: datetime, found: asn1_x509.Certificate
) -> None:
    """Bind the content, the instant and the certificate anew."""
    kind = attribute["type"].native
    if kind == "message_digest":
        attribute["values"] = cms.SetOfOctetString([hashlib.sha256(content).digest()])
    elif kind == "signing_time":
        moment = core.UTCTime(at.astimezone(UTC).replace(microsecond=0))
        attribute["values"] = cms.SetOfTime([cms.Time("utc_time", moment)])
    elif kind == "signing_certificate_v2":
        certificate = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(found.dump()).digest()})
        attribute["values"] = tsp.SetOfSigningCertificatesV2(
            [tsp.SigningCertificateV2({"certs": [certificate]})]
        )
