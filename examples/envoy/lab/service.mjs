// The services of the demo in Node: over mTLS and in plaintext, behind the middleware. The
// application answers with what it received.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { Guard } from 'lychgate';
import { middleware } from 'lychgate/node';

const { workloads, tls, keyServers } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const secrets = Object.fromEntries(Object.entries(tls).map(([name, file]) => [name, readFileSync(file)]));

const servers = (await Promise.all(workloads.map(start))).flat();
process.on('SIGTERM', () => servers.forEach((server) => { server.close(); server.closeAllConnections(); }));

async function start({ bundle, secure, plain }) {
  const guard = await Guard.load({ bundle, fetch: keys, audit: (record) => process.stderr.write(`${record}\n`) });
  const gate = middleware(guard);
  const handle = (request, response) => gate(request, response, () => application(request, response));
  return [
    https.createServer({ ...secrets, requestCert: true, rejectUnauthorized: false }, handle).listen(secure, '127.0.0.1'),
    http.createServer(handle).listen(plain, '127.0.0.1'),
  ];
}

/** The issuers of the demo are on this machine. */
function keys(url, options) {
  return fetch(`http://127.0.0.1:${keyServers[new URL(url).hostname]}/`, options);
}

function application({ method, url, rawHeaders }, response) {
  const headers = [];
  for (let index = 0; index < rawHeaders.length; index += 2) headers.push([rawHeaders[index].toLowerCase(), rawHeaders[index + 1]]);
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, path: url, headers }));
}
