import { Portable } from '#portable';
import { answerOf, CAN_NOT_SAY } from './crypto/library.js';
import type { PortableVerifier } from './types.js';

/**
 * Lychgate's own signature checks, in WebAssembly: `Guard.load({ ..., verifier: portable })`.
 *
 * It answers at once, so `decide` knows every token where a host's Web Crypto would make it wait. A
 * module of its own: who does not import this does not load it.
 */
export const portable: PortableVerifier = {
  library: (algorithms) => {
    const checks = new Portable();
    return {
      waits: () => false,
      hold: (place, _, key) => checks.hold(place, key),
      verify: (algorithm, place, message, signature) => {
        const name = algorithms[algorithm];
        return name === undefined ? CAN_NOT_SAY : answerOf(checks.verify(name, place, message, signature));
      },
    };
  },
};
