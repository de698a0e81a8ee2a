// The package's own promises, on the installed tarball: errors, updates, keys over HTTP, faults,
// Fetch and node:http.
import assert from 'node:assert/strict';
import http from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { after, test } from 'node:test';

import { Guard, LychgateError, toResponse, toUpstream } from 'lychgate';
import { middleware } from 'lychgate/node';

import { allow, authenticated, authentication, JWKS, token, workload } from './issuer.mjs';

const get = allow([{ to: [{ operation: { methods: ['GET'] } }] }]);
const open = { workload, resources: [get] };

const servers = [];
after(() => servers.forEach((server) => { server.close(); server.closeAllConnections(); }));

async function listen(handler) {
  const server = http.createServer(handler);
  servers.push(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

/** An issuer whose answers the test chooses. */
async function issuer(answer) {
  const state = { answer, asked: 0 };
  const port = await listen((request, response) => {
    state.asked += 1;
    state.answer(response);
  });
  state.uri = `http://127.0.0.1:${port}/jwks`;
  return state;
}

/** The policy names an https URI; the test's fetch goes to the issuer on loopback instead. */
function guarded(state, options = {}) {
  return Guard.load({
    workload,
    resources: [authentication('https://issuer.example/jwks'), authenticated],
    settings: { keyRefresh: { timeoutMilliseconds: 1000, waitMilliseconds: 100, cooldownSeconds: 1, ...options.keyRefresh } },
    fetch: (_, parameters) => fetch(state.uri, parameters),
    ...options.guard,
  });
}

const withToken = (value) => new Request('http://api.example/x', { headers: { authorization: `Bearer ${value}` } });

test('ES module and CommonJS are one copy', () => {
  const require = createRequire(import.meta.url);
  assert.equal(require('lychgate').Guard, Guard);
  assert.equal(require('lychgate/node').middleware, middleware);
});

test('a request that a rule allows passes and another is refused', async () => {
  const guard = await Guard.load(open);
  const allowed = guard.decide({ method: 'GET', target: '/', authority: 'a.example', headers: [] });
  assert.deepEqual([allowed.verdict, allowed.reason, allowed.refuses], ['allow', 'allowed_by_rule', false]);
  assert.equal(allowed.revision, guard.revision);
  const denied = await guard.authorize(new Request('http://a.example/', { method: 'POST' }));
  assert.deepEqual([denied.verdict, denied.reason, denied.status], ['deny', 'no_rule_matched', 403]);
  const response = toResponse(denied);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  assert.equal((await response.json()).code, 'access_denied');
  assert.throws(() => toResponse(allowed), { code: 'not_refused' });
});

test('a policy that does not load throws its code and the place, and the last good one stays', async () => {
  const wrong = { workload, resources: [allow([{ to: [{ operation: { method: ['GET'] } }] }])] };
  const is = (error) => error instanceof LychgateError && error.code === 'shape' && error.pointer.startsWith('/resources/0/spec/rules/0');
  await assert.rejects(Guard.load(wrong), is);
  const guard = await Guard.load(open);
  const { revision } = guard;
  assert.throws(() => guard.update(wrong), is);
  assert.equal(guard.revision, revision);
  assert.equal(guard.decide({ method: 'GET', target: '/', headers: [] }).verdict, 'allow');
  guard.update({ workload, resources: [allow([{ to: [{ operation: { methods: ['PUT'] } }] }])] });
  assert.notEqual(guard.revision, revision);
  assert.equal(guard.decide({ method: 'GET', target: '/', headers: [] }).verdict, 'deny');
});

test('a verifier that is none is refused by name', async () => {
  for (const verifier of ['portable', {}, 7, null]) {
    await assert.rejects(Guard.load({ ...open, verifier }), (error) => error instanceof LychgateError && error.code === 'verifier');
  }
});

test('characters are bytes, and a request with one that is no byte is refused', async () => {
  const faults = [];
  const guard = await Guard.load({ ...open, onFault: (error) => faults.push(error) });
  const request = (value) => ({ method: 'GET', target: '/', headers: [['x', value]] });
  assert.equal(guard.decide(request('\u00ff')).verdict, 'allow');
  const { reason, status } = guard.decide(request('\u0100'));
  assert.deepEqual([reason, status], ['path_malformed', 400]);
  assert.equal((await guard.authorize({ ...request('x'), target: '/\u{1f511}' })).reason, 'path_malformed');
  assert.equal(guard.decide(request('x')).verdict, 'allow');
  assert.deepEqual(faults, []);
});

test('a part that is no string makes a request that is refused, and shifts nothing behind it', async () => {
  const rule = { to: [{ operation: { methods: ['GET'] } }], when: [{ key: 'request.headers[x-role]', values: ['admin'] }] };
  const guard = await Guard.load({ workload, resources: [allow([rule])] });
  const headers = [['x-pad', 'admin'], ['x-role', 'guest']];
  const request = { method: 'GET', target: '/', headers };
  assert.equal(guard.decide(request).reason, 'no_rule_matched');
  const connections = [false, 10, null, [''], ['a'], {}].flatMap((part) => [
    { sourceIp: part }, { remoteIp: part }, { destinationIp: part }, { serverName: part },
  ]).map((connection) => ({ ...request, connection }));
  const parts = [7, ['1admin'], [''], ['a'], {}, false, null].flatMap((part) => [
    { ...request, authority: part }, { ...request, target: part }, { ...request, method: part },
    { ...request, headers: [['x-pad', part], ...headers] }, { ...request, headers: [[part, 'admin'], ...headers] },
  ]);
  for (const odd of [...connections, ...parts]) assert.equal(guard.decide(odd).verdict, 'deny', JSON.stringify(odd));
  const shifting = [['x-a', ['1admin']], ['x-role', 'guest'], ...Array.from({ length: 5 }, () => ['x-b', ['']])];
  assert.equal(guard.decide({ ...request, headers: shifting }).reason, 'path_malformed');
  for (const connection of [undefined, null, {}]) {
    assert.equal(guard.decide({ ...request, connection, headers: [['x-role', 'admin']] }).verdict, 'allow');
  }
});

test('a peer that is nothing known is neither verified nor absent', async () => {
  const guard = await Guard.load(open);
  const request = { method: 'GET', target: '/', headers: [] };
  for (const peer of [undefined, null, { kind: 'absent' }]) assert.equal(guard.decide({ ...request, peer }).verdict, 'allow');
  for (const peer of [{}, { kind: 'verified' }, 'spiffe', 7, false, { kind: 'spiffe' }, { kind: 'certificate', der: 'abc' }]) {
    assert.equal(guard.decide({ ...request, peer }).reason, 'peer_malformed', JSON.stringify(peer));
  }
  assert.equal(guard.decide({ ...request, peer: { kind: 'certificate' } }).verdict, 'deny');
});

test('a character above ASCII is one byte, also where the request fills the buffer', async () => {
  const rule = { to: [{ operation: { methods: ['GET'] } }], when: [{ key: 'request.headers[x]', values: ['*end'] }] };
  const guard = await Guard.load({ workload, resources: [allow([rule])] });
  const request = (value) => ({ method: 'GET', target: '/', headers: [['x', value]] });
  for (const length of [1, 20_000, 100_000]) {
    assert.equal(guard.decide(request(`\u00e9${'a'.repeat(length)}end`)).verdict, 'allow');
    assert.equal(guard.decide(request(`\u00e9${'a'.repeat(length)}en`)).verdict, 'deny');
  }
});

test('a request that is larger than the buffer grows it, and one over the limit is refused', async () => {
  const guard = await Guard.load(open);
  const request = (bytes) => ({ method: 'GET', target: '/', headers: [['x', 'a'.repeat(bytes)]] });
  assert.equal(guard.decide(request(100_000)).verdict, 'allow');
  assert.equal(guard.decide(request(200_000)).reason, 'headers_too_large');
  assert.equal(guard.decide(request(10)).verdict, 'allow');
  const lines = { method: 'GET', target: '/', headers: Array.from({ length: 1025 }, () => ['a', 'b']) };
  assert.equal(guard.decide(lines).reason, 'headers_too_large');
});

test('each request has its own header names, however they follow each other', async () => {
  const rule = { to: [{ operation: { methods: ['GET'] } }], when: [{ key: 'request.headers[x-team]', values: ['blue'] }] };
  const guard = await Guard.load({ workload, resources: [allow([rule])] });
  const verdict = (...headers) => guard.decide({ method: 'GET', target: '/', headers }).verdict;
  const long = 'n'.repeat(10_000);
  for (let round = 0; round < 3; round += 1) {
    assert.equal(verdict(['x-team', 'blue']), 'allow');
    assert.equal(verdict(['x-team', 'blue']), 'allow');
    assert.equal(verdict(['x-tean', 'blue']), 'deny');
    assert.equal(verdict(['X-Team', 'blue'], ['y', 'z']), 'allow');
    assert.equal(verdict(['y', 'blue'], ['x-team', 'z']), 'deny');
    assert.equal(verdict(), 'deny');
    assert.equal(verdict([long, 'blue'], ['x-team', 'blue']), 'allow');
    assert.equal(verdict([`${long}x`, '-'], ['-team', 'blue']), 'deny');
    assert.equal(verdict(['\u0100', 'blue'], ['x-team', 'blue']), 'deny');
    assert.equal(verdict(['\u00e9', 'blue'], ['x-team', 'blue']), 'allow');
  }
});

test('keys are fetched once, and a token under them is accepted', async () => {
  const state = await issuer((response) => response.end(JWKS));
  const guard = await guarded(state);
  const value = token();
  const decisions = await Promise.all(Array.from({ length: 20 }, () => guard.authorize(withToken(value))));
  assert.deepEqual(new Set(decisions.map(({ reason }) => reason)), new Set(['allowed_by_rule']));
  assert.equal(state.asked, 1);
  const [decision] = decisions;
  const upstream = toUpstream(withToken(value), decision);
  assert.equal(upstream.headers.get('x-lychgate-subject'), 'alice');
  assert.equal((await guard.authorize(withToken(`${value.slice(0, -4)}AAAA`))).reason, 'signature_invalid');
  assert.equal((await guard.authorize(new Request('http://api.example/'))).reason, 'credential_missing');
});

test('an issuer that is down is a 503, asked once by many requests', async () => {
  const state = await issuer((response) => { response.statusCode = 500; response.end(); });
  const guard = await guarded(state);
  const decisions = await Promise.all(Array.from({ length: 20 }, () => guard.authorize(withToken(token()))));
  for (const { reason, status, reply } of decisions) {
    assert.deepEqual([reason, status], ['keys_unavailable', 503]);
    assert.ok(reply.headers.some(([name]) => name === 'retry-after'));
  }
  assert.equal(state.asked, 1);
});

test('garbage, a redirect, 10 MB and silence bring no keys, and say why', async () => {
  const answers = {
    json: (response) => response.end('<html>'),
    fetch_status: (response) => { response.writeHead(302, { location: '/elsewhere' }); response.end(); },
    fetch_too_large: (response) => response.end(Buffer.alloc(10 * 1024 * 1024, 32)),
    fetch_timeout: () => {},
  };
  for (const [expected, answer] of Object.entries(answers)) {
    const reports = [];
    const state = await issuer(answer);
    const guard = await guarded(state, { guard: { onFetch: (report) => reports.push(report) } });
    assert.equal(reports[0].outcome, 'kept', expected);
    if (expected !== 'json') assert.equal(reports[0].code, expected);
    assert.equal((await guard.authorize(withToken(token()))).reason, 'keys_unavailable', expected);
  }
});

test('a key that was added later is found by the token that needs it, after the cool-down', async () => {
  let now = Date.now();
  const state = await issuer((response) => response.end('{"keys":[]}'));
  state.answer = (response) => response.end(JWKS.replace('"k"', '"old"'));
  const guard = await guarded(state, { guard: { clock: () => now } });
  state.answer = (response) => response.end(JWKS);
  const value = token();
  const first = await guard.authorize(withToken(value));
  assert.equal(first.reason, 'allowed_by_rule');
  assert.equal(state.asked, 2);
  const unknown = token({ kid: 'never' });
  assert.equal((await guard.authorize(withToken(unknown))).reason, 'key_unknown');
  assert.equal(state.asked, 2, 'the cool-down holds');
  now += 2000;
  assert.equal((await guard.authorize(withToken(unknown))).reason, 'key_unknown');
  assert.equal(state.asked, 3);
});

test('keys outlive an update, and serve while their issuer is down', async () => {
  const state = await issuer((response) => response.end(JWKS));
  const guard = await guarded(state);
  state.answer = (response) => response.destroy();
  guard.update({
    workload,
    resources: [authentication('https://issuer.example/jwks'), authenticated],
    settings: { keyRefresh: { timeoutMilliseconds: 1000 }, realm: 'other' },
  });
  assert.equal((await guard.authorize(withToken(token()))).reason, 'allowed_by_rule');
});

test('a fault inside is a denial, and the next request is decided by a new engine', async () => {
  const faults = [];
  let broken = false;
  const clock = () => {
    if (broken) throw new WebAssembly.RuntimeError('unreachable');
    return Date.now();
  };
  const guard = await Guard.load({ ...open, clock, onFault: (error) => faults.push(error) });
  const other = await Guard.load(open);
  const request = { method: 'GET', target: '/', headers: [] };
  broken = true;
  for (const decision of [guard.decide(request), await guard.authorize(request)]) {
    assert.deepEqual([decision.verdict, decision.refuses, decision.status], ['deny', true, 503]);
    assert.equal(toResponse(decision).status, 503);
  }
  broken = false;
  assert.equal(faults.length, 2);
  assert.equal(guard.decide(request).verdict, 'allow');
  assert.equal(other.decide(request).verdict, 'allow');
  assert.equal(other.warnings.length, 0);
});

test('the middleware sees every line, refuses and hands on', async () => {
  const guard = await Guard.load({
    workload,
    resources: [get, { ...authentication('https://issuer.example/jwks') }],
    keys: { 'https://issuer.example/jwks': JSON.parse(JWKS) },
  });
  const handle = middleware(guard);
  const port = await listen((request, response) => handle(request, response, (error) => {
    response.end(error ? 'error' : JSON.stringify({ ...request.headers, lines: request.rawHeaders }));
  }));
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-lychgate-subject': 'mallory', authorization: `Bearer ${token()}` } });
  const seen = await answer.json();
  assert.equal(seen['x-lychgate-subject'], 'alice');
  assert.ok(!seen.lines.includes('mallory'));
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST' })).status, 403);
  const twice = await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token()}\r\nAuthorization: Bearer ${token()}\r\nConnection: close\r\n\r\n`);
  assert.match(twice, /^HTTP\/1\.1 401 /);
});

function raw(port, text) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => { answer += data; });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}
