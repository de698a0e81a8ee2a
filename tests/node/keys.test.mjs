// Key sets over HTTP, from issuers that are slow, down, wrong or hostile: what callers get, and what
// is asked of whom.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { Guard } from 'lychgate';
import { ISSUER, JWKS, allow, authenticated, token, workload } from './issuer.mjs';

const OTHER = 'https://other.example';
const servers = [];
after(() => servers.forEach((server) => { server.close(); server.closeAllConnections(); }));

/** A server whose answers the test chooses; by default the keys. */
async function serve(answer = (response) => response.end(JWKS)) {
  const state = { answer, asked: [] };
  const server = http.createServer((request, response) => {
    state.asked.push(request.url);
    state.answer(response, request);
  });
  servers.push(server);
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  state.origin = `http://127.0.0.1:${server.address().port}`;
  return state;
}

const tokens = (...jwtRules) => ({
  apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication', metadata: { name: 'tokens', namespace: 'production' }, spec: { jwtRules },
});

/** Addresses of the policy's issuers lead to the servers on loopback. */
function through(origins) {
  return (uri, parameters) => {
    const [name, state] = Object.entries(origins).find(([origin]) => uri.startsWith(origin)) ?? [];
    if (state === undefined) throw new Error(`nothing may be fetched from ${uri}`);
    return fetch(uri.replace(name, state.origin), parameters);
  };
}

async function guarded(origins, { rules = [{ issuer: ISSUER, jwksUri: `${ISSUER}/jwks` }], settings = {}, ...options } = {}) {
  const reports = [];
  const guard = await Guard.load({
    workload,
    resources: [tokens(...rules), authenticated],
    settings,
    fetch: through(origins),
    onFetch: (report) => reports.push(report),
    onFault: (error) => { throw error; },
    ...options,
  });
  return { guard, reports };
}

const bearer = (value) => ({ method: 'GET', target: '/', authority: 'a.example', headers: [['authorization', `Bearer ${value}`]] });
const reason = async (guard, value) => (await guard.authorize(bearer(value))).reason;

test('10,000 concurrent requests with an unknown key cause one fetch', async () => {
  const state = await serve();
  const { guard } = await guarded({ [ISSUER]: state }, { settings: { keyRefresh: { waitMilliseconds: 5000 } } });
  state.answer = (response) => setTimeout(() => response.end(JWKS), 150);
  const unknown = token({ kid: 'unknown' });
  const reasons = await Promise.all(Array.from({ length: 10_000 }, () => reason(guard, unknown)));
  assert.deepEqual(new Set(reasons), new Set(['key_unknown']));
  assert.equal(state.asked.length, 2, 'the first fetch, and one for all of these');
});

test('of many requests that need keys only so many wait; the others are answered at once', async () => {
  const state = await serve((response) => setTimeout(() => response.end(JWKS), 100));
  const { guard } = await guarded({ [ISSUER]: state }, { settings: { keyRefresh: { waitMilliseconds: 5000 } } });
  let release;
  state.answer = (response) => { release = () => response.end(JWKS); };
  const unknown = token({ kid: 'unknown' });
  let answered = 0;
  const all = Array.from({ length: 6000 }, () => reason(guard, unknown).then(() => { answered += 1; }));
  while (release === undefined) await new Promise((resolve) => { setTimeout(resolve, 5); });
  assert.equal(answered, 6000 - 4096);
  release();
  await Promise.all(all);
  assert.equal(state.asked.length, 2);
});

