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

/** Answers what it is given, so that a class below can put a private field on it. */
class Given {
  constructor(object: object) {
    return object;
  }
}

/**
 * An object with `changes` that are read when somebody looks. Every object has the same accessor and
 * its own `read` in a field: V8 takes three times as long to make one with an accessor of its own.
 */
class Late extends Given {
  readonly #read: () => Changes;

  constructor(object: object, read: () => Changes) {
    super(object);
    this.#read = read;
    Object.defineProperty(object, 'changes', ACCESSOR);
  }

  static read(object: Late): Changes {
    return object.#read();
  }
}

const ACCESSOR: PropertyDescriptor & ThisType<Late> = {
  get() {
    return Late.read(this);
  },
  enumerable: true,
  configurable: true,
};

/** The object, with `changes` that are read when somebody looks. */
export function withChanges<T extends object>(object: T, read: () => Changes): T & { readonly changes: Changes } {
  new Late(object, read);
  return object as T & { readonly changes: Changes };
}
