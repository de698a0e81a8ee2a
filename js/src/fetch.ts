import { LychgateError } from './errors.js';
import type { Decision, Peer, RequestDescription } from './types.js';

let decodes: boolean | undefined;

/**
 * Whether this host's headers hold decoded UTF-8, as those of workerd do, instead of one character
 * for each byte, as Fetch has it. Such a host has lost a byte that was no UTF-8.
 *
 * Asked with the first request: Node loads its whole Fetch API when it is touched.
 */
function decodesUtf8(): boolean {
  if (decodes === undefined) {
    try {
      new Headers([['a', '\u0100']]);
      decodes = true;
    } catch {
      decodes = false;
    }
  }
  return decodes;
}

/**
 * A Fetch API `Request` as a description. Fetch has joined repeated headers and normalised the URL
 * before: the policy is told of the first, and nothing can be done about the second.
 */
export function describe(request: Request, peer?: Peer): RequestDescription {
  const url = new URL(request.url);
  // The authority says it, and is no line among the others.
  const lines = [...request.headers].filter(([name]) => name !== 'host');
  return {
    method: request.method,
    target: url.pathname + url.search,
    // `Host` is what came; a URL loses a port that is its scheme's own.
    authority: request.headers.get('host') ?? url.host,
    headers: decodesUtf8() ? lines.map(encoded) : lines,
    joined: true,
    peer,
  };
}

/**
 * The answer to a request that is refused.
 *
 * @throws {LychgateError} `not_refused` if it is not: an allowed request has no answer yet.
 */
export function toResponse(decision: Decision): Response {
  if (decision.verdict !== 'deny') {
    throw new LychgateError('not_refused', 'an allowed request is passed on, not answered');
  }
  const { status, headers, body } = decision.reply;
  return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
}

/** The request as the application may see it: without forged headers, with the caller's identity. */
export function toUpstream(request: Request, decision: Decision): Request {
  if (decision.refuses) throw new LychgateError('refused', 'a refused request is not passed on');
  const { remove, set, target } = decision.changes;
  const url = new URL(request.url);
  // Only the query ever changes. A path that begins with two slashes, read anew, would be a host.
  if (target !== undefined) url.search = target.includes('?') ? target.slice(target.indexOf('?')) : '';
  const changed = new Request(url, request);
  for (const name of remove) changed.headers.delete(name);
  for (const [name, value] of set) changed.headers.set(name, value);
  return changed;
}

/** A header line with its value back in the bytes as which it came. */
function encoded([name, value]: [string, string]): [string, string] {
  // Almost all values are ASCII.
  if (!/[^\x00-\x7f]/.test(value)) return [name, value];
  let bytes = '';
  for (const byte of new TextEncoder().encode(value)) bytes += String.fromCharCode(byte);
  return [name, bytes];
}