test('keys serve while their issuer is down, up to the limit; then it is a 503', async () => {
  let now = Date.now();
  const state = await serve();
  const settings = { keyRefresh: { maxStaleSeconds: 3600, waitMilliseconds: 50 } };
  const { guard, reports } = await guarded({ [ISSUER]: state }, { settings, clock: () => now });
  const value = token({ exp: Math.floor(now / 1000) + 86_400 });
  state.answer = (response) => response.destroy();
  const started = now;
  for (const minutes of [10, 20, 40]) {
    now = started + minutes * 60_000;
    assert.equal(await reason(guard, value), 'allowed_by_rule', `${minutes} minutes`);
  }
  now = started + 61 * 60_000;
  const { reason: why, status, reply } = await guard.authorize(bearer(value));
  assert.deepEqual([why, status], ['keys_unavailable', 503]);
  assert.ok(reply.headers.some(([name]) => name === 'retry-after'));
  assert.ok(reports.slice(1).every(({ code }) => code === 'fetch_connection'));
  state.answer = (response) => response.end(JWKS);
  now += 120_000;
  assert.equal(await reason(guard, value), 'allowed_by_rule');
});

test('a redirect is not followed, wherever it leads', async () => {
  const inside = await serve();
  for (const status of [301, 302, 303, 307, 308]) {
    const state = await serve((response) => { response.writeHead(status, { location: `${inside.origin}/latest/meta-data` }); response.end(); });
    const { guard, reports } = await guarded({ [ISSUER]: state });
    assert.equal(reports[0].code, 'fetch_status');
    assert.equal(await reason(guard, token()), 'keys_unavailable');
  }
  assert.deepEqual(inside.asked, []);
});

test('5 MB, a bomb, HTML, silence and half an answer are bounded, and slow no other issuer', async () => {
  const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, 32));
  const answers = {
    fetch_too_large: [
      (response) => response.end(Buffer.alloc(5 * 1024 * 1024, 32)),
      (response) => { response.writeHead(200, { 'content-encoding': 'gzip' }); response.end(bomb); },
      (response) => { const more = () => { while (!response.destroyed && response.write(' '.repeat(16_384))); response.once('drain', more); }; more(); },
    ],
    key_set_json: [(response) => { response.writeHead(200, { 'content-type': 'text/html' }); response.end('<html></html>'); }],
    fetch_timeout: [() => {}, (response) => response.write('{"keys":'), (response) => { response.write('{'); setInterval(() => response.write(' '), 50).unref(); }],
  };
  for (const [code, hostile] of Object.entries(answers)) {
    for (const answer of hostile) {
      const state = await serve(answer);
      const other = await serve();
      const rules = [{ issuer: ISSUER, jwksUri: `${ISSUER}/jwks` }, { issuer: OTHER, jwksUri: `${OTHER}/jwks` }];
      const settings = { keyRefresh: { timeoutMilliseconds: 400, waitMilliseconds: 200 } };
      const origins = { [ISSUER]: state, [OTHER]: other };
      const reports = [];
      const guard = Guard.start({
        workload, resources: [tokens(...rules), authenticated], settings, fetch: through(origins), onFetch: (report) => reports.push(report),
      });
      const memory = process.memoryUsage().arrayBuffers;
      const began = performance.now();
      const [hurt, unhurt] = await Promise.all([
        guard.authorize(bearer(token())),
        guard.authorize(bearer(token({ iss: OTHER }))).then((decision) => ({ ...decision, after: performance.now() - began })),
      ]);
      assert.deepEqual([hurt.reason, unhurt.reason], ['keys_unavailable', 'allowed_by_rule'], code);
      assert.ok(unhurt.after < 190, `${code}: the other issuer answered after ${unhurt.after} ms`);
      for (let round = 0; round < 100 && reports.length < 2; round += 1) await new Promise((resolve) => { setTimeout(resolve, 20); });
      assert.equal(reports.find(({ uri }) => uri.startsWith(ISSUER)).code, code);
      assert.ok(process.memoryUsage().arrayBuffers - memory < 32 * 1024 * 1024, code);
      // In its back-off it is not asked again, and requests are answered at once.
      const again = performance.now();
      assert.equal(await reason(guard, token()), 'keys_unavailable');
      assert.ok(performance.now() - again < 100);
      assert.equal(state.asked.length, 1);
    }
  }
});

