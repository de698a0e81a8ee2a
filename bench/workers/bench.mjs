// `node bench.mjs [--rounds N] [--chart FILE]`: what a decision costs in workerd, beside jose, in one isolate and in
// turns. Prints Markdown.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg } from 'node:os';

import { chart } from './chart.mjs';
import { clocks } from './clock.mjs';
import { interleave, WARM_UP } from './interleave.mjs';
import { CHART, columns, REPEATS, ROUNDS, RULES, TOKENS } from './options.mjs';
import { table } from './table.mjs';
import { ALGORITHMS, issuer } from './tokens.mjs';
import { start } from './workerd.mjs';

const worker = await start('measured');
try {
  await report();
} finally {
  await worker.stop();
}

async function report() {
  const fresh = await columns(ALGORITHMS, freshTokens);
  const repeated = await columns(ALGORITHMS, repeatedToken);
  const rules = await columns(RULES, policies);
  console.log('# Decisions in workerd\n');
  console.log(`workerd ${version()}, ${cpus()[0]?.model}, medians of ${ROUNDS} interleaved rounds; ${clockName()};`
    + ` load average at the end ${loadavg()[0].toFixed(1)} on ${cpus().length} cores.\n`);
  console.log(table('A new token and a rule: microseconds, and decisions a second on one core', fresh));
  console.log(table('The same token again', repeated));
  console.log(table('Rules: 1, 100, 1,000', rules));
  if (CHART !== undefined) writeFileSync(CHART, chart(fresh));
}

/** Each round has its own tokens, which nobody has seen before. */
async function freshTokens(algorithm) {
  const { jwks, symmetricKey, token } = issuer(algorithm);
  const keys = { jwks, symmetricKey };
  const tokens = Array.from({ length: TOKENS * (ROUNDS + WARM_UP) }, (_, number) => token(number));
  const contenders = {
    '**lychgate, token and policy**': ['described', { keys, rules: 1 }],
    'lychgate with lychgate/portable': ['portable', { keys, rules: 1 }],
    'lychgate/verify': ['verify', { keys }],
    'jose and a rule by hand': ['jose', { keys }],
  };
  return compare(contenders, (round) => tokens.slice(round * TOKENS, (round + 1) * TOKENS));
}

/** The same token again and again, as a client sends it. */
async function repeatedToken(algorithm) {
  const { jwks, symmetricKey, token } = issuer(algorithm);
  const keys = { jwks, symmetricKey };
  const same = [token(0)];
  const contenders = {
    '**lychgate, token and policy**': ['described', { keys, rules: 1 }, REPEATS],
    '**lychgate, decide()**': ['decide', { keys, rules: 1 }, REPEATS],
    'jose and a rule by hand': ['jose', { keys }, TOKENS],
  };
  return compare(contenders, () => same);
}

async function policies(rules) {
  const { jwks, token } = issuer('EdDSA');
  const keys = { jwks };
  const same = [token(0)];
  const contenders = {
    '**authorize(request), rules by path**': ['authorizePath', { rules }, REPEATS],
    '**authorize(request), repeated token and rules**': ['authorize', { keys, rules }, REPEATS],
    '**decide(description), repeated token and rules**': ['decide', { keys, rules }, REPEATS],
  };
  return compare(contenders, () => same);
}

/** `tokensOf` a round are handed over before anybody looks at the clock. */
async function compare(contenders, tokensOf) {
  await tell('prepare', { contender: 'nothing', name: 'nothing' });
  const runs = {};
  for (const [name, [contender, parameters, times]] of Object.entries(contenders)) {
    await tell('prepare', { contender, name, ...parameters });
    runs[name] = async (round) => {
      const tokens = tokensOf(round);
      await tell('tokens', tokens);
      return { name, times, count: times ?? tokens.length };
    };
  }
  return interleave(runs, ROUNDS, measure);
}

/** What a run takes, less what a request takes that has nothing to do. */
async function measure(prepare) {
  const { name, times, count } = await prepare();
  const request = await taken({ name: 'nothing', times: 0 });
  return ((await taken({ name, times }) - request) * 1000) / count;
}

async function taken(run) {
  const before = reading();
  await tell('run', run);
  return reading() - before;
}

function reading() {
  const { wall, processor } = clocks();
  return processor ?? wall;
}

/** Miniflare brings it. */
function version() {
  return createRequire(import.meta.resolve('miniflare'))('workerd/package.json').version;
}

function clockName() {
  return clocks().processor === null ? 'time on the wall' : 'CPU time of the thread that runs the Worker';
}

async function tell(command, parameters) {
  const response = await worker.fetch('/', { method: 'POST', body: JSON.stringify({ command, parameters }) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
}
