/** Who the host itself found at the other end of the connection. */
export type Peer =
  /** No certificate was presented. */
  | { readonly kind: 'absent' }
  /** Something was presented that the host did not verify. It is refused. */
  | { readonly kind: 'unverified' }
  /** The verified leaf certificate. */
  | { readonly kind: 'certificate'; readonly der: Uint8Array }
  /** The verified leaf certificate. */
  | { readonly kind: 'pem'; readonly pem: string }
  /** The verified leaf certificate as the value of `Client-Cert` (RFC 9440): base64 between colons. */
  | { readonly kind: 'client-cert'; readonly value: string }
  /** The verified SPIFFE ID, with its scheme. */
  | { readonly kind: 'spiffe'; readonly id: string };

/** What the host knows of the connection. What is absent is unknown, and unknown never matches. */
export interface Connection {
  /** The address of the physical peer. */
  readonly sourceIp?: string | undefined;
  /** The address of the client behind the hops that the host trusts. */
  readonly remoteIp?: string | undefined;
  /** The address that the peer connected to. */
  readonly destinationIp?: string | undefined;
  /** The port that the peer connected to. */
  readonly destinationPort?: number | undefined;
  /** The server name of the TLS handshake. */
  readonly serverName?: string | undefined;
}

/**
 * A request as its host read it, nothing decoded. Strings hold one character for each byte, as
 * those of Node and Fetch do; a request with a character above U+00FF is refused (400).
 */
export interface RequestDescription {
  /** The method, case as received. */
  readonly method: string;
  /** The request target: path and query as they came. */
  readonly target: string;
  /** `:authority`, or the first `Host`. */
  readonly authority?: string | undefined;
  /** The header lines, each line by itself. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Whether lines of the same name were joined with commas before. */
  readonly joined?: boolean | undefined;
  /** Who the peer is; by default nobody. */
  readonly peer?: Peer | undefined;
  /** The connection. */
  readonly connection?: Connection | undefined;
}

/** How the request has to be changed before it goes on: first `remove`, then `set`. */
export interface Changes {
  /** Headers to remove, in lower case. */
  readonly remove: readonly string[];
  /** Headers to set, in lower case. */
  readonly set: readonly (readonly [name: string, value: string])[];
  /** The request target without the token that was in its query. */
  readonly target?: string;
}

/** The answer to a caller that is refused. */
export interface Reply {
  /** The HTTP status. */
  readonly status: number;
  /** Header names in lower case, and their values. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Problem details (RFC 9457) as JSON. */
  readonly body: string;
  /** The status for a gRPC caller. */
  readonly grpcStatus: number;
}

interface Decided {
  /** The revision of the policy that decided. */
  readonly revision: string;
  /** Whether the policy only watches. */
  readonly shadow: boolean;
  /** How the request has to be changed if it goes on. */
  readonly changes: Changes;
}

/** The request may pass. */
export interface Allowed extends Decided {
  readonly verdict: 'allow';
  readonly reason: 'allowed_by_rule' | 'no_allow_policy';
  readonly status: 200;
  readonly refuses: false;
}

/** The request may not pass, unless the policy only watches. */
export interface Denied extends Decided {
  readonly verdict: 'deny';
  /** The exact reason: for logs, not for callers. */
  readonly reason: DenialReason;
  /** The HTTP status of the answer. */
  readonly status: number;
  /** Whether the host must refuse: false in shadow mode only. */
  readonly refuses: boolean;
  /** The answer. */
  readonly reply: Reply;
}

/** What was decided. */
export type Decision = Allowed | Denied;

/** Why a request is refused. */
export type DenialReason =
  | 'path_ambiguous' | 'path_malformed' | 'host_ambiguous' | 'connection_header' | 'headers_too_large'
  | 'peer_malformed' | 'peer_required'
  | 'credential_missing' | 'credential_malformed' | 'credential_multiple'
  | 'token_too_large' | 'token_malformed' | 'token_header_refused' | 'algorithm_refused'
  | 'issuer_unknown' | 'key_unknown' | 'signature_invalid'
  | 'claim_missing' | 'claim_malformed'
  | 'token_expired' | 'token_not_yet_valid' | 'token_issued_in_future' | 'lifetime_exceeded'
  | 'svid_refused' | 'audience_mismatch' | 'scope_missing' | 'denied_by_rule' | 'no_rule_matched'
  | 'keys_unavailable' | 'verifier_unavailable' | 'not_configured';

/** What loads and is probably not meant. */
export interface Finding {
  readonly code: string;
  readonly severity: 'warning' | 'error';
  /** JSON Pointer (RFC 6901) to the place in the bundle. */
  readonly pointer: string;
  /** What stands there, or the other place that it depends on; may be empty. */
  readonly detail: string;
  /** What may go wrong, in one sentence. */
  readonly risk: string;
  /** What to write instead, in one sentence. */
  readonly fix: string;
}

/**
 * A signature for the host's own crypto library; r and s for ECDSA. The bytes are good during the
 * call only.
 */
export interface SignatureCheck {
  readonly algorithm: 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384';
  /** SubjectPublicKeyInfo, DER. The key passed all of Lychgate's checks. */
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

declare const portable: unique symbol;

/** What `lychgate/portable` exports, and nothing else. */
export interface PortableVerifier {
  readonly [portable]: true;
}

/** Whether the signature is genuine; `undefined` if the library can't say, which is a 503. */
export type Verifier = (check: SignatureCheck) => boolean | undefined;

/** What came of fetching a key set. */
export type FetchReport =
  | { readonly outcome: 'updated'; readonly uri: string; readonly keys: number; readonly skipped: number }
  | { readonly outcome: 'kept'; readonly uri: string; readonly code: string; readonly message: string; readonly retryAt: number };
