import { __wbg_reset_state, Portable } from '#portable';
import { answerOf, CAN_NOT_SAY, type LibraryMaker } from './crypto/library.js';
import type { PortableVerifier } from './types.js';

const maker: LibraryMaker = {
  library: (algorithms) => {
    const checks = new Portable();
    return {
      waits: () => false,
      hold: (place, _, key) => guarded(() => checks.hold(place, key)),
      verify: (algorithm, place, message, signature) => {
        const name = algorithms[algorithm];
        if (name === undefined) return CAN_NOT_SAY;
        return answerOf(guarded(() => checks.verify(name, place, message, signature)));
      },
    };
  },
};

/** A fault throws this module's instance away as well as the engine's, which then asks for a new library. */
function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    __wbg_reset_state();
    throw error;
  }
}

/**
 * Lychgate's own signature checks, in WebAssembly: `Guard.load({ ..., verifier: portable })`.
 *
 * It answers at once, so `decide` knows every token where a host's Web Crypto would make it wait. A
 * module of its own: who does not import this does not load it.
 */
export const portable = maker as unknown as PortableVerifier;
