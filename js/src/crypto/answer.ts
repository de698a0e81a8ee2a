/** What a library says to the engine's question about a signature: not genuine, genuine, or these. */
export const CAN_NOT_SAY = 2;

/** The answer comes as a promise. */
export const LATER = 3;

export function answerOf(genuine: boolean | undefined): number {
  return genuine === undefined ? CAN_NOT_SAY : Number(genuine === true);
}
