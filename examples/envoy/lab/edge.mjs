// Stands in for Cloudflare's edge: terminates TLS, checks a client's certificate without refusing
// the connection, and hands the request with its findings to the Worker in workerd.
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { dirname } from 'node:path';
import { Headers, Miniflare, fetch } from 'miniflare';

const path = process.argv[2];
const { workloads, tls, keyServers } = JSON.parse(readFileSync(path, 'utf8'));
const built = `${dirname(path)}/built`;
const modules = readdirSync(built).filter((name) => /\.(js|wasm)$/.test(name)).sort((a) => (a.endsWith('.js') ? -1 : 1)).map((name) => ({
  type: name.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule', path: name, contents: readFileSync(`${built}/${name}`),
}));
// Whoever knows it may say under which host a request came; miniflare puts its own in otherwise.
const secret = randomUUID();
const secrets = Object.fromEntries(Object.entries(tls).map(([name, file]) => [name, readFileSync(file)]));

const running = await Promise.all(workloads.map(start));
process.on('SIGTERM', async () => {
  await Promise.all(running.map((stop) => stop()));
  process.exit();
});

async function start({ name, bundle, secure, plain }) {
  const miniflare = new Miniflare({
    name, modules, compatibilityDate: '2026-04-01', host: '127.0.0.1', port: 0, cf: false,
    bindings: { POLICY: bundle }, unsafeProxySharedSecret: secret,
    outboundService: ({ url }) => fetch(`http://127.0.0.1:${keyServers[new URL(url).hostname]}/`),
    // The console, where the audit records are.
    handleRuntimeStdio: (stdout, stderr) => { stdout.pipe(process.stderr); stderr.pipe(process.stderr); },
  });
  await miniflare.ready;
  const handle = (request, response) => pass(miniflare, request, response).catch((error) => response.destroy(error));
  const servers = [
    https.createServer({ ...secrets, requestCert: true, rejectUnauthorized: false }, handle).listen(secure, '127.0.0.1'),
    http.createServer(handle).listen(plain, '127.0.0.1'),
  ];
  return () => {
    servers.forEach((server) => { server.close(); server.closeAllConnections(); });
    return miniflare.dispose();
  };
}

async function pass(miniflare, request, response) {
  const headers = new Headers({ 'MF-Proxy-Shared-Secret': secret });
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name, value] = request.rawHeaders.slice(index, index + 2);
    if (!/^(connection|content-length)$/i.test(name)) headers.append(name, value);
  }
  const url = `http://${request.headers.host}${request.url}`;
  const cf = { tlsClientAuth: clientCertificate(request.socket) };
  const answer = await miniflare.dispatchFetch(url, { method: request.method, headers, cf, redirect: 'manual' });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
}

/** As Cloudflare describes it. */
function clientCertificate(socket) {
  const certificate = socket.getPeerX509Certificate?.();
  if (certificate === undefined) return { certPresented: '0', certVerified: 'NONE', certRevoked: '0', certRFC9440: '' };
  const verified = socket.authorized ? 'SUCCESS' : `FAILED:${socket.authorizationError}`;
  return { certPresented: '1', certVerified: verified, certRevoked: '0', certRFC9440: `:${certificate.raw.toString('base64')}:` };
}
