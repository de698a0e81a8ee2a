import type { Changes } from './types.js';

/** Nothing to change. */
export const NO_CHANGES: Changes = Object.freeze({ remove: Object.freeze([]), set: Object.freeze([]) });
