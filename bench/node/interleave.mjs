// Takes turns: in every round each contender runs once, in another order, so that whatever else the
// machine does falls on all of them. What counts is the CPU time of the process, all its threads
// included (some libraries verify on others), since on a busy machine the clock says what others do.
// The result is the median of the rounds.

/**
 * So many rounds come before: V8 compiles what is hot, JavaScript and Wasm, anew, and its baseline code
 * for Wasm takes twice as long as what it ends with. It takes some 20,000 calls until the last function
 * of a decision counts as hot, seconds for a server that is busy.
 */
export const WARM_UP = 30;

/**
 * `contenders` by name: functions of a round's number that answer how many operations they did.
 * `measure` tells how many microseconds an operation took.
 */
export async function interleave(contenders, rounds, measure = byProcessor) {
  const names = Object.keys(contenders);
  const times = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < rounds + WARM_UP; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + round) % names.length];
      const microseconds = await measure(() => contenders[name](round));
      if (round >= WARM_UP) times.get(name).push(microseconds);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name))]));
}

async function byProcessor(work) {
  const before = process.cpuUsage();
  const operations = await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / operations;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
