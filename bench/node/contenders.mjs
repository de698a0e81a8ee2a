// Libraries that verify tokens, each set up as its documentation says and with the same
// expectations. A function takes a token and answers its claims, or throws; a promise where the
// library has no other way.
import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier } from 'fast-jwt';
import { importJWK, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { Guard } from 'lychgate';
import { createJwtVerifier } from 'lychgate/verify';

import { AUDIENCE, ISSUER, pathPolicy, tokenPolicy } from './policy.mjs';

// Native code for one platform each, which no lock file names for all: there if it was installed.
const nodeRs = await import('@node-rs/jsonwebtoken').then((module) => module.default, () => undefined);

/** The libraries that can do this algorithm. */
export async function libraries(algorithm, { jwks, key, pem, secret }) {
  const algorithms = [algorithm];
  const expected = { issuer: ISSUER, audience: AUDIENCE, algorithms };
  const josesKey = secret ?? await importJWK(jwks.keys[0], algorithm);
  const fast = { key: secret ?? pem, allowedIss: ISSUER, allowedAud: AUDIENCE, algorithms };
  const rust = { iss: [ISSUER], aud: [AUDIENCE], algorithms };
  return {
    'fast-jwt, cache off': createVerifier({ ...fast, cache: false }),
    'fast-jwt, cache on': createVerifier({ ...fast, cache: 4096 }),
    jose: async (token) => (await jwtVerify(token, josesKey, expected)).payload,
    // It has no EdDSA.
    ...(algorithm !== 'EdDSA' && { jsonwebtoken: (token) => jsonwebtoken.verify(token, key, expected) }),
    ...(nodeRs && { '@node-rs/jsonwebtoken': (token) => nodeRs.verifySync(token, secret ?? pem, rust) }),
    ...(jwks && { 'aws-jwt-verify': aws(jwks) }),
  };
}

function aws(jwks) {
  const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks` });
  verifier.cacheJwks(jwks);
  return (token) => verifier.verifySync(token);
}

/** Lychgate's verification alone, through `lychgate/verify`. */
export async function verifier({ jwks, symmetricKey }) {
  const keys = jwks ? { jwks } : { symmetricKeys: [symmetricKey] };
  const { verify } = await createJwtVerifier({ issuer: ISSUER, audience: AUDIENCE, ...keys });
  return async (token) => {
    const answer = await verify(token);
    if (!answer.valid) throw new Error(answer.reason);
    return answer.claims;
  };
}

/** A guard that wants such a token, with so many rules. */
export function guard(keys, rules) {
  return Guard.load(tokenPolicy(keys, rules));
}

/** A guard without tokens: so many rules that differ by path. */
export function pathGuard(rules) {
  return Guard.load(pathPolicy(rules));
}
