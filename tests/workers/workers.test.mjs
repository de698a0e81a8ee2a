// What lychgate/workers promises, in workerd.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, test } from 'node:test';

import { Issuer } from './issuer.mjs';
import { bundle, start, waitFor } from './workerd.mjs';

const limit = { timeout: 60_000 };
const running = [];
after(() => Promise.all(running.map((worker) => worker.stop())));

async function started(name, options) {
  const worker = await start(name, options);
  running.push(worker);
  return worker;
}

const workload = { kind: 'gateway', namespace: 'production', labels: { app: 'api' } };
const resource = (kind, name, spec) => ({
  apiVersion: 'security.istio.io/v1', kind, metadata: { name, namespace: 'production' }, spec,
});
const allow = (rules) => resource('AuthorizationPolicy', 'allow', { action: 'ALLOW', rules });
const methods = (...methods) => allow([{ to: [{ operation: { methods } }] }]);
const policy = (resources, settings = {}) => JSON.stringify({
  apiVersion: 'lychgate.dev/v1alpha1', kind: 'Bundle', workload, settings, resources,
});
const tokens = (spec) => resource('RequestAuthentication', 'tokens', { jwtRules: [{ issuer: 'https://issuer.example', ...spec }] });
const authenticated = allow([{ from: [{ source: { requestPrincipals: ['*'] } }] }]);
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

/** A certificate under which some vector is allowed, in base64. */
function leafOfAVector() {
  const { topics } = JSON.parse(readFileSync('vectors.json', 'utf8'));
  const vectors = topics.flatMap((topic) => topic.vectors);
  return vectors.find(({ request, expect }) => request.peer?.der && expect.verdict === 'allow').request.peer.der;
}

async function unavailable(response) {
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  assert.equal(response.headers.get('retry-after'), '2');
  assert.equal((await response.json()).code, 'unavailable');
}

test('a policy in the script decides, and each decision is a line on the console', limit, async () => {
  const worker = await started('script');
  const allowed = await worker.fetch('/', { headers: { 'x-lychgate-subject': 'mallory', 'x-other': 'kept' } });
  assert.equal(allowed.status, 200);
  const { reason, headers } = await allowed.json();
  assert.equal(reason, 'allowed_by_rule');
  assert.equal(headers['x-lychgate-subject'], undefined);
  assert.equal(headers['x-other'], 'kept');
  const denied = await worker.fetch('/', { method: 'POST', headers: { 'x-request-id': 'id-1' } });
  assert.equal(denied.status, 403);
  assert.equal(denied.headers.get('content-type'), 'application/problem+json');
  assert.equal((await denied.json()).correlation_id, 'id-1');
  const record = JSON.parse(await worker.line('id-1'));
  assert.deepEqual([record.verdict, record.reason, record.method], ['deny', 'no_rule_matched', 'POST']);
  assert.equal(JSON.parse(await worker.line('allowed_by_rule')).verdict, 'allow');
});

test('a decision waits for Web Crypto, and what happens meanwhile lets nothing pass', limit, async () => {
  const issuer = new Issuer();
  const worker = await started('waits');
  const only = (...subjects) => allow([{ from: [{ source: { requestPrincipals: subjects.map((subject) => `*/${subject}`) } }] }]);
  const bundle = policy([tokens({ jwks: issuer.keySet }), only('alice', 'anna')]);
  const next = policy([tokens({ jwks: issuer.keySet }), only('bob')]);
  const [alice, anna, bob] = ['alice', 'anna', 'bob'].map((sub) => issuer.token({ sub }));
  const forged = `${alice.slice(0, alice.lastIndexOf('.'))}${bob.slice(bob.lastIndexOf('.'))}`;
  const body = JSON.stringify({ bundle, next, tokens: [alice, forged, anna, bob] });
  const told = await (await worker.fetch('/', { method: 'POST', body })).json();
  assert.equal(told.atOnce, 'verifier_unavailable');
  // 1,250 of each at once, of which the last 904 are too many.
  assert.deepEqual(told.answers, [
    { 'alice allowed_by_rule': 1024, 'nobody verifier_unavailable': 226 },
    { 'nobody signature_invalid': 1024, 'nobody verifier_unavailable': 226 },
    { 'anna allowed_by_rule': 1024, 'nobody verifier_unavailable': 226 },
    { 'bob no_rule_matched': 1024, 'nobody verifier_unavailable': 226 },
  ]);
  assert.equal(told.known, 'allowed_by_rule');
  assert.deepEqual(told.replaced, ['no_rule_matched', true]);
  assert.deepEqual(told.trap, ['not_configured', 'allowed_by_rule']);
  assert.deepEqual(told.portable, ['not_configured', 'allowed_by_rule']);
  assert.equal(told.faults, 2);
});

