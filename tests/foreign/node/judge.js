// Answers questions about credentials with software that others wrote: a JSON object per line comes in, one goes out.
// A question that cannot be answered gives {"error": text}; no question ends the process.
import {createInterface} from 'node:readline';
import {loaderOf, signingSuite, suites} from './offline.js';

const Multikey = await import('@digitalbazaar/ed25519-multikey');
const vc = await import('@digitalbazaar/vc');
const {checkStatus, decodeList} = await import('@digitalbazaar/vc-bitstring-status-list');
const jose = await import('jose');

const ANSWERS = {
  // Is this credential good at that time, and which of its status bits are set? By a verifier who knows these suites, or all.
  async verify({credential, documents, now, knows}) {
    const options = {suite: suites(knows), documentLoader: loaderOf(documents), now: new Date(now)};
    const result = await vc.verifyCredential({credential, ...options, checkStatus: await STATUS_CHECKS.fresh(options)});
    const statuses = (result.statusResult?.results ?? []).map(({credentialStatus, status}) => [
      credentialStatus.statusPurpose,
      status,
    ]);
    return {verified: result.verified, reason: reasonOf(result), statuses: Object.fromEntries(statuses)};
  },

  // A credential that is signed there; the issuer is the did:key of the seed unless a method is named.
  async issue({credential, suite, seed, method, now}) {
    const key = await keyOf(seed, method);
    const signed = await vc.issue({
      credential: {...credential, issuer: credential.issuer ?? key.controller},
      suite: signingSuite(suite, key.signer(), now),
      documentLoader: loaderOf({}),
      now: new Date(now),
    });
    return {credential: signed, publicKeyMultibase: key.publicKeyMultibase};
  },

  // Credentials in a presentation that is signed there, as an answer to a challenge.
  async present({credentials, suite, seed, challenge, domain, now}) {
    const key = await keyOf(seed);
    const presentation = vc.createPresentation({
      verifiableCredential: credentials,
      holder: key.controller,
      now: new Date(now),
    });
    const signed = await vc.signPresentation({
      presentation,
      suite: signingSuite(suite, key.signer(), now),
      documentLoader: loaderOf({}),
      challenge,
      domain,
    });
    return {presentation: signed};
  },

  async verifyJwt({jwt, jwk, now, issuer}) {
    const key = await jose.importJWK(jwk, 'EdDSA');
    const {payload, protectedHeader} = await jose.jwtVerify(jwt, key, {
      algorithms: ['EdDSA'],
      typ: 'vc+jwt',
      issuer,
      currentDate: new Date(now),
    });
    return {payload, header: protectedHeader};
  },

  async signJwt({payload, header, jwk}) {
    const key = await jose.importJWK(jwk, 'EdDSA');
    return {jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(key)};
  },

  // The processor time of one verification after the other; bench/certificates.py says what is compared.
  async time({texts, documents, now, status}) {
    const options = {suite: suites(), documentLoader: loaderOf(documents), now: new Date(now)};
    options.checkStatus = await STATUS_CHECKS[status]({documents, ...options});
    const began = process.cpuUsage();
    for (const text of texts) {
      const {verified, statusResult} = await vc.verifyCredential({credential: JSON.parse(text), ...options});
      if (!verified || statusResult.results.some(({status}) => status)) throw new Error('a good one was refused');
    }
    const {user, system} = process.cpuUsage(began);
    return {seconds: (user + system) / 1e6};
  },
};

// Two ways to check a status: with lists that were verified and unpacked before, as a program that checks many would
// keep them; and as the package's checkStatus does it, which verifies and unpacks each list for every credential.
const STATUS_CHECKS = {
  async remembered({documents, suite, documentLoader, now}) {
    const lists = new Map();
    for (const [url, document] of Object.entries(documents)) {
      if (document.credentialSubject?.type !== 'BitstringStatusList') continue;
      const {verified} = await vc.verifyCredential({credential: document, suite, documentLoader, now});
      if (!verified) throw new Error(`${url} is not good`);
      const {encodedList, statusPurpose} = document.credentialSubject;
      lists.set(url, {statusPurpose, issuer: document.issuer, bits: await decodeList({encodedList})});
    }
    return async ({credential}) => {
      const results = credential.credentialStatus.map(entry => {
        const {statusPurpose, issuer, bits} = lists.get(entry.statusListCredential);
        const verified = statusPurpose === entry.statusPurpose && issuer === credential.issuer.id;
        return {verified, status: bits.getStatus(parseInt(entry.statusListIndex, 10))};
      });
      return {verified: results.every(({verified}) => verified), results};
    };
  },
  // The package has no way to be told the time for the lists' own dates. So each list is verified here, by the same
  // verifyCredential that it would call, and handed over as verified.
  async fresh({suite, documentLoader, now}) {
    return async options => {
      for (const {statusListCredential} of [options.credential.credentialStatus].flat()) {
        const {document} = await documentLoader(statusListCredential);
        const list = await vc.verifyCredential({credential: document, suite, documentLoader, now});
        if (!list.verified) return {verified: false, error: new Error(`status list: ${reasonOf(list)}`)};
      }
      return checkStatus({...options, verifyBitstringStatusListCredential: false});
    };
  },
};

async function keyOf(seed, method) {
  const key = await Multikey.generate({seed: Buffer.from(seed, 'hex')});
  const did = `did:key:${key.publicKeyMultibase}`;
  key.id = method ?? `${did}#${key.publicKeyMultibase}`;
  key.controller = key.id.split('#')[0];
  return key;
}

function reasonOf({verified, error, statusResult}) {
  if (verified) return '';
  const errors = [statusResult?.error ?? error].flatMap(one => one?.errors ?? [one]);
  return errors.map(one => one?.message ?? String(one)).join('; ');
}

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  let answer;
  try {
    const {ask, ...question} = JSON.parse(line);
    answer = await ANSWERS[ask](question);
  } catch (error) {
    answer = {error: error.message || String(error)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
