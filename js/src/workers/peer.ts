import type { Connection, Peer } from '../types.js';

/** What Lychgate reads of `request.cf.tlsClientAuth`. */
interface ClientCertificate {
  readonly certPresented?: unknown;
  readonly certVerified?: unknown;
  readonly certRevoked?: unknown;
  readonly certRFC9440?: unknown;
}

interface Incoming {
  readonly cf?: { readonly tlsClientAuth?: ClientCertificate | null } | null;
}

/**
 * The peer of a request to a Worker: the client certificate that Cloudflare verified and that is
 * not revoked. The identity is read from the certificate itself, never from one of the names that
 * come with it. Whatever else was presented is a peer who is not verified, and refused.
 *
 * See https://developers.cloudflare.com/ssl/client-certificates/client-certificate-variables
 */
export function peerOf(request: Request): Peer {
  const tls = (request as Incoming).cf?.tlsClientAuth;
  if (tls === undefined || tls === null || tls.certPresented === '0') return { kind: 'absent' };
  const { certPresented, certVerified, certRevoked, certRFC9440: value } = tls;
  const isGood = certPresented === '1' && certVerified === 'SUCCESS' && certRevoked === '0';
  // Empty where the certificate was too large to hand on: then it is malformed, not absent.
  return isGood && typeof value === 'string' ? { kind: 'client-cert', value } : { kind: 'unverified' };
}

/**
 * The connection of a request to a Worker. Cloudflare itself writes the client's address into
 * `CF-Connecting-IP`; where nothing of Cloudflare's came with the request, a client could have.
 */
export function connectionOf(request: Request): Connection {
  const { cf } = request as Incoming;
  const ip = cf === undefined || cf === null ? undefined : request.headers.get('cf-connecting-ip') ?? undefined;
  return { sourceIp: ip, remoteIp: ip };
}
