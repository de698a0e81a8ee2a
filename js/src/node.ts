import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Guard } from './guard.js';
import type { Changes, Decision, Denied, Peer, RequestDescription } from './types.js';

declare module 'node:http' {
  interface IncomingMessage {
    /** What Lychgate decided about this request. */
    lychgate?: Decision;
  }
}

/** Express' and connect's form of a handler. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Middleware for Express, connect or a bare `node:http` server: refuses what the policy refuses,
 * and hands on the rest with the headers that the policy sets and without those that it reserves.
 */
export function middleware(guard: Guard): Middleware {
  return (request, response, next) => {
    guard.authorize(describe(request)).then((decision) => {
      request.lychgate = decision;
      if (decision.verdict === 'deny' && decision.refuses) {
        send(response, decision);
      } else {
        change(request, decision.changes);
        next();
      }
    }).catch(next);
  };
}

/** A request of `node:http` as a description: all header lines as they came. */
export function describe(request: IncomingMessage): RequestDescription {
  const { socket } = request;
  const serverName = (socket as TLSSocket).servername;
  return {
    method: request.method ?? '',
    // Express cuts the path at which a router is mounted off `url`.
    target: (request as { originalUrl?: string }).originalUrl ?? request.url ?? '',
    // The first; a second one is among the lines and refused.
    authority: request.headers.host,
    headers: lines(request.rawHeaders),
    peer: peerOf(socket as TLSSocket),
    connection: {
      sourceIp: address(socket.remoteAddress),
      destinationIp: address(socket.localAddress),
      destinationPort: socket.localPort,
      serverName: typeof serverName === 'string' ? serverName : undefined,
    },
  };
}

/**
 * The peer of a socket: its certificate where Node has verified it (`socket.authorized`), and one
 * who is not verified where it has not.
 */
export function peerOf(socket: TLSSocket): Peer {
  if (typeof socket.getPeerX509Certificate !== 'function') return { kind: 'absent' };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { kind: 'absent' };
  return socket.authorized ? { kind: 'certificate', der: certificate.raw } : { kind: 'unverified' };
}

/** Sends the answer to a request that is refused. */
export function send(response: ServerResponse, { reply }: Denied): void {
  response.statusCode = reply.status;
  for (const [name, value] of reply.headers) response.setHeader(name, value);
  response.end(reply.body);
}

function lines(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    found.push([raw[index] ?? '', raw[index + 1] ?? '']);
  }
  return found;
}

/** An IPv4 address that came over an IPv6 socket is an IPv4 address. */
function address(text: string | undefined): string | undefined {
  return text?.startsWith('::ffff:') ? text.slice(7) : text;
}

/** Changes what applications read: both the parsed headers and the lines. */
function change(request: IncomingMessage, { remove, set, target }: Changes): void {
  const gone = new Set([...remove, ...set.map(([name]) => name)]);
  if (gone.size > 0) {
    const kept = lines(request.rawHeaders).filter(([name]) => !gone.has(name.toLowerCase()));
    request.rawHeaders = [...kept, ...set].flat();
    for (const name of gone) delete request.headers[name];
    for (const [name, value] of set) request.headers[name] = value;
  }
  if (target !== undefined) {
    const { originalUrl } = request as { originalUrl?: string };
    if (originalUrl !== undefined) (request as { originalUrl?: string }).originalUrl = target;
    request.url = withQueryOf(request.url ?? '', target);
  }
}

/** Only the query loses the token; a router's own path stays as it is. */
function withQueryOf(url: string, target: string): string {
  const query = target.indexOf('?');
  return url.split('?', 1)[0] + (query < 0 ? '' : target.slice(query));
}
