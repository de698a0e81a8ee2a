// Takes turns: in every round each contender runs once, in another order, so that whatever else the
// machine does falls on all of them. The result is the median of the rounds.

/** `contenders` by name: functions of a round's number that answer how many operations they did. */
export async function interleave(contenders, rounds) {
  const names = Object.keys(contenders);
  const times = new Map(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + round + 1) % names.length];
      const began = performance.now();
      const operations = await contenders[name](round + 1);
      const microseconds = ((performance.now() - began) * 1000) / operations;
      // The first round warms up.
      if (round >= 0) times.get(name).push(microseconds);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name))]));
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
