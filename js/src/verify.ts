import { LychgateError } from './errors.js';
import { Guard, type GuardOptions } from './guard.js';
import type { Decision, DenialReason, PortableVerifier } from './types.js';

/** What a token is checked against. */
export interface VerifyOptions {
  /** The only issuer that is accepted: `iss`, to the letter. */
  readonly issuer: string;
  /** Who this is: `aud` must name one of these. */
  readonly audience: string | readonly [string, ...string[]];
  /** The issuer's keys: a JSON Web Key Set, parsed or as text. */
  readonly jwks?: string | { readonly keys: readonly object[] };
  /** Where the issuer's keys are, instead of `jwks`: fetched, and kept fresh. */
  readonly jwksUri?: string;
  /** Secrets for HS256, HS384 and HS512, instead of `jwks`: `k` is base64url. */
  readonly symmetricKeys?: readonly SymmetricKey[];
  /** How far clocks may differ, in seconds: 0 to 300, by default 60. */
  readonly clockSkewSeconds?: number;
  /** Whether a token without `exp` is refused; by default it is. */
  readonly requireExp?: boolean;
  /** The longest time for which a token may be valid, in seconds; by default any. */
  readonly maxLifetimeSeconds?: number;
  /** Claims that must be there. */
  readonly requiredClaims?: readonly string[];
  /** `lychgate/portable`, where the host's crypto lacks an algorithm. */
  readonly verifier?: PortableVerifier;
  /** Fetches `jwksUri`; by default the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Milliseconds since 1970; by default `Date.now`. */
  readonly clock?: () => number;
}

/** A secret that both sides know. */
export interface SymmetricKey {
  readonly kid?: string;
  readonly alg: 'HS256' | 'HS384' | 'HS512';
  /** The secret, base64url. */
  readonly k: string;
}

/** The claims of a token, as its issuer wrote them. */
export interface Claims {
  readonly iss: string;
  readonly sub?: string;
  readonly aud: string | readonly string[];
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly [claim: string]: unknown;
}

/** What came of a token. */
export type Verification =
  | { readonly valid: true; readonly claims: Claims }
  | {
      readonly valid: false;
      /** The exact reason: for logs, not for callers. */
      readonly reason: DenialReason;
      /** The HTTP status that goes with it: 401, 403 or 503. */
      readonly status: number;
      /** What goes into `WWW-Authenticate`, where something does. */
      readonly challenge?: string;
    };

/** Checks tokens against one set of expectations. */
export interface JwtVerifier {
  /** Checks a token, and waits a moment for keys that may still come. Never rejects. */
  verify(token: string): Promise<Verification>;
}

/** As many sets of expectations as `verifyJwt` remembers. */
const REMEMBERED = 64;

const byOptions = new WeakMap<VerifyOptions, Promise<JwtVerifier>>();
const byText = new Map<string, Promise<JwtVerifier>>();

/**
 * Checks a token: signature, issuer, audience, times and all that Lychgate refuses in tokens. A bad
 * token is no exception: the answer says why.
 *
 * Keys and verified tokens are remembered for options that are the same object, or that say the
 * same and bring no functions of their own.
 *
 * @throws {LychgateError} if the options are wrong.
 */
export async function verifyJwt(token: string, options: VerifyOptions): Promise<Verification> {
  return (await remembered(options)).verify(token);
}

/**
 * The same for many tokens: keys are fetched at once.
 *
 * @throws {LychgateError} if the options are wrong.
 */
export async function createJwtVerifier(options: VerifyOptions): Promise<JwtVerifier> {
  const guard = await Guard.load(guardOptions(options));
  return { verify: async (token) => verification(token, await guard.authorize(request(token))) };
}

function remembered(options: VerifyOptions): Promise<JwtVerifier> {
  let verifier = byOptions.get(options);
  if (verifier === undefined) {
    const isPlain = options.fetch === undefined && options.clock === undefined && options.verifier === undefined;
    verifier = isPlain ? sameText(options) : createJwtVerifier(options);
    byOptions.set(options, verifier);
  }
  return verifier;
}

function sameText(options: VerifyOptions): Promise<JwtVerifier> {
  const text = JSON.stringify(guardOptions(options));
  let verifier = byText.get(text);
  if (verifier === undefined) {
    verifier = createJwtVerifier(options);
    const [oldest] = byText.keys();
    if (byText.size >= REMEMBERED && oldest !== undefined) byText.delete(oldest);
    byText.set(text, verifier);
  }
  return verifier;
}

/** A policy that allows whoever has a verified token, and nobody else. */
function guardOptions(options: VerifyOptions): GuardOptions {
  const { issuer, audience, jwks, jwksUri, symmetricKeys } = options;
  const audiences = typeof audience === 'string' ? [audience] : audience;
  if (typeof issuer !== 'string' || issuer === '') throw new LychgateError('issuer_required', 'an issuer is required');
  if (!Array.isArray(audiences) || audiences.length === 0 || audiences.includes('')) {
    throw new LychgateError('audience_required', 'an audience is required');
  }
  const rule = {
    issuer, audiences, jwksUri, forwardOriginalToken: true,
    jwks: typeof jwks === 'object' ? JSON.stringify(jwks) : jwks,
  };
  return {
    workload: { kind: 'sidecar', namespace: 'default' },
    settings: settings(options, symmetricKeys?.map((key) => ({ issuer, ...key }))),
    resources: [
      resource('RequestAuthentication', { jwtRules: [rule] }),
      resource('AuthorizationPolicy', { rules: [{ when: [{ key: 'request.auth.claims[iss]', values: ['*'] }] }] }),
    ],
    ...(options.fetch && { fetch: options.fetch }),
    ...(options.clock && { clock: options.clock }),
    ...(options.verifier && { verifier: options.verifier }),
  };
}

function settings(options: VerifyOptions, symmetricKeys: object[] | undefined): object {
  const { clockSkewSeconds, requireExp, maxLifetimeSeconds, requiredClaims } = options;
  return { clockSkewSeconds, requireExp, maxLifetimeSeconds, requiredClaims, symmetricKeys, identityHeaders: false };
}

function resource(kind: string, spec: object): object {
  return { apiVersion: 'security.istio.io/v1', kind, metadata: { name: 'verify', namespace: 'default' }, spec };
}

function request(token: string): { method: string; target: string; authority: string; headers: [string, string][] } {
  return { method: 'GET', target: '/', authority: 'localhost', headers: [['authorization', `Bearer ${token}`]] };
}

function verification(token: string, decision: Decision): Verification {
  if (decision.verdict === 'deny') {
    const { reason, status, reply } = decision;
    const challenge = reply.headers.find(([name]) => name === 'www-authenticate')?.[1];
    return { valid: false, reason, status, ...(challenge !== undefined && { challenge }) };
  }
  // The engine has read these bytes before, and more strictly.
  const payload = token.split('.')[1] ?? '';
  return { valid: true, claims: JSON.parse(decoded(payload)) as Claims };
}

function decoded(base64url: string): string {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}
