// The same resources as in Kubernetes, written in TypeScript: no compile step.
const metadata = { name: 'notes', namespace: 'default' };
const apiVersion = 'security.istio.io/v1';

const readers = {
  from: [{ source: { requestPrincipals: ['https://issuer.example/*'] } }],
  to: [{ operation: { methods: ['GET'], paths: ['/notes', '/notes/{*}'] } }],
  when: [{ key: 'request.auth.claims[scope]', values: ['notes:read'] }],
};
const writers = {
  from: [{ source: { requestPrincipals: ['https://issuer.example/*'] } }],
  to: [{ operation: { methods: ['POST'], paths: ['/notes'] } }],
  when: [{ key: 'request.auth.claims[scope]', values: ['notes:write'] }],
};
const anybody = { to: [{ operation: { methods: ['GET'], paths: ['/healthz'] } }] };

// That of key.json, whose private half everybody has. In earnest: jwksUri, or settings.discovery.
const jwks = JSON.stringify({
  keys: [{ kid: 'example', kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', x: '_pxNX5VAvpdU8uQaw1KSgVmFMgMOdMKxk8mSorYUOFw' }],
});

export const policy = {
  workload: { kind: 'gateway', namespace: 'default' },
  resources: [
    { apiVersion, kind: 'AuthorizationPolicy', metadata, spec: { action: 'ALLOW', rules: [anybody, readers, writers] } },
    { apiVersion, kind: 'RequestAuthentication', metadata, spec: { jwtRules: [{ issuer: 'https://issuer.example', audiences: ['notes'], jwks }] } },
  ],
};
