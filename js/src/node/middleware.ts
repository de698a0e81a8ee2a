import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import { unavailable } from '../denial.js';
import type { Guard } from '../guard.js';
import type { Decision, Denied } from '../types.js';
import { change } from './change.js';
import { describe, type DescribeOptions, type NodeRequest } from './describe.js';

declare module 'node:http' {
  interface IncomingMessage {
    /** What Lychgate decided about this request. */
    lychgate?: Decision;
  }
}

declare module 'node:http2' {
  interface Http2ServerRequest {
    /** What Lychgate decided about this request. */
    lychgate?: Decision;
  }
}

/** A response of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** A handler in the form of Express and connect. It never calls `next` with an error. */
export interface Middleware {
  (request: IncomingMessage, response: ServerResponse, next: () => void): void;
  (request: Http2ServerRequest, response: Http2ServerResponse, next: () => void): void;
}

/** A listener of the event `upgrade` of Node's HTTP servers. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Middleware for Express, connect or a bare server of `node:http`, `node:https` or `node:http2`:
 * refuses what the policy refuses, and hands on the rest with the headers that the policy sets and
 * without those that it reserves. The decision is left in `request.lychgate`.
 *
 * Node does not send upgrades (WebSocket) through handlers: see {@link upgrade}.
 */
export function middleware(guard: Guard, options: DescribeOptions = {}): Middleware {
  return (request: NodeRequest, response: NodeResponse, next: () => void) => {
    void admit(guard, request, options).then((decision) => {
      if (decision.verdict === 'deny' && decision.refuses) send(response, decision);
      else next();
    });
  };
}

/**
 * Listens to upgrades as {@link middleware} does to requests: `server.on('upgrade',
 * upgrade(guard, listener))`. A refused upgrade is answered and its socket closed.
 */
export function upgrade(guard: Guard, listener: UpgradeListener, options: DescribeOptions = {}): UpgradeListener {
  return (request, socket, head) => {
    const ignore = (): void => {};
    // Nobody else listens while the decision waits for keys.
    socket.on('error', ignore);
    void admit(guard, request, options).then((decision) => {
      socket.off('error', ignore);
      if (decision.verdict === 'deny' && decision.refuses) refuseUpgrade(socket, decision);
      else listener(request, socket, head);
    });
  };
}

/** Decides about a request and, if it may pass, changes it. Never rejects. */
export async function admit(guard: Guard, request: NodeRequest, options: DescribeOptions): Promise<Decision> {
  let decision: Decision;
  try {
    decision = await guard.authorize(describe(request, options));
    if (!decision.refuses) change(request, decision.changes);
  } catch {
    decision = unavailable(guard.revision);
  }
  request.lychgate = decision;
  return decision;
}

/** Sends the answer to a request that is refused. */
export function send(response: NodeResponse, { reply }: Denied): void {
  const answer = response as ServerResponse;
  answer.statusCode = reply.status;
  for (const [name, value] of reply.headers) answer.setHeader(name, value);
  answer.end(reply.body);
}

function refuseUpgrade(socket: Duplex, { reply }: Denied): void {
  const head = [
    `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`,
    ...reply.headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(reply.body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${reply.body}`);
}
