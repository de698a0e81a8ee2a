// Every vector in workerd: as a description, and once more as a Fetch API Request where that can
// carry it. Prints the counts and every difference; any ends the run with 1.
import { readFileSync } from 'node:fs';

import { described, differences } from './vector.mjs';
import { start } from './workerd.mjs';

const { topics } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const worker = await start('vectors');
const counts = { total: 0, requests: 0, lacking: 0 };
const lost = new Map();
const wrong = [];

try {
  const began = performance.now();
  for (const topic of topics) await run(topic);
  report(Math.round(performance.now() - began));
} finally {
  await worker.stop();
}

async function run(topic) {
  // Metadata of earlier filters is Envoy's alone.
  const vectors = topic.vectors.filter(({ request }) => !request.has_metadata);
  counts.lacking += topic.vectors.length - vectors.length;
  counts.total += vectors.length;
  const subjects = new Map();
  for (const vector of vectors) {
    const name = `${vector.bundle} ${vector.now} ${vector.broken_verifier}`;
    subjects.set(name, [...subjects.get(name) ?? [], vector]);
  }
  const groups = [...subjects.values()];
  const response = await worker.fetch('/', { method: 'POST', body: JSON.stringify(groups.map((group) => subject(topic, group))) });
  const answers = await response.json();
  groups.forEach((group, at) => group.forEach((vector, index) => judge(topic, vector, answers[at][index])));
}

function subject(topic, vectors) {
  const [{ bundle, now, broken_verifier: broken }] = vectors;
  const requests = vectors.map(({ request }) => {
    const description = described(request);
    const { peer } = description;
    return { ...description, peer: peer.der ? { ...peer, der: peer.der.toString('base64') } : peer };
  });
  return { bundle: topic.bundles[bundle], keys: topic.remote_keys[bundle] ?? {}, now, broken, requests };
}

function judge(topic, vector, answer) {
  const { decision, record } = answer;
  const request = described(vector.request);
  const found = differences(vector, request, decision, JSON.parse(record));
  if (answer.again !== decision.reason) found.push(`decide() with lychgate/portable says ${answer.again}, authorize() ${decision.reason}`);
  if (answer.lost !== undefined) lost.set(answer.lost, (lost.get(answer.lost) ?? 0) + 1);
  else found.push(...asRequest(vector, answer));
  if (found.length > 0) wrong.push(`${topic.name}: ${vector.name}\n    ${found.join('\n    ')}`);
}

/** The same decision, record and answer must come of the same request as a Request. */
function asRequest({ expect }, { decision, record, status, challenge, body, fetchRecord }) {
  counts.requests += 1;
  const found = [];
  const compare = (what, expected, got) => {
    if (expected !== got) found.push(`as a Request, ${what}: expected ${expected}, got ${got}`);
  };
  const id = /"correlation_id":"[^"]*"/;
  compare('record', record.replace(id, ''), fetchRecord.replace(id, ''));
  if (decision.refuses) {
    compare('status', expect.status, status);
    if (expect.challenge) compare('challenge', expect.challenge, challenge);
    return found;
  }
  compare('status', 200, status);
  const passed = new Map(body.passed);
  for (const name of decision.changes.remove) {
    if (!decision.changes.set.some(([other]) => other === name)) compare(name, undefined, passed.get(name));
  }
  for (const [name, value] of decision.changes.set) compare(name, value, passed.get(name));
  if (decision.changes.target !== undefined) {
    const { pathname, search } = new URL(body.url);
    compare('target', decision.changes.target, pathname + search);
  }
  return found;
}

function report(milliseconds) {
  for (const difference of wrong) console.error(difference);
  console.log(`workerd: ${counts.total} vectors, ${wrong.length} wrong, ${counts.lacking} not carried, ${milliseconds} ms`);
  const reasons = [...lost].sort().map(([why, count]) => `${count} ${why}`).join(', ');
  console.log(`workerd, as Requests: ${counts.requests} of them; not carried: ${reasons}`);
  process.exitCode = wrong.length === 0 && counts.requests > 0 ? 0 : 1;
}
