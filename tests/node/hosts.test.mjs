// The package behind Node's own servers: certificates, HTTP/2, Express, Fastify and upgrades.
// CERTIFICATES is a folder that tests/node/run has filled with the command `lychgate svid`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { connect } from 'node:net';
import { after, test } from 'node:test';

import express from 'express';
import fastify from 'fastify';
import { Guard } from 'lychgate';
import { describe, fastifyPlugin, middleware, peerOf, upgrade } from 'lychgate/node';

import { authenticated, authentication, JWKS, allow, token, workload } from './issuer.mjs';

const file = (name) => readFileSync(`${process.env.CERTIFICATES}/${name}`, 'utf8');
const identity = (name) => ({ key: file(`${name}.key`), cert: file(`${name}.pem`) });
const ca = file('mesh-ca.pem');
const tls = { ...identity('server'), ca, requestCert: true, rejectUnauthorized: false };

const ORDERS = 'spiffe://cluster.local/ns/production/sa/order-service';
const GATEWAY = 'spiffe://cluster.local/ns/production/sa/gateway';
const forOrders = allow([{ from: [{ source: { principals: [ORDERS.slice('spiffe://'.length)] } }] }]);

const servers = [];
after(() => servers.forEach((server) => server.close()));

async function listen(server) {
  servers.push({ close: () => { server.close(); server.closeAllConnections?.(); } });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

/** A handler behind a guard, which answers what the application sees. */
function behind(guard, options) {
  const handle = middleware(guard, options);
  return (request, response) => handle(request, response, () => {
    response.end(JSON.stringify({ headers: request.headers, raw: request.rawHeaders, reason: request.lychgate.reason }));
  });
}

function get(port, { who, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', servername: 'localhost', port, ca, agent: false, ...(who && identity(who)), ...options }, async (response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('');
      resolve({ status: response.statusCode, headers: response.headers, body: JSON.parse(text) });
    });
    request.on('error', reject);
    request.end();
  });
}

test('the peer is who Node has verified, and nobody else', async () => {
  const decisions = [];
  const guard = await Guard.load({ workload, resources: [forOrders], audit: (_, { reason }) => decisions.push(reason) });
  const port = await listen(https.createServer(tls, behind(guard)));
  const good = await get(port, { who: 'order-service' });
  assert.equal(good.status, 200);
  assert.equal(good.body.headers['x-lychgate-peer'], ORDERS);
  for (const who of [undefined, 'gateway', 'stranger', 'two-names']) {
    assert.equal((await get(port, { who })).status, 403, who);
  }
  assert.deepEqual(decisions.slice(1), ['no_rule_matched', 'no_rule_matched', 'peer_malformed', 'peer_malformed']);
});

test('a forwarded certificate counts only behind a hop that is trusted and verified', async () => {
  const guard = await Guard.load({
    workload,
    resources: [forOrders],
    settings: { trustedHops: [{ spiffeId: GATEWAY, header: 'x-forwarded-client-cert' }] },
  });
  const port = await listen(https.createServer(tls, behind(guard)));
  const headers = { 'x-forwarded-client-cert': `By=${GATEWAY};Hash=${'0'.repeat(64)};URI=${ORDERS}` };
  assert.equal((await get(port, { who: 'gateway', headers })).body.headers['x-lychgate-peer'], ORDERS);
  assert.equal((await get(port, { who: 'gateway' })).status, 403);
  assert.equal((await get(port, { headers })).status, 403);
  assert.equal((await get(port, { who: 'stranger', headers })).status, 403);
});

test('HTTP/2 has the same peer, authority and lines', async () => {
  const guard = await Guard.load({ workload, resources: [forOrders] });
  const port = await listen(http2.createSecureServer(tls, behind(guard)));
  const ask = async (who, headers = {}) => {
    const session = http2.connect(`https://localhost:${port}`, { ca, lookup: (_, options, done) => done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4), ...(who && identity(who)) });
    const stream = session.request({ ':path': '/', ...headers });
    const status = await new Promise((resolve, reject) => {
      stream.on('response', (answer) => resolve(answer[':status']));
      session.on('error', reject);
    });
    const text = (await stream.setEncoding('utf8').toArray()).join('');
    session.close();
    return { status, body: JSON.parse(text) };
  };
  const good = await ask('order-service', { 'x-lychgate-peer': 'spiffe://cluster.local/ns/x/sa/forged' });
  assert.equal(good.status, 200);
  assert.equal(good.body.headers['x-lychgate-peer'], ORDERS);
  assert.equal(good.body.headers[':path'], '/');
  assert.ok(good.body.raw.includes(':path') && !good.body.raw.join().includes('forged'));
  assert.equal((await ask('stranger')).status, 403);
  assert.equal((await ask()).status, 403);
});

