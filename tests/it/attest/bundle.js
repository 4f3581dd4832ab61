// Verifies a Sigstore bundle with sigstore's own packages: `node bundle.js BUNDLE PUBLIC-KEY HINT`; ends with 1 if it does not hold.

const fs = require('fs');
const crypto = require('crypto');
const { bundleFromJSON, isBundleWithDsseEnvelope, assertBundleLatest } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

const [file, key, hint] = process.argv.slice(2);
try {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(file)));
  assertBundleLatest(bundle);
  if (!isBundleWithDsseEnvelope(bundle)) throw new Error('not an envelope');
  const rawBytes = crypto.createPublicKey(fs.readFileSync(key)).export({ format: 'pem', type: 'spki' });
  const nobody = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
  const trust = toTrustMaterial(nobody, { [hint]: { rawBytes } });
  new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundle));
} catch (error) {
  console.log(String(error));
  process.exit(1);
}
