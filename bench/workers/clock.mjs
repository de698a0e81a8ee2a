// A Worker's own clock stands still while it computes: these are read outside.
import { existsSync, readFileSync } from 'node:fs';

/** Both in milliseconds; `processor` is null where the system doesn't tell. */
export function clocks() {
  return { wall: performance.now(), processor: processorTime() };
}

/** Linux counts nanoseconds for each thread; workerd runs its Workers in its first. */
function processorTime() {
  const children = `/proc/self/task/${process.pid}/children`;
  if (!existsSync(children)) return null;
  const workerd = readFileSync(children, 'utf8').split(' ').find((pid) => pid && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('workerd'));
  return workerd ? Number(readFileSync(`/proc/${workerd}/task/${workerd}/schedstat`, 'utf8').split(' ')[0]) / 1e6 : null;
}
