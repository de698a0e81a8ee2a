/**
 * Everything that Lychgate throws. A request that is refused is no error: it is a decision.
 *
 * `code` is stable. For a policy that does not load it is the code of the problem, and `pointer`
 * is the JSON Pointer (RFC 6901) to the place in the bundle.
 */
export class LychgateError extends Error {
  override readonly name = 'LychgateError';
  /** What is wrong, for programs. */
  readonly code: string;
  /** Where in the bundle; absent where the error is not about a bundle. */
  readonly pointer?: string;

  constructor(code: string, message: string, options: { pointer?: string; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.pointer !== undefined) this.pointer = options.pointer;
  }
}

/** The error that the engine describes as JSON; anything else stays what it is. */
export function loadError(thrown: unknown): unknown {
  if (typeof thrown !== 'string') return thrown;
  const { code, pointer, message } = JSON.parse(thrown) as Record<'code' | 'pointer' | 'message', string>;
  return new LychgateError(code, `${pointer || 'the bundle'}: ${message} [${code}]`, { pointer });
}
