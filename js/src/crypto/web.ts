import { answerOf, CAN_NOT_SAY, LATER, type HostVerifier } from './library.js';

/** How Web Crypto is asked for an algorithm. */
interface Scheme {
  /** What its keys are imported for. */
  readonly key: RsaHashedImportParams | EcKeyImportParams | Algorithm;
  readonly check: RsaPssParams | EcdsaParams | Algorithm;
}

interface Held {
  readonly der: Uint8Array<ArrayBuffer>;
  /** By algorithm, once it was imported. */
  readonly imported: CryptoKey[];
}

/** Web Crypto: two to three times as fast as WebAssembly in workerd, but it makes its callers wait. */
export const hostLibrary: (algorithms: readonly string[]) => HostVerifier = (algorithms) => {
  const schemes = algorithms.map(scheme);
  const keys: Held[] = [];
  let asked = async (): Promise<number> => CAN_NOT_SAY;
  return {
    waits: () => true,
    hold: (place, _, der) => {
      keys[place] = { der: der.slice(), imported: [] };
      return true;
    },
    verify: (algorithm, place, message, signature) => {
      const [scheme, key] = [schemes[algorithm], keys[place]];
      if (scheme === undefined || key === undefined) return CAN_NOT_SAY;
      const copies = [message.slice(), signature.slice()] as const;
      asked = () => verified(scheme, algorithm, key, ...copies);
      return LATER;
    },
    later: () => asked(),
  };
};

/** Never rejects: a host that lacks an algorithm can't say. */
async function verified(
  { key: parameters, check }: Scheme, algorithm: number, { der, imported }: Held,
  message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>,
): Promise<number> {
  try {
    // The key itself is kept and not its promise, which workerd would tie to the request that made it.
    const key = imported[algorithm] ??= await crypto.subtle.importKey('spki', der, parameters, false, ['verify']);
    return answerOf(await crypto.subtle.verify(check, key, signature, message));
  } catch {
    return CAN_NOT_SAY;
  }
}

function scheme(algorithm: string): Scheme {
  const bits = algorithm.slice(2);
  const hash = `SHA-${bits}`;
  switch (algorithm.slice(0, 2)) {
    case 'RS': return { key: { name: 'RSASSA-PKCS1-v1_5', hash }, check: { name: 'RSASSA-PKCS1-v1_5' } };
    case 'PS': return { key: { name: 'RSA-PSS', hash }, check: { name: 'RSA-PSS', saltLength: Number(bits) / 8 } };
    case 'ES': return { key: { name: 'ECDSA', namedCurve: `P-${bits}` }, check: { name: 'ECDSA', hash } };
    default: return { key: { name: 'Ed25519' }, check: { name: 'Ed25519' } };
  }
}
