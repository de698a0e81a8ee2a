// `node bench.mjs [--rounds N] [--chart FILE]`: what a decision costs in Node, beside other libraries, in one process
// and in turns. Prints Markdown.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

import { chart } from './chart.mjs';
import { guard, libraries, pathGuard, verifier } from './contenders.mjs';
import { engines } from './engines.mjs';
import { interleave, WARM_UP } from './interleave.mjs';
import { CHART, columns, REPEATS, ROUNDS, RULES, TOKENS } from './options.mjs';
import { described, mayRead } from './policy.mjs';
import { table } from './table.mjs';
import { ALGORITHMS, issuer } from './tokens.mjs';

const allowed = ({ verdict, reason }) => {
  if (verdict !== 'allow') throw new Error(reason);
};

/** Each round has its own tokens, which nobody has seen before. */
async function freshTokens(algorithm) {
  const keys = issuer(algorithm);
  const tokens = Array.from({ length: TOKENS * (ROUNDS + WARM_UP) }, (_, number) => keys.token(number));
  const slice = (round) => tokens.slice(round * TOKENS, (round + 1) * TOKENS);
  const each = (work) => async (round) => {
    const mine = slice(round);
    for (const token of mine) await work(token);
    return mine.length;
  };
  // Awaiting what is no promise would cost what only some of them need.
  const eachAtOnce = (work) => (round) => {
    const mine = slice(round);
    for (const token of mine) work(token);
    return mine.length;
  };
  const contenders = {};
  const whole = await guard(keys, 1);
  contenders['**lychgate, token and policy**'] = eachAtOnce((token) => allowed(whole.decide(described(token))));
  contenders['lychgate/verify'] = each(await verifier(keys));
  for (const [name, verify] of Object.entries(await libraries(algorithm, keys))) {
    if (name === 'fast-jwt, cache on') continue;
    const check = (claims) => {
      if (!mayRead(claims, 'GET', '/items/0')) throw new Error(name);
    };
    const run = name === 'jose' ? each(async (token) => check(await verify(token))) : eachAtOnce((token) => check(verify(token)));
    contenders[`${name} and a rule by hand`] = run;
  }
  return interleave(contenders, ROUNDS);
}

/** The same token again and again, as a client sends it: each request has an identifier of its own. */
async function repeatedToken(algorithm) {
  const keys = issuer(algorithm);
  const token = keys.token(0);
  const times = (count, work) => () => {
    for (let index = 0; index < count; index += 1) work(index);
    return count;
  };
  const whole = await guard(keys, 1);
  const requests = Array.from({ length: 64 }, () => described(token));
  // More than a guard remembers: by the time that one comes again it is forgotten.
  const others = Array.from({ length: 4096 }, (_, number) => described(token, `/items/0?n=${number}`));
  let next = 0;
  const { 'fast-jwt, cache on': cached, 'fast-jwt, cache off': uncached } = await libraries(algorithm, keys);
  return interleave({
    '**lychgate, token and policy**': times(REPEATS, (index) => allowed(whole.decide(requests[index % 64]))),
    'lychgate, with a query that is new': times(REPEATS, () => allowed(whole.decide(others[next++ % others.length]))),
    'fast-jwt, cache on': times(REPEATS, () => cached(token)),
    'fast-jwt, cache off': times(TOKENS, () => uncached(token)),
  }, ROUNDS);
}

/** Awaits what is a promise, and nothing else. */
function timesAwaited(count, work) {
  return async () => {
    for (let index = 0; index < count; index += 1) {
      const pending = work();
      if (pending !== undefined) await pending;
    }
    return count;
  };
}

async function policies(rules) {
  const bare = await pathGuard(rules);
  const keys = issuer('EdDSA');
  const withToken = await guard(keys, rules);
  const token = keys.token(0);
  const requests = Array.from({ length: 64 }, () => described(undefined, `/items/${rules - 1}`));
  const signed = Array.from({ length: 64 }, () => described(token));
  const times = (count, work) => () => {
    for (let index = 0; index < count; index += 1) work(index);
    return count;
  };
  const few = Math.ceil(2000 / (rules + 9));
  const others = Object.entries(await engines(rules)).map(([name, decide]) => [name, timesAwaited(few, decide)]);
  return interleave({
    '**lychgate, rules by path**': times(REPEATS, (index) => allowed(bare.decide(requests[index % 64]))),
    '**lychgate, repeated token and rules**': times(REPEATS, (index) => allowed(withToken.decide(signed[index % 64]))),
    ...Object.fromEntries(others),
  }, ROUNDS);
}

const fresh = await columns(ALGORITHMS, freshTokens);
const repeated = await columns(ALGORITHMS, repeatedToken);
const rules = await columns(RULES, policies);
console.log(`Node ${process.version}, ${cpus()[0]?.model}, medians of ${ROUNDS} interleaved rounds; CPU time.\n`);
console.log(table('A new token and a rule: microseconds of CPU, and decisions a second on one core', fresh));
console.log(table('The same token again', repeated));
console.log(table('Rules: 1, 100, 1,000', rules));
if (CHART !== undefined) writeFileSync(CHART, chart(fresh));
