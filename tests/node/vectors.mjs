// Every vector through the installed package: as an ES module and as CommonJS, with Node's crypto
// and with WebAssembly's. Prints a count for each and every difference; any ends the run with 1.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { portable } from 'lychgate/portable';

import { described, differences } from './vector.mjs';

const { topics } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const forms = {
  'ES module, host crypto': [await import('lychgate'), {}],
  'ES module, portable crypto': [await import('lychgate'), { verifier: portable }],
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
  const found = differences(vector, request, decision, record);
  // The second time the token is known, the fourth time the whole request.
  for (const again of [await guard.authorize(request), guard.decide(request), guard.decide(request)]) {
    const answers = [decision, again].map((one) => JSON.stringify({ ...one, reply: undefined }));
    if (answers[0] !== answers[1]) found.push(`again: ${answers[1]}, at first: ${answers[0]}`);
  }
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
