import { NO_CHANGES } from './changes.js';
import type { Denied } from './types.js';

/** What is answered while there is no engine: the same bytes as the engine's own 503. */
export function unavailable(revision: string): Denied {
  const body = {
    type: 'about:blank',
    title: "The request can't be decided right now",
    status: 503,
    code: 'unavailable',
    correlation_id: crypto.randomUUID(),
  };
  const headers = [['content-type', 'application/problem+json'], ['cache-control', 'no-store'], ['retry-after', '2']] as const;
  return {
    verdict: 'deny',
    reason: 'not_configured',
    status: 503,
    refuses: true,
    revision,
    shadow: false,
    changes: NO_CHANGES,
    reply: { status: 503, headers, body: JSON.stringify(body), grpcStatus: 14 },
  };
}