test('Cache-Control brings the next fetch forward, to the cool-down at the earliest', async () => {
  for (const [header, soon, late] of [['max-age=60', 50, 61], ['public, max-age=0', 26, 31], ['max-age=86400', 260, 301], ['no-cache', 260, 301]]) {
    let now = Date.now();
    const state = await serve((response) => { response.setHeader('cache-control', header); response.end(JWKS); });
    const { guard } = await guarded({ [ISSUER]: state }, { clock: () => now });
    now += soon * 1000;
    await guard.authorize(bearer(token()));
    assert.equal(state.asked.length, 1, `${header} after ${soon} s`);
    now += (late - soon) * 1000;
    await guard.authorize(bearer(token()), { waitUntil: () => {} });
    for (let round = 0; round < 50 && state.asked.length < 2; round += 1) await new Promise((resolve) => { setTimeout(resolve, 10); });
    assert.equal(state.asked.length, 2, `${header} after ${late} s`);
  }
});

test('an issuer is discovered where settings say so', async () => {
  const keys = await serve();
  const metadata = { issuer: ISSUER, jwks_uri: 'https://keys.example/v1' };
  const state = await serve((response) => response.end(JSON.stringify(metadata)));
  const origins = { [ISSUER]: state, 'https://keys.example': keys };
  const { guard, reports } = await guarded(origins, { rules: [{ issuer: ISSUER }], settings: { discovery: [ISSUER] } });
  assert.deepEqual([state.asked, keys.asked], [['/.well-known/openid-configuration'], ['/v1']]);
  assert.deepEqual(reports, [{ outcome: 'updated', keys: 1, skipped: 0, uri: `${ISSUER}/.well-known/openid-configuration` }]);
  assert.equal(await reason(guard, token()), 'allowed_by_rule');
});

test('metadata of another issuer, or that lead to where only we can go, lead nowhere', async () => {
  for (const [metadata, code] of [
    [{ issuer: OTHER, jwks_uri: `${ISSUER}/jwks` }, 'metadata_issuer'],
    [{ issuer: ISSUER }, 'metadata_malformed'],
    [{ issuer: ISSUER, jwks_uri: 'http://keys.example/v1' }, 'metadata_jwks_uri'],
    [{ issuer: ISSUER, jwks_uri: 'https://169.254.169.254/latest' }, 'metadata_jwks_uri'],
    [{ issuer: ISSUER, jwks_uri: 'https://localhost/keys' }, 'metadata_jwks_uri'],
    ['<html>', 'metadata_json'],
  ]) {
    const state = await serve((response) => response.end(typeof metadata === 'string' ? metadata : JSON.stringify(metadata)));
    const { guard, reports } = await guarded({ [ISSUER]: state }, { rules: [{ issuer: ISSUER }], settings: { discovery: [ISSUER] } });
    assert.deepEqual(reports.map((report) => [report.outcome, report.code]), [['kept', code]]);
    assert.equal(state.asked.length, 1);
    assert.equal(await reason(guard, token()), 'keys_unavailable');
  }
});

test('both fetches of a discovery have the time of one', async () => {
  const keys = await serve(() => {});
  const state = await serve((response) => setTimeout(() => response.end(JSON.stringify({ issuer: ISSUER, jwks_uri: 'https://keys.example/v1' })), 250));
  const began = performance.now();
  const settings = { discovery: [ISSUER], keyRefresh: { timeoutMilliseconds: 400 } };
  const { reports } = await guarded({ [ISSUER]: state, 'https://keys.example': keys }, { rules: [{ issuer: ISSUER }], settings });
  assert.equal(reports[0].code, 'fetch_timeout');
  assert.ok(performance.now() - began < 600);
});

test('without settings nothing is discovered', async () => {
  await assert.rejects(Guard.load({ workload, resources: [tokens({ issuer: ISSUER }), allow([{}])], fetch: () => assert.fail('asked') }), { pointer: '/resources/0/spec/jwtRules/0' });
});
