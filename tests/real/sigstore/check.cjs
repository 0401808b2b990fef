// SPDX-FileCopyrightText: 2026 The Wavegate developers
// SPDX-License-Identifier: Apache-2.0
// node check.cjs KEY TSA < ENVELOPES: verifies DSSE envelopes, and timestamps over their payloads.
// KEY: the signer's public key (PEM). TSA: that of the timestamp authority. Each line of stdin is
// {"envelope": {...}, "token": base64 or null}; each line of stdout says what two libraries made of it.
'use strict';
const fs = require('fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { crypto, dsse, RFC3161Timestamp } = require('@sigstore/core');
const { toSignedEntity, toTrustMaterial, Verifier } = require('@sigstore/verify');

const [key, tsa] = process.argv.slice(2).map((path) => crypto.createPublicKey(fs.readFileSync(path, 'utf8')));
const rawBytes = key.export({ type: 'spki', format: 'der' });
const NO_ROOTS = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const THRESHOLDS = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };

function bare(envelope) {
  const [signature] = envelope.signatures;
  const encoded = dsse.preAuthEncoding(envelope.payloadType, Buffer.from(envelope.payload, 'base64'));
  return crypto.verify(encoded, key, Buffer.from(signature.sig, 'base64'), 'sha256');
}

function bundled(envelope) {
  const [{ keyid }] = envelope.signatures;
  const bundle = bundleFromJSON({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    dsseEnvelope: envelope,
    verificationMaterial: { publicKey: { hint: keyid }, tlogEntries: [] },
  });
  const always = { start: new Date(0), end: new Date(8640000000000000) };
  const trusted = toTrustMaterial(NO_ROOTS, { [keyid]: { rawBytes, validFor: always } });
  new Verifier(trusted, THRESHOLDS).verify(toSignedEntity(bundle));
  return true;
}

function stamped(envelope, token) {
  const found = RFC3161Timestamp.parse(Buffer.from(token, 'base64'));
  found.verify(Buffer.from(envelope.payload, 'base64'), tsa);
  return found.signingTime.toISOString();
}

function attempt(look) {
  try {
    return look();
  } catch (error) {
    return `refused: ${error.message}`;
  }
}

for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const { envelope, token } = JSON.parse(line);
  console.log(JSON.stringify({
    core: attempt(() => bare(envelope)),
    verify: attempt(() => bundled(envelope)),
    at: token && attempt(() => stamped(envelope, token)),
  }));
}
