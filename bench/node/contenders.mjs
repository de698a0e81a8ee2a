// Libraries that verify tokens, each set up as its documentation says and with the same
// expectations. A function takes a token and answers its claims, or throws; a promise where the
// library has no other way.
import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier } from 'fast-jwt';
import { importJWK, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { Guard } from 'lychgate';
import { createJwtVerifier } from 'lychgate/verify';

import { AUDIENCE, ISSUER } from './tokens.mjs';

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
export async function verifier({ jwks, secret }) {
  const keys = jwks ? { jwks } : { symmetricKeys: [{ kid: 'k', alg: 'HS256', k: secret.toString('base64url') }] };
  const { verify } = await createJwtVerifier({ issuer: ISSUER, audience: AUDIENCE, ...keys });
  return async (token) => {
    const answer = await verify(token);
    if (!answer.valid) throw new Error(answer.reason);
    return answer.claims;
  };
}

/** Whether what a library has verified may do this: the rule of `guard`, written by hand. */
export function mayRead(claims, method, path) {
  return claims.iss === ISSUER && claims.scope.split(' ').includes('items:read') && method === 'GET' && path === '/items/0';
}

const resource = (kind, name, spec) => ({
  apiVersion: 'security.istio.io/v1', kind, metadata: { name, namespace: 'bench' }, spec,
});

/** A guard that wants such a token, with so many rules; only the last one matches `/items/0`. */
export function guard({ jwks, secret }, rules) {
  const source = { requestPrincipals: [`${ISSUER}/*`] };
  const rule = (index) => ({
    from: [{ source }],
    to: [{ operation: { methods: ['GET'], paths: [`/items/${rules - 1 - index}`] } }],
    when: [{ key: 'request.auth.claims[scope]', values: ['items:read'] }],
  });
  const jwtRule = { issuer: ISSUER, audiences: [AUDIENCE], ...(jwks && { jwks: JSON.stringify(jwks) }) };
  const symmetricKeys = secret && [{ issuer: ISSUER, kid: 'k', alg: 'HS256', k: secret.toString('base64url') }];
  return Guard.load({
    workload: { kind: 'sidecar', namespace: 'bench' },
    settings: { symmetricKeys },
    resources: [
      resource('RequestAuthentication', 'tokens', { jwtRules: [jwtRule] }),
      ...policies(rules, rule),
    ],
  });
}

/** A policy may have 512 rules; what Istio evaluates is the same. */
function policies(rules, rule) {
  const list = [];
  for (let first = 0; first < rules; first += 500) {
    const length = Math.min(500, rules - first);
    const part = Array.from({ length }, (_, index) => rule(first + index));
    list.push(resource('AuthorizationPolicy', `allow-${first}`, { action: 'ALLOW', rules: part }));
  }
  return list;
}

/** A guard without tokens: so many rules that differ by path. */
export function pathGuard(rules) {
  const rule = (index) => ({ to: [{ operation: { methods: ['GET'], paths: [`/items/${index}`] } }] });
  return Guard.load({ workload: { kind: 'sidecar', namespace: 'bench' }, resources: policies(rules, rule) });
}

/** The request that a client of these guards sends. */
export function described(token, path = '/items/0') {
  const headers = [
    ['Host', 'api.example.com'], ['User-Agent', 'bench/1.0'], ['Accept', 'application/json'],
    ['Accept-Encoding', 'gzip, br'], ['X-Request-Id', '6a1f7c1c-8d2c-4a53-9a2e-0d6f6a3b1c22'],
  ];
  if (token !== undefined) headers.push(['Authorization', `Bearer ${token}`]);
  return { method: 'GET', target: path, authority: 'api.example.com', headers };
}
