/** The host's crypto library. Its methods never throw. */
export interface HostVerifier {
  /** Whether an answer may come later. */
  waits(): boolean;
  /** Whether it checks signatures of this algorithm with this key, which it then keeps at that place. */
  hold(place: number, algorithm: number, key: Uint8Array): boolean;
  /** 1 for genuine, 0 for not, 3 for later, anything else if it can't say. */
  verify(algorithm: number, place: number, message: Uint8Array, signature: Uint8Array): number;
  /** What `verify` will have said to its last question, if that was 3. Never rejects. */
  later?(): Promise<number>;
}

/** What a library says to the engine's question about a signature: not genuine, genuine, or these. */
export const CAN_NOT_SAY = 2;

/** The answer comes as a promise. */
export const LATER = 3;

export function answerOf(genuine: boolean | undefined): number {
  return genuine === undefined ? CAN_NOT_SAY : Number(genuine === true);
}
