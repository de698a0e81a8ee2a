// Starts an issuer and the service, and shows what the service answers: `node show.mjs FOLDER [--serve]`.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { serve } from './server.mjs';

const [folder, option] = process.argv.slice(2);
const file = (name) => readFileSync(`${folder}/${name}`, 'utf8').trim();

// The policy names the issuer by https; here it is a server on loopback.
const issuer = http.createServer((request, response) => response.end(file('jwks.json')));
await new Promise((resolve) => issuer.listen(0, '127.0.0.1', resolve));
const toIssuer = (_, options) => fetch(`http://127.0.0.1:${issuer.address().port}/jwks.json`, options);

const app = await serve({ bundle: file('bundle.json'), fetch: toIssuer, port: option ? 8080 : 0 });
const origin = `http://127.0.0.1:${app.server.address().port}`;
const [reader, writer, other] = ['reader', 'writer', 'other-audience'].map((name) => file(`${name}.jwt`));
const bearer = (token, more) => ({ authorization: `Bearer ${token}`, ...more });

const requests = [
  [200, 'open path, no token', 'GET', '/healthz'],
  [401, 'no token', 'GET', '/items'],
  [200, 'good token', 'GET', '/items', bearer(reader)],
  [200, 'good token in the query', 'GET', `/items?page=1&access_token=${reader}`],
  [401, 'two tokens', 'GET', `/items?access_token=${reader}`, bearer(reader)],
  [401, 'a forged signature', 'GET', '/items', bearer(`${reader.slice(0, -8)}AAAAAAAA`)],
  [403, 'a token for somebody else', 'GET', '/items', bearer(other)],
  [403, 'the scope items:write is missing', 'POST', '/items', bearer(reader)],
  [201, 'a token that may write', 'POST', '/items', bearer(writer)],
  [200, 'forged identity headers', 'GET', '/items', bearer(reader, { 'x-lychgate-subject': 'root', 'x-tenant': 'other' })],
  [403, 'an unknown path', 'GET', '/nothing', bearer(reader)],
];

if (option === '--serve') {
  console.log(`try, and stop with Ctrl-C:\n  curl -i ${origin}/items\n  curl -i -H 'authorization: Bearer ${reader}' ${origin}/items`);
} else {
  process.exitCode = await show();
  await app.close();
  issuer.close();
}

async function show() {
  let wrong = 0;
  for (const [expected, title, method, path, headers = {}] of requests) {
    const response = await fetch(origin + path, { method, headers });
    const text = await response.text();
    const isProblem = response.headers.get('content-type') === 'application/problem+json';
    const shown = path.replace(/access_token=.*/, 'access_token=..');
    console.log(`${response.status}  ${title.padEnd(34)} ${method.padEnd(4)} ${shown.padEnd(30)} ${isProblem ? JSON.parse(text).title : text}`);
    const leaks = text.includes(reader) || text.includes('root');
    if (response.status !== expected || leaks) wrong += 1;
  }
  if (wrong > 0) console.error(`${wrong} answers are not as expected`);
  return wrong === 0 ? 0 : 1;
}
