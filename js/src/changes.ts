import type { Changes } from './types.js';

/** Nothing to change. */
export const NO_CHANGES: Changes = Object.freeze({ remove: Object.freeze([]), set: Object.freeze([]) });

/** Reads changes. A client sends the same token again and again: what was last read is remembered. */
export class ChangesReader {
  #text: string | undefined;
  #changes = NO_CHANGES;

  read(text: string | undefined): Changes {
    if (text !== this.#text) {
      this.#changes = frozen(JSON.parse(text ?? 'null') as Changes);
      this.#text = text;
    }
    return this.#changes;
  }
}

/** Decisions share it. */
function frozen(changes: Changes): Changes {
  Object.freeze(changes.remove);
  for (const pair of changes.set) Object.freeze(pair);
  Object.freeze(changes.set);
  return Object.freeze(changes);
}