test('a policy in the script that does not load is a Worker that does not start', limit, async () => {
  await assert.rejects(start('broken', { handleRuntimeStdio: () => {} }), /runtime/i);
});

test('a policy in a binding is text or JSON; without one, or with one that does not load, everything is a 503', limit, async () => {
  const text = policy([methods('GET')]);
  for (const bindings of [{ POLICY: text }, { POLICY: JSON.parse(text) }]) {
    const worker = await started('gate', { bindings });
    assert.equal((await worker.fetch('/')).status, 200);
    assert.equal((await worker.fetch('/', { method: 'POST' })).status, 403);
  }
  for (const [bindings, code] of [[{}, 'policy_missing'], [{ POLICY: '{"kind":"Bundle"}' }, 'kind'], [{ POLICY: 'no' }, 'json'], [{ POLICY: 7 }, 'shape']]) {
    const worker = await started('gate', { bindings });
    await unavailable(await worker.fetch('/'));
    await unavailable(await worker.fetch('/'));
    await worker.line(`"code":"${code}"`);
  }
});

test('a policy in KV is read again after its time, and one that does not load changes nothing', limit, async () => {
  const worker = await started('gate', { kvNamespaces: ['CONFIG'] });
  const namespace = await worker.miniflare.getKVNamespace('CONFIG');
  await unavailable(await worker.fetch('/'));
  await namespace.put('bundle', policy([methods('GET')]));
  await unavailable(await worker.fetch('/'));
  await worker.fetch('/test/ahead?ms=5000');
  const { revision } = await (await worker.fetch('/')).json();
  const settled = async (status) => {
    await worker.fetch('/test/ahead?ms=60000');
    // The request that finds it too old is decided by the one in force.
    const before = (await worker.fetch('/')).status;
    await waitFor(async () => (await worker.fetch('/')).status === status);
    return before;
  };
  await namespace.put('bundle', 'nonsense');
  assert.equal(await settled(200), 200);
  await namespace.delete('bundle');
  assert.equal(await settled(200), 200);
  assert.equal((await (await worker.fetch('/')).json()).revision, revision);
  await namespace.put('bundle', policy([methods('PUT')]));
  assert.equal((await worker.fetch('/')).status, 200);
  assert.equal(await settled(403), 200);
  assert.equal((await worker.fetch('/')).status, 403);
});

test('the peer is the certificate that Cloudflare verified, and anything else presented is refused', limit, async () => {
  const leaf = leafOfAVector();
  const id = 'spiffe://cluster.local/ns/a/sa/b';
  const worker = await started('gate', { bindings: { POLICY: policy([allow([{ from: [{ source: { principals: ['*'] } }] }])]) } });
  const good = { certPresented: '1', certVerified: 'SUCCESS', certRevoked: '0', certRFC9440: `:${leaf}:` };
  let asked = 0;
  const ask = async (tlsClientAuth, path = '/', headers = {}) => {
    asked += 1;
    const id = `peer-${asked}-`;
    const { status } = await worker.fetch(path, { cf: { tlsClientAuth }, headers: { 'x-request-id': id, ...headers } });
    return [status, JSON.parse(await worker.line(id)).reason];
  };
  assert.deepEqual(await ask(good), [200, 'allowed_by_rule']);
  const malformed = [403, 'peer_malformed'];
  for (const difference of [
    { certVerified: 'FAILED:certificate has expired' }, { certVerified: 'NONE' }, { certVerified: '' },
    { certRevoked: '1' }, { certRevoked: undefined }, { certRevoked: false }, { certPresented: undefined }, { certPresented: 1 },
    { certRFC9440: undefined }, { certRFC9440: '', certRFC9440TooLarge: true }, { certRFC9440: leaf },
    { certRFC9440: `:${leaf}:, :${leaf}:` }, { certRFC9440: ':AAAA:' },
    { certRFC9440: undefined, certSubjectDN: `CN=${id}`, certSubjectDNRFC2253: `URI=${id}` },
  ]) assert.deepEqual(await ask({ ...good, ...difference }), malformed, JSON.stringify(difference));
  assert.deepEqual(await ask({ certPresented: '0', certVerified: 'NONE', certRevoked: '0', certRFC9440: '' }), [403, 'no_rule_matched']);
  assert.deepEqual(await ask({ certPresented: '0', certVerified: 'SUCCESS', certRFC9440: `:${leaf}:` }), [403, 'no_rule_matched']);
  assert.deepEqual(await ask(good, '/test/without-cf', { 'client-cert': `:${leaf}:` }), [403, 'no_rule_matched']);
});

