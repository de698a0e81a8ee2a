// What the first request of a new isolate waits for, in workerd. Two measurements, since a Worker's
// own clock stands still while it computes:
//
// * inside: a new isolate imports the package, loads 100 policies and decides, between readings of
//   clocks outside: the time on the wall, and that which workerd's thread spent on a processor,
//   which other work on the machine doesn't change. What a reading itself takes is taken off.
// * outside: from the start of workerd to the first answer, beside a Worker without the package,
//   taken in turn; the difference holds the compilation of the module too.
import { Response } from 'miniflare';
import { clocks } from './clock.mjs';
import { bundle, start } from './workerd.mjs';

const RUNS = 11;
const LIMIT = 50;
const PARTS = ['import', 'load of 100 policies', 'first decision'];

const inside = [];
const gated = [];
const empty = [];
for (const name of ['cold', 'empty']) bundle(name);
for (let run = 0; run < RUNS; run += 1) {
  gated.push(await timed('cold', async (worker) => { inside.push(await (await worker.fetch('/')).json()); }));
  empty.push(await timed('empty', async (worker) => { await (await worker.fetch('/')).text(); }));
}

const wall = described('wall');
const processor = described('processor');
console.log(`inside, on the wall: ${wall.text}`);
if (!Number.isNaN(processor.total)) console.log(`inside, on a processor: ${processor.text}`);
const beyond = median(gated) - median(empty);
console.log(`outside: first answer of a new workerd after ${median(gated).toFixed(0)} ms, of an empty Worker after ${median(empty).toFixed(0)} ms: ${beyond.toFixed(0)} ms more (medians of ${RUNS})`);
if ((Number.isNaN(processor.total) ? wall : processor).total > LIMIT) {
  console.error(`cold start takes more than ${LIMIT} ms`);
  process.exitCode = 1;
}

/** The medians by one of the clocks. */
function described(clock) {
  const parts = PARTS.map((name, part) => `${name} ${median(inside.map((run) => run[part][clock])).toFixed(1)} ms`);
  const total = median(inside.map((run) => run.reduce((sum, part) => sum + (part[clock] ?? NaN), 0)));
  return { total, text: `${parts.join(', ')}: ${total.toFixed(1)} ms (medians of ${RUNS})` };
}

async function timed(name, ask) {
  const began = performance.now();
  const worker = await start(name, { serviceBindings: { CLOCK: () => Response.json(clocks()) } });
  await ask(worker);
  const taken = performance.now() - began;
  await worker.stop();
  return taken;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
