export { LychgateError } from './errors.js';
export { toResponse, toUpstream } from './fetch.js';
export { Guard, type AuthorizeOptions, type GuardOptions, type PolicySource } from './guard.js';
export type {
  Allowed, Changes, Connection, Decision, DenialReason, Denied, FetchReport, Finding, Peer, PortableVerifier,
  Reply, RequestDescription, SignatureCheck, Verifier,
} from './types.js';
