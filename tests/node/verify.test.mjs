// lychgate/verify: the token half alone.
import assert from 'node:assert/strict';
import {
  createHash, createHmac, createPrivateKey, createPublicKey, randomBytes, sign, verify as nodeVerify,
} from 'node:crypto';
import { test } from 'node:test';

import { portable } from 'lychgate/portable';
import { createJwtVerifier, verifyJwt } from 'lychgate/verify';

import { ISSUER, JWKS, token } from './issuer.mjs';

const options = { issuer: ISSUER, audience: 'api', jwks: JWKS };
const good = (claims) => token({ aud: 'api', ...claims });

test('a good token is its claims', async () => {
  const answer = await verifyJwt(good({ name: 'Ælfred €', nested: { a: [1] } }), options);
  assert.equal(answer.valid, true);
  assert.equal(answer.claims.sub, 'alice');
  assert.equal(answer.claims.name, 'Ælfred €');
  assert.deepEqual(answer.claims.nested, { a: [1] });
  const anonymous = await verifyJwt(good({ sub: undefined }), options);
  assert.equal(anonymous.valid, true);
  assert.equal((await verifyJwt(good({ aud: ['x', 'b'] }), { ...options, audience: ['a', 'b'] })).valid, true);
  const inWasm = { ...options, verifier: portable };
  assert.equal((await verifyJwt(good(), inWasm)).valid, true);
  assert.equal((await verifyJwt(`${good().slice(0, -8)}AAAAAAAA`, inWasm)).reason, 'signature_invalid');
});

test('a bad token is an answer and no exception', async () => {
  const now = Math.floor(Date.now() / 1000);
  const value = good();
  for (const [bad, reason, status] of [
    [token(), 'audience_mismatch', 403],
    [good({ aud: 'other' }), 'audience_mismatch', 403],
    [good({ iss: 'https://other.example' }), 'issuer_unknown', 401],
    [good({ exp: now - 61 }), 'token_expired', 401],
    [good({ exp: undefined }), 'claim_missing', 401],
    [good({ kid: 'x' }), 'key_unknown', 401],
    [`${value.slice(0, -6)}AAAAAA`, 'signature_invalid', 401],
    [`${value} x`, 'credential_malformed', 401],
    ['', 'credential_malformed', 401],
    ['a.b.c', 'token_malformed', 401],
    ['\u{1f511}', 'path_malformed', 400],
  ]) {
    const answer = await verifyJwt(bad, options);
    assert.deepEqual([answer.valid, answer.reason, answer.status], [false, reason, status], bad);
    if (status === 401) assert.match(answer.challenge, /^Bearer realm="lychgate", error="invalid_token"/);
  }
});

test('secrets verify HMAC, and a public key never does', async () => {
  const secret = randomBytes(32);
  const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const message = `${base64url({ alg: 'HS256' })}.${base64url({ iss: ISSUER, aud: 'api', exp: now + 60 })}`;
  const signed = `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
  const { jwks, ...rest } = options;
  const symmetric = { ...rest, symmetricKeys: [{ kid: 'k', alg: 'HS256', k: secret.toString('base64url') }] };
  assert.equal((await verifyJwt(signed, symmetric)).valid, true);
  assert.equal((await verifyJwt(signed, { ...rest, jwks })).valid, false);
});

test('keys are fetched once for options that say the same, and once for a verifier', async (context) => {
  let fetched = 0;
  const fetch = async () => {
    fetched += 1;
    return new Response(JWKS);
  };
  const { jwks, ...rest } = options;
  const remote = { ...rest, jwksUri: 'https://issuer.example/jwks', fetch };
  const { verify } = await createJwtVerifier(remote);
  const answers = await Promise.all(Array.from({ length: 10 }, () => verify(good())));
  assert.ok(answers.every(({ valid }) => valid));
  assert.equal(fetched, 1);
  context.mock.method(globalThis, 'fetch', fetch);
  const same = () => ({ ...rest, jwksUri: 'https://issuer.example/other' });
  assert.equal((await verifyJwt(good(), same())).valid, true);
  assert.equal((await verifyJwt(good(), same())).valid, true);
  assert.equal(fetched, 2);
});

test('an issuer that is down is a 503', async () => {
  const { jwks, ...rest } = options;
  const fetch = async () => { throw new Error('down'); };
  const answer = await verifyJwt(good(), { ...rest, jwksUri: 'https://issuer.example/jwks', fetch });
  assert.deepEqual([answer.valid, answer.reason, answer.status], [false, 'keys_unavailable', 503]);
});

test('options without an issuer, an audience or keys are an error', async () => {
  const value = good();
  await assert.rejects(verifyJwt(value, { ...options, issuer: '' }), { code: 'issuer_required' });
  await assert.rejects(verifyJwt(value, { ...options, audience: [] }), { code: 'audience_required' });
  await assert.rejects(verifyJwt(value, { issuer: ISSUER, jwks: JWKS }), { code: 'audience_required' });
  const { jwks, ...rest } = options;
  await assert.rejects(verifyJwt(value, rest), { name: 'LychgateError' });
});

test('an EdDSA signature whose R has small order is refused, although OpenSSL takes it', async () => {
  const seed = Buffer.alloc(32, 7);
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' };
  const { verify } = await createJwtVerifier({ issuer: 'https://issuer.example', audience: 'api', jwks: { keys: [jwk] } });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'https://issuer.example', aud: 'api', exp: Math.floor(Date.now() / 1000) + 60 };
  const message = `${part({ alg: 'EdDSA', kid: 'k' })}.${part(claims)}`;
  const signed = (signature) => verify(`${message}.${signature.toString('base64url')}`);

  assert.equal((await signed(sign(null, Buffer.from(message), privateKey))).valid, true);
  // R is the identity, so that S is the hash times the secret (RFC 8032 section 5.1.6).
  const number = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const sha512 = (...parts) => createHash('sha512').update(Buffer.concat(parts)).digest();
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const secret = sha512(seed).subarray(0, 32);
  secret[0] &= 248;
  secret[31] = (secret[31] & 127) | 64;
  const r = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
  const hash = number(sha512(r, Buffer.from(jwk.x, 'base64url'), Buffer.from(message)));
  const s = Buffer.from(((hash * number(secret)) % order).toString(16).padStart(64, '0'), 'hex').reverse();
  const forged = Buffer.concat([r, s]);
  assert.equal(nodeVerify(null, Buffer.from(message), publicKey, forged), true);
  const answer = await signed(forged);
  assert.deepEqual([answer.valid, answer.reason], [false, 'signature_invalid']);
});
