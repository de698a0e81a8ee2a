/** The host's crypto library. If a method throws, the engine is thrown away. */
export interface HostVerifier {
  /** Whether an answer may come later. */
  waits(): boolean;
  /** Whether it checks signatures with this key, which it then keeps at that place. */
  hold(place: number, algorithm: number, key: Uint8Array): boolean;
  /** 1 for genuine, 0 for not, 3 for later, anything else if it can't say. */
  verify(algorithm: number, place: number, message: Uint8Array, signature: Uint8Array): number;
  /** Begins to answer the last question of `verify`, if that said 3: nothing is done for who doesn't ask. */
  later?(): Promise<number>;
}

/** What a library says to the engine's question about a signature: not genuine, genuine, or these. */
export const CAN_NOT_SAY = 2;

/** The answer comes as a promise. */
export const LATER = 3;

export function answerOf(genuine: boolean | undefined): number {
  return genuine === undefined ? CAN_NOT_SAY : Number(genuine === true);
}

/** What is behind the verifier that `lychgate/portable` exports: makes a library for one engine. */
export interface LibraryMaker {
  readonly library: (algorithms: readonly string[]) => HostVerifier;
}

export function isPortable(verifier: unknown): verifier is LibraryMaker {
  return typeof (verifier as Partial<LibraryMaker> | null)?.library === 'function';
}