test('many first requests fetch the keys once, and later ones not at all', limit, async () => {
  const issuer = await new Issuer().listen();
  issuer.answer = (response) => setTimeout(() => response.end(issuer.keySet), 100);
  const worker = await started('gate', {
    bindings: { POLICY: policy([tokens({ jwksUri: `${issuer.url}/jwks` }), authenticated], { keyRefresh: { waitMilliseconds: 5000 } }) },
  });
  const token = issuer.token();
  const ask = async () => (await worker.fetch('/', bearer(token))).status;
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 200 }, ask))), new Set([200]));
  assert.equal(issuer.asked, 1);
  const upstream = await (await worker.fetch('/', bearer(token))).json();
  assert.equal(upstream.headers['x-lychgate-subject'], 'alice');
  assert.equal(upstream.headers.authorization, undefined);
  const inQuery = await (await worker.fetch(`/a?x=1&access_token=${token}&y`)).json();
  assert.equal(inQuery.url, 'http://api.example/a?x=1&y');
  assert.equal(issuer.asked, 1);
  issuer.close();
});

test('keys are refreshed behind the requests, serve while the issuer is down, and then no longer', limit, async () => {
  const issuer = await new Issuer().listen();
  const settings = { keyRefresh: { intervalSeconds: 60, maxStaleSeconds: 300, waitMilliseconds: 1000 } };
  const worker = await started('gate', { bindings: { POLICY: policy([tokens({ jwksUri: `${issuer.url}/jwks` }), authenticated], settings) } });
  const status = async (claims) => (await worker.fetch('/', bearer(issuer.token({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims })))).status;
  assert.equal(await status(), 200);
  issuer.rotate('another');
  assert.equal(await status(), 200, 'an unknown key is fetched while its request waits');
  issuer.answer = (response) => response.destroy();
  await worker.fetch('/test/ahead?ms=120000');
  assert.equal(await status(), 200);
  await worker.fetch('/test/ahead?ms=181000');
  assert.equal(await status(), 503);
  issuer.answer = (response) => response.end(issuer.keySet);
  await worker.fetch('/test/ahead?ms=120000');
  assert.equal(await status(), 200);
  issuer.close();
});

test('garbage, a slow issuer, a redirect and 10 MB bring no keys', limit, async () => {
  const answers = {
    key_set_json: (response) => response.end('<html>'),
    fetch_status: (response) => { response.writeHead(302, { location: '/elsewhere' }); response.end(); },
    fetch_too_large: (response) => response.end(Buffer.alloc(10 * 1024 * 1024, 32)),
    fetch_timeout: () => {},
  };
  for (const [code, answer] of Object.entries(answers)) {
    const issuer = await new Issuer().listen();
    issuer.answer = answer;
    const settings = { keyRefresh: { timeoutMilliseconds: 300, waitMilliseconds: 2000 } };
    const worker = await started('gate', { bindings: { POLICY: policy([tokens({ jwksUri: `${issuer.url}/jwks` }), authenticated], settings) } });
    const began = performance.now();
    assert.equal((await worker.fetch('/', bearer(issuer.token()))).status, 503, code);
    assert.ok(performance.now() - began < 1900, code);
    assert.equal(issuer.asked, 1, code);
    await worker.line(`"code":"${code}"`);
    issuer.close();
  }
});

