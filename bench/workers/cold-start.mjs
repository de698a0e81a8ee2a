// What the first request of a new isolate waits for, in workerd. Two measurements, since a Worker's
// own clock stands still while it computes:
//
// * inside: a new isolate imports the package, loads 100 policies and decides, between two readings
//   of a clock outside; the time of such a reading is taken off
// * outside: from the start of workerd to the first answer, beside a Worker without the package,
//   taken in turn; the difference holds the compilation of the module too
import { bundle, start } from './workerd.mjs';

const RUNS = 11;
const LIMIT = 50;

const inside = [];
const gated = [];
const empty = [];
for (const name of ['cold', 'empty']) bundle(name);
for (let run = 0; run < RUNS; run += 1) {
  gated.push(await timed('cold', async (worker) => {
    inside.push(await (await worker.fetch('/')).json());
  }));
  empty.push(await timed('empty', async (worker) => { await (await worker.fetch('/')).text(); }));
}

const [imported, loaded, decided] = [0, 1, 2].map((part) => median(inside.map((parts) => parts[part])));
const totals = inside.map((parts) => parts.reduce((sum, part) => sum + part));
const fastest = Math.min(...totals);
const beyond = median(gated) - median(empty);
console.log(`inside: import ${imported.toFixed(1)} ms, load of 100 policies ${loaded.toFixed(1)} ms, first decision ${decided.toFixed(1)} ms: ${median(totals).toFixed(1)} ms (medians of ${RUNS}), the fastest ${fastest.toFixed(1)} ms`);
console.log(`outside: first answer of a new workerd after ${median(gated).toFixed(0)} ms, of an empty Worker after ${median(empty).toFixed(0)} ms: ${beyond.toFixed(1)} ms more (medians of ${RUNS})`);
// Whatever else runs on the machine only adds.
if (fastest > LIMIT) {
  console.error(`cold start takes more than ${LIMIT} ms`);
  process.exitCode = 1;
}

async function timed(name, ask) {
  const began = performance.now();
  const worker = await start(name, { serviceBindings: { CLOCK: () => new Response(String(performance.now())) } });
  await ask(worker);
  const taken = performance.now() - began;
  await worker.stop();
  return taken;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
