import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Changes } from '../types.js';
import { lines, type NodeRequest } from './describe.js';

/** What frameworks add to a request of Node. */
interface Framework {
  originalUrl?: string;
  query?: unknown;
}

/** Changes what an application reads: the lines, both parsed forms of them, the URL and its query. */
export function change(request: NodeRequest, { remove, set, target }: Changes, framework: Framework = request as Framework): void {
  const gone = new Set([...remove, ...set.map(([name]) => name)]);
  if (gone.size > 0) changeHeaders(request, gone, set);
  if (target === undefined) return;
  if (framework.originalUrl !== undefined && framework === (request as Framework)) framework.originalUrl = target;
  request.url = withQueryOf(request.url ?? '', target);
  prune(framework.query, target);
}

function changeHeaders(request: NodeRequest, gone: ReadonlySet<string>, set: Changes['set']): void {
  const { rawHeaders } = request;
  const pseudo = rawHeaders.flatMap((name, index) => (
    index % 2 === 0 && name.startsWith(':') ? [name, rawHeaders[index + 1] ?? ''] : []
  ));
  const kept = lines(rawHeaders).filter(([name]) => !gone.has(name.toLowerCase()));
  // In place: for HTTP/2 there is only a getter.
  rawHeaders.splice(0, rawHeaders.length, ...pseudo, ...kept.flat(), ...set.flat());
  const headers: IncomingHttpHeaders = request.headers;
  const distinct: NodeJS.Dict<string[]> = (request as IncomingMessage).headersDistinct ?? {};
  for (const name of gone) {
    delete headers[name];
    delete distinct[name];
  }
  for (const [name, value] of set) {
    headers[name] = value;
    distinct[name] = [value];
  }
}

/** Only the query loses the token; a router's own path stays as it is. */
function withQueryOf(url: string, target: string): string {
  const query = target.indexOf('?');
  return url.split('?', 1)[0] + (query < 0 ? '' : target.slice(query));
}

/** Removes from a query that was parsed before what the target no longer has. */
function prune(query: unknown, target: string): void {
  if (typeof query !== 'object' || query === null) return;
  const start = target.indexOf('?');
  const left = new URLSearchParams(start < 0 ? '' : target.slice(start));
  for (const name of Object.keys(query)) {
    if (!left.has(name)) delete (query as Record<string, unknown>)[name];
  }
}
