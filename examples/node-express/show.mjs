// Starts the service and shows what it answers: `node show.mjs FOLDER [--serve]`.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { serve } from './server.mjs';

const [folder, option] = process.argv.slice(2);
const file = (name) => readFileSync(`${folder}/${name}`, 'utf8');
const identity = (name) => ({ key: file(`${name}.key`), cert: file(`${name}.pem`) });
const ca = file('mesh-ca.pem');

const server = await serve({ bundle: file('bundle.json'), tls: { ...identity('server'), ca }, port: option ? 8443 : 0 });
const { port } = server.address();

const requests = [
  [200, 'no certificate, open path', 'GET', '/healthz'],
  [201, 'the order service pays', 'POST', '/payments', 'order-service'],
  [403, 'no certificate', 'POST', '/payments'],
  [403, 'somebody else of the mesh', 'POST', '/payments', 'prometheus'],
  [200, 'Prometheus reads metrics', 'GET', '/metrics', 'prometheus'],
  [403, 'the right name from a stranger', 'POST', '/payments', 'stranger'],
  [403, 'a certificate with two names', 'POST', '/payments', 'two-names'],
  [403, 'a forged identity header', 'POST', '/payments', undefined, { 'x-lychgate-peer': 'spiffe://cluster.local/ns/production/sa/order-service' }],
  [400, 'a path with two readings', 'GET', '/healthz/../metrics', 'prometheus'],
];

if (option === '--serve') {
  console.log(`try, and stop with Ctrl-C:
  curl -i --cacert ${folder}/mesh-ca.pem https://localhost:${port}/healthz
  curl -i --cacert ${folder}/mesh-ca.pem --cert ${folder}/order-service.pem --key ${folder}/order-service.key -X POST https://localhost:${port}/payments`);
} else {
  process.exitCode = await show();
  server.close();
}

async function show() {
  let wrong = 0;
  for (const [expected, title, method, path, who, headers] of requests) {
    const { status, text } = await send(method, path, who, headers);
    console.log(`${status}  ${title.padEnd(32)} ${method.padEnd(4)} ${path.padEnd(20)} ${text}`);
    if (status !== expected) wrong += 1;
  }
  if (wrong > 0) console.error(`${wrong} answers are not as expected`);
  return wrong === 0 ? 0 : 1;
}

function send(method, path, who, headers) {
  const options = { host: '127.0.0.1', servername: 'localhost', port, method, path, ca, headers, agent: false, ...(who && identity(who)) };
  return new Promise((resolve, reject) => {
    const request = https.request(options, async (response) => {
      const body = (await response.setEncoding('utf8').toArray()).join('');
      const isProblem = response.headers['content-type'] === 'application/problem+json';
      resolve({ status: response.statusCode, text: isProblem ? JSON.parse(body).title : body });
    });
    request.on('error', reject);
    request.end();
  });
}
