// An issuer, and the policies of these tests.
import { generateKeyPairSync, sign } from 'node:crypto';

export const ISSUER = 'https://issuer.example';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const JWKS = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }] });

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function token({ kid = 'k', ...claims } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: ISSUER, sub: 'alice', iat: now, exp: now + 300, ...claims };
  const message = `${base64url({ alg: 'ES256', kid })}.${base64url(payload)}`;
  const signature = sign('sha256', Buffer.from(message), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${message}.${signature.toString('base64url')}`;
}

export const workload = { kind: 'sidecar', namespace: 'production', labels: { app: 'api' } };
export const allow = (rules) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'allow', namespace: 'production' },
  spec: { action: 'ALLOW', rules },
});
export const authentication = (jwksUri) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'RequestAuthentication',
  metadata: { name: 'tokens', namespace: 'production' },
  spec: { jwtRules: [{ issuer: ISSUER, jwksUri }] },
});
export const authenticated = allow([{ from: [{ source: { requestPrincipals: ['*'] } }] }]);
