import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Peer, RequestDescription } from '../types.js';

/** A request of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** What only the application knows about its requests. */
export interface DescribeOptions<R extends NodeRequest = NodeRequest> {
  /**
   * The address of the client behind the proxies that the application trusts, for example Express'
   * `request.ip` under its setting `trust proxy`. By default the address of the physical peer.
   */
  readonly remoteIp?: ((request: R) => string | undefined) | undefined;
}

/**
 * A request of Node as a description: every header line as it came, since Node's parsed headers
 * drop a second `Authorization` in silence, and the peer that Node itself has verified.
 */
export function describe<R extends NodeRequest>(request: R, options: DescribeOptions<R> = {}): RequestDescription {
  const socket: SocketLike = (request.socket as TLSSocket | undefined) ?? {};
  const sourceIp = address(socket.remoteAddress);
  return {
    method: request.method ?? '',
    // Express cuts the path at which a router is mounted off `url`.
    target: (request as { originalUrl?: string }).originalUrl ?? request.url ?? '',
    // The first; a second one is among the lines, and refused.
    authority: (request as Http2ServerRequest).authority || request.headers.host,
    headers: lines(request.rawHeaders),
    peer: peerOf(socket),
    connection: {
      sourceIp,
      remoteIp: options.remoteIp === undefined ? sourceIp : address(options.remoteIp(request)),
      destinationIp: address(socket.localAddress),
      destinationPort: socket.localPort,
      serverName: typeof socket.servername === 'string' ? socket.servername : undefined,
    },
  };
}

/**
 * Who is at the other end of a socket: the owner of its certificate where Node has verified it
 * (`authorized`), nobody where none was presented. What was presented and not verified, and what
 * a TLS socket that is already closed can't tell any more, is a peer that is refused.
 */
export function peerOf(socket: Socket | SocketLike): Peer {
  const tls = socket as SocketLike;
  if (typeof tls.getPeerX509Certificate !== 'function') return { kind: 'absent' };
  const certificate = tls.getPeerX509Certificate();
  if (certificate === undefined) return tls.destroyed === true ? { kind: 'unverified' } : { kind: 'absent' };
  // A later handshake on the same socket that fails leaves `authorized` as it was.
  const isVerified = tls.authorized === true && !tls.authorizationError;
  return isVerified ? { kind: 'certificate', der: certificate.raw } : { kind: 'unverified' };
}

/** A socket with or without TLS. */
type SocketLike = { readonly [Name in keyof TLSSocket]?: TLSSocket[Name] | undefined };

/** The header lines of Node's flat list, without the pseudo-headers of HTTP/2. */
export function lines(raw: readonly string[]): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    if (!name.startsWith(':')) found.push([name, raw[index + 1] ?? '']);
  }
  return found;
}

/** An IPv4 address that came over an IPv6 socket is an IPv4 address. */
function address(text: string | undefined): string | undefined {
  return text?.startsWith('::ffff:') ? text.slice(7) : text;
}
