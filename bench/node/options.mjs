// What both benchmarks are asked and what they share: `--rounds N`, `--chart FILE`.
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, chart: { type: 'string' } },
});

export const ROUNDS = Number(values.rounds);
/** Where the chart goes, if anywhere. */
export const CHART = values.chart;
/**
 * New tokens in a round: enough that what the others left in the processor's caches, which each has to
 * replace when its turn comes, is a small part of it. With 300 our part in the table is 1 % larger,
 * with 100 it is 5 %.
 */
export const TOKENS = 1000;
/** How often a token is repeated in a round. */
export const REPEATS = 1500;
export const RULES = [1, 100, 1000];

/** What `measure` finds for each head of a table, one after the other. */
export async function columns(heads, measure) {
  const found = {};
  for (const head of heads) found[head] = await measure(head);
  return found;
}
