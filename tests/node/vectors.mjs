// Every vector through the installed package: as an ES module and as CommonJS, with Node's crypto
// and with WebAssembly's. Prints a count for each and every difference; any ends the run with 1.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { topics } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const forms = {
  'ES module, host crypto': [await import('lychgate'), {}],
  'ES module, portable crypto': [await import('lychgate'), { verifier: 'portable' }],
  'CommonJS, host crypto': [createRequire(import.meta.url)('lychgate'), {}],
};

let wrong = 0;
for (const [name, [module, options]] of Object.entries(forms)) {
  const { total, differences, lacking, milliseconds } = await runAll(module, options);
  for (const difference of differences) console.error(difference);
  console.log(`${name}: ${total} vectors, ${differences.length} wrong, ${lacking} not carried, ${milliseconds} ms`);
  wrong += differences.length;
}
process.exitCode = wrong === 0 ? 0 : 1;

async function runAll(module, options) {
  const began = performance.now();
  const differences = [];
  let total = 0;
  let lacking = 0;
  for (const topic of topics) {
    const subjects = new Map();
    for (const vector of topic.vectors) {
      // Metadata of earlier filters is Envoy's alone.
      if (vector.request.has_metadata) {
        lacking += 1;
        continue;
      }
      total += 1;
      const found = await run(module, options, topic, vector, subjects);
      if (found.length > 0) differences.push(`${topic.name}: ${vector.name}\n    ${found.join('\n    ')}`);
    }
  }
  return { total, differences, lacking, milliseconds: Math.round(performance.now() - began) };
}

async function run({ Guard }, options, topic, vector, subjects) {
  const name = `${vector.bundle} ${vector.now} ${vector.broken_verifier}`;
  if (!subjects.has(name)) subjects.set(name, await subject(Guard, options, topic, vector));
  const { guard, records } = subjects.get(name);
  const request = described(vector.request);
  const decision = guard.decide(request);
  const record = JSON.parse(records.at(-1));
  const again = await guard.authorize(request);
  const found = differences(vector, request, decision, record);
  if (again.reason !== decision.reason) found.push(`authorize() says ${again.reason}, decide() ${decision.reason}`);
  return found;
}

async function subject(Guard, options, topic, vector) {
  const served = Object.entries(topic.remote_keys[vector.bundle] ?? {});
  const records = [];
  const guard = await Guard.load({
    bundle: topic.bundles[vector.bundle],
    keys: Object.fromEntries(served.map(([uri, set]) => [uri, JSON.parse(set)])),
    fetch: false,
    clock: () => vector.now * 1000,
    audit: (record) => records.push(record),
    ...options,
    // Only a verifier of the host's can be broken.
    ...(vector.broken_verifier ? { verifier: () => undefined } : {}),
    onFault: (error) => console.error(error),
  });
  return { guard, records };
}

function described(request) {
  const peer = request.peer?.der ? { kind: 'certificate', der: Buffer.from(request.peer.der, 'base64') }
    : { kind: request.peer ?? 'absent' };
  return {
    method: bytes(request.method),
    target: bytes(request.target),
    authority: request.authority === null ? undefined : bytes(request.authority),
    headers: request.headers.map(([name, value]) => [bytes(name), bytes(value)]),
    peer,
    connection: {
      sourceIp: request.source_ip ?? undefined,
      remoteIp: request.remote_ip ?? undefined,
      destinationIp: request.destination_ip ?? undefined,
      destinationPort: request.destination_port ?? undefined,
      serverName: request.server_name ?? undefined,
    },
  };
}

function bytes(base64) {
  return Buffer.from(base64, 'base64').toString('latin1');
}

function differences({ expect }, request, decision, record) {
  const found = [];
  const compare = (what, expected, got) => {
    if (expected !== got) found.push(`${what}: expected ${expected}, got ${got}`);
  };
  for (const member of ['verdict', 'reason', 'status']) {
    compare(member, expect[member], decision[member]);
    compare(`${member} of the record`, expect[member], record[member]);
  }
  if (expect.policy) compare('policy', expect.policy, record.policy);
  if (expect.challenge) {
    const headers = new Map(decision.reply?.headers);
    compare('challenge', expect.challenge, headers.get('www-authenticate'));
  }
  if (expect.upstream) compareUpstream(compare, expect.upstream, request, decision.changes);
  return found;
}

function compareUpstream(compare, expect, request, changes) {
  const is = (name) => ([other]) => other.toLowerCase() === name.toLowerCase();
  const received = request.headers.filter(([name]) => !changes.remove.some((gone) => is(gone)([name]))).concat(changes.set);
  const values = (headers, name) => JSON.stringify(headers.filter(is(name)).map(([, value]) => value));
  for (const [name, value] of Object.entries(expect.present)) compare(name, JSON.stringify([value]), values(received, name));
  for (const name of expect.absent) compare(name, '[]', values(received, name));
  for (const name of expect.unchanged) compare(name, values(request.headers, name), values(received, name));
  if (expect.path) compare('path', expect.path, changes.target ?? request.target);
}
