// The policy of the benchmarks, and the same rule by hand. Runs in every host of JavaScript.
export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'api';

/** Whether what a library has verified may do this: the rule of `tokenPolicy`, written by hand. */
export function mayRead(claims, method, path) {
  return claims.iss === ISSUER && claims.scope.split(' ').includes('items:read') && method === 'GET' && path === '/items/0';
}

const resource = (kind, name, spec) => ({
  apiVersion: 'security.istio.io/v1', kind, metadata: { name, namespace: 'bench' }, spec,
});

/** Wants such a token, with so many rules; only the last one matches `/items/0`. */
export function tokenPolicy({ jwks, symmetricKey }, rules) {
  const source = { requestPrincipals: [`${ISSUER}/*`] };
  const rule = (index) => ({
    from: [{ source }],
    to: [{ operation: { methods: ['GET'], paths: [`/items/${rules - 1 - index}`] } }],
    when: [{ key: 'request.auth.claims[scope]', values: ['items:read'] }],
  });
  const jwtRule = { issuer: ISSUER, audiences: [AUDIENCE], ...(jwks && { jwks: JSON.stringify(jwks) }) };
  return {
    workload: { kind: 'sidecar', namespace: 'bench' },
    settings: { symmetricKeys: symmetricKey && [{ issuer: ISSUER, ...symmetricKey }] },
    resources: [
      resource('RequestAuthentication', 'tokens', { jwtRules: [jwtRule] }),
      ...policies(rules, rule),
    ],
  };
}

/** Without tokens: so many rules that differ by path. */
export function pathPolicy(rules) {
  const rule = (index) => ({ to: [{ operation: { methods: ['GET'], paths: [`/items/${index}`] } }] });
  return { workload: { kind: 'sidecar', namespace: 'bench' }, resources: policies(rules, rule) };
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

/** Identifiers of requests: no two that follow each other have the same. */
const IDS = Array.from({ length: 64 }, (_, number) => `6a1f7c1c-8d2c-4a53-9a2e-0d6f6a3b1c${10 + number}`);
let sent = 0;

/** The request that a client sends, with an identifier of its own. */
export function described(token, path = '/items/0') {
  sent += 1;
  const headers = [
    ['Host', 'api.example.com'], ['User-Agent', 'bench/1.0'], ['Accept', 'application/json'],
    ['Accept-Encoding', 'gzip, br'], ['X-Request-Id', IDS[sent % IDS.length]],
  ];
  if (token !== undefined) headers.push(['Authorization', `Bearer ${token}`]);
  return { method: 'GET', target: path, authority: 'api.example.com', headers };
}