test('a certificate that Node did not verify, or can not tell any more, is a peer that is refused', () => {
  const certificate = { raw: new Uint8Array([1]) };
  const socket = (more) => ({ getPeerX509Certificate: () => certificate, authorized: true, authorizationError: null, ...more });
  assert.equal(peerOf(socket()).kind, 'certificate');
  assert.equal(peerOf(socket({ authorized: false })).kind, 'unverified');
  assert.equal(peerOf(socket({ authorizationError: 'CERT_HAS_EXPIRED' })).kind, 'unverified');
  const none = { getPeerX509Certificate: () => undefined };
  assert.equal(peerOf(socket(none)).kind, 'absent');
  assert.equal(peerOf(socket({ ...none, destroyed: true })).kind, 'unverified');
  assert.equal(peerOf({}).kind, 'absent');
});

test('the client is the physical peer unless the application says otherwise', () => {
  const request = { method: 'GET', url: '/', rawHeaders: [], headers: {}, socket: { remoteAddress: '::ffff:10.0.0.1' } };
  assert.equal(describe(request).connection.sourceIp, '10.0.0.1');
  assert.equal(describe(request).connection.remoteIp, '10.0.0.1');
  const { connection } = describe(request, { remoteIp: () => '192.0.2.1' });
  assert.deepEqual([connection.sourceIp, connection.remoteIp], ['10.0.0.1', '192.0.2.1']);
});

const withTokens = () => Guard.load({
  workload,
  resources: [authentication('https://issuer.example/jwks'), authenticated],
  keys: { 'https://issuer.example/jwks': JSON.parse(JWKS) },
});

test('Express sees neither a token in its query nor forged headers, also below a router', async () => {
  const app = express();
  app.set('query parser', 'simple');
  const router = express.Router();
  router.use(middleware(await withTokens()));
  router.get('/items', (request, response) => response.json({
    query: request.query, url: request.originalUrl, subject: request.get('x-lychgate-subject'),
  }));
  app.use('/api', router);
  const port = await listen(http.createServer(app));
  const headers = { 'x-lychgate-subject': 'mallory' };
  const answer = await fetch(`http://127.0.0.1:${port}/api/items?a=1&access_token=${token()}`, { headers });
  assert.deepEqual(await answer.json(), { query: { a: '1' }, url: '/api/items?a=1', subject: 'alice' });
  assert.equal((await fetch(`http://127.0.0.1:${port}/api/items?a=1`)).status, 401);
});

test('Fastify decides before its own work, for unknown routes too', async () => {
  const app = fastify();
  app.get('/early', () => 'early');
  await app.register(fastifyPlugin, { guard: await withTokens() });
  app.get('/items', (request) => ({
    query: request.query, url: request.url, subject: request.headers['x-lychgate-subject'], reason: request.lychgate.reason,
  }));
  servers.push(app);
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  const refused = await fetch(`${origin}/items`);
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('content-type'), 'application/problem+json');
  assert.match(refused.headers.get('www-authenticate'), /^Bearer realm=/);
  assert.equal((await refused.json()).code, 'credential_required');
  assert.equal((await fetch(`${origin}/nothing`)).status, 401);
  assert.equal((await fetch(`${origin}/early`)).status, 401);
  const answer = await fetch(`${origin}/items?a=1&access_token=${token()}`, { headers: { 'x-lychgate-subject': 'mallory' } });
  assert.deepEqual(await answer.json(), { query: { a: '1' }, url: '/items?a=1', subject: 'alice', reason: 'allowed_by_rule' });
  assert.equal((await fetch(`${origin}/nothing`, { headers: { authorization: `Bearer ${token()}` } })).status, 404);
});

test('an upgrade is decided about like a request', async () => {
  const server = http.createServer();
  const guard = await withTokens();
  server.on('upgrade', upgrade(guard, (request, socket) => {
    socket.end(`HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nsubject: ${request.headers['x-lychgate-subject']}\r\n\r\n`);
  }));
  const port = await listen(server);
  const ask = (line) => raw(port, `GET /socket HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n${line}\r\n`);
  assert.match(await ask(''), /^HTTP\/1\.1 401 Unauthorized\r\n[^]*\r\n\r\n\{.*"credential_required".*\}$/);
  assert.match(await ask(`Authorization: Bearer ${token()}\r\n`), /^HTTP\/1\.1 101 [^]*subject: alice/);
});

test('a fault inside is a 503, and the application never sees the request', async () => {
  let broken = false;
  const clock = () => {
    if (broken) throw new WebAssembly.RuntimeError('unreachable');
    return Date.now();
  };
  const guard = await Guard.load({ workload, resources: [allow([{}])], clock });
  const port = await listen(http.createServer(behind(guard)));
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).status;
  assert.equal(await ask(), 200);
  broken = true;
  assert.equal(await ask(), 503);
  broken = false;
  assert.equal(await ask(), 200);
  const badOption = await listen(http.createServer(behind(guard, { remoteIp: () => { throw new Error('no'); } })));
  assert.equal((await fetch(`http://127.0.0.1:${badOption}/`)).status, 503);
});

function raw(port, text) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => { answer += data; });
    socket.on('end', () => { socket.end(); resolve(answer); });
    socket.on('error', reject);
  });
}
