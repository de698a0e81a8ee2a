import type { Changes } from './types.js';

/** Decisions share their changes, so nobody may change those. */
export function frozen(changes: Changes): Changes {
  changes.set.forEach(Object.freeze);
  Object.freeze(changes.remove);
  Object.freeze(changes.set);
  return Object.freeze(changes);
}

/** Nothing to change. */
export const NO_CHANGES: Changes = frozen({ remove: [], set: [] });
