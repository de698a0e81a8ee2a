// Keys and tokens of each algorithm.
import { createSecretKey, generateKeyPairSync, randomBytes, sign, createHmac } from 'node:crypto';

import { AUDIENCE, ISSUER } from './policy.mjs';

export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'HS256'];

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

const pairs = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

/** An issuer: its keys in every form that a library wants, and `token(n)`, each one new. */
export function issuer(algorithm) {
  return algorithm === 'HS256' ? symmetric() : asymmetric(algorithm);
}

function symmetric() {
  const bytes = randomBytes(32);
  const signed = (message) => createHmac('sha256', bytes).update(message).digest();
  const symmetricKey = { kid: 'k', alg: 'HS256', k: bytes.toString('base64url') };
  return { secret: bytes, symmetricKey, key: createSecretKey(bytes), token: (n) => token('HS256', n, signed) };
}

function asymmetric(algorithm) {
  const { privateKey, publicKey } = pairs[algorithm]();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: algorithm, use: 'sig' };
  const hash = algorithm === 'EdDSA' ? null : 'sha256';
  const signed = (message) => sign(hash, message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  return { jwks: { keys: [jwk] }, key: publicKey, pem, token: (n) => token(algorithm, n, signed) };
}

function token(algorithm, number, signed) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER, aud: AUDIENCE, sub: `user-${number}`, iat: now, exp: now + 3600, jti: `${number}`,
    scope: 'items:read items:write', email: `user-${number}@example.com`, tenant: 'acme',
  };
  const message = `${base64url({ alg: algorithm, kid: 'k', typ: 'JWT' })}.${base64url(claims)}`;
  return `${message}.${signed(Buffer.from(message)).toString('base64url')}`;
}