test('a caller who goes away takes no fetch along', limit, async () => {
  const issuer = await new Issuer().listen();
  let waiting;
  const asked = new Promise((resolve) => { waiting = resolve; });
  issuer.answer = (response) => { waiting(); setTimeout(() => response.end(issuer.keySet), 300); };
  const settings = { keyRefresh: { waitMilliseconds: 3000 } };
  const worker = await started('gate', { bindings: { POLICY: policy([tokens({ jwksUri: `${issuer.url}/jwks` }), authenticated], settings) } });
  const abort = new AbortController();
  const first = fetch(worker.url, { ...bearer(issuer.token()), signal: abort.signal }).catch((error) => error.name);
  await asked;
  abort.abort();
  assert.equal(await first, 'AbortError');
  assert.equal((await worker.fetch('/', bearer(issuer.token()))).status, 200);
  assert.equal(issuer.asked, 1);
  issuer.close();
});

test('a trap is a 503 for its request, and a new engine for the next', limit, async () => {
  const worker = await started('gate', { bindings: { POLICY: policy([methods('GET')]) } });
  assert.equal((await worker.fetch('/')).status, 200);
  for (const instances of [1, 2, 3]) {
    assert.deepEqual(await (await worker.fetch('/test/trap')).json(), { instances });
    await unavailable(await worker.fetch('/'));
    await worker.line('RuntimeError');
    assert.equal((await worker.fetch('/')).status, 200);
    assert.equal((await worker.fetch('/', { method: 'POST' })).status, 403);
  }
});

test('a request that waits for keys while the engine is thrown away is decided by the next one', limit, async () => {
  const issuer = await new Issuer().listen();
  let release;
  issuer.answer = (response) => { release = () => response.end(issuer.keySet); };
  const settings = { keyRefresh: { waitMilliseconds: 1000 } };
  const worker = await started('gate', { bindings: { POLICY: policy([tokens({ jwksUri: `${issuer.url}/jwks` }), authenticated], settings) } });
  const waiting = worker.fetch('/', bearer(issuer.token()));
  while (release === undefined) await new Promise((resolve) => { setTimeout(resolve, 5); });
  await worker.fetch('/test/trap');
  issuer.answer = (response) => response.end(issuer.keySet);
  await unavailable(await worker.fetch('/'));
  release();
  const { status } = await waiting;
  assert.ok(status === 200 || status === 503, String(status));
  await worker.fetch('/test/ahead?ms=3000');
  assert.equal((await worker.fetch('/', bearer(issuer.token()))).status, 200);
  issuer.close();
});

test('bytes above ASCII are decided about', limit, async () => {
  const rule = allow([{ to: [{ operation: { methods: ['GET'] } }], when: [{ key: 'request.headers[x-note]', values: ['caf\u00e9'] }] }]);
  const worker = await started('gate', { bindings: { POLICY: policy([rule]) } });
  const { status } = await worker.fetch('/', { headers: { 'x-note': Buffer.from('caf\u00e9').toString('latin1') } });
  assert.equal(status, 200);
  assert.equal((await worker.fetch('/', { headers: { 'x-note': 'caf\u00ff' } })).status, 403);
});

test('Hono goes on with what may pass', limit, async () => {
  const issuer = await new Issuer().listen();
  const settings = { keyRefresh: { waitMilliseconds: 2000 } };
  const worker = await started('hono', { bindings: { POLICY: policy([tokens({ jwksUri: `${issuer.url}/jwks` }), authenticated], settings) } });
  assert.equal((await worker.fetch('/who')).status, 401);
  const forged = { headers: { ...bearer(issuer.token()).headers, 'x-lychgate-subject': 'mallory' } };
  assert.deepEqual(await (await worker.fetch('/who?x=1', forged)).json(), { who: 'alice', reason: 'allowed_by_rule', query: { x: '1' } });
  const posted = await worker.fetch('/post', { method: 'POST', body: 'x', ...bearer(issuer.token()) });
  assert.equal(await posted.text(), 'elsewhere');
  issuer.close();
});

test('nothing asks to pass requests through when something breaks', limit, () => {
  const texts = Object.entries(bundle('script')).filter(([name]) => name.endsWith('.js')).map(([, text]) => String(text));
  const package_ = readdirSync('node_modules/lychgate/dist', { recursive: true, withFileTypes: true });
  for (const file of package_) if (file.isFile()) texts.push(readFileSync(`${file.path}/${file.name}`, 'latin1'));
  assert.ok(texts.length > 10);
  for (const text of texts) assert.ok(!text.includes('passThroughOnException'));
});
