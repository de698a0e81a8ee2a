import { unavailable } from '../denial.js';
import { LychgateError } from '../errors.js';
import { describe, toResponse, toUpstream } from '../fetch.js';
import { Guard, type GuardOptions, type PolicySource } from '../guard.js';
import type { Decision, FetchReport } from '../types.js';
import { connectionOf, peerOf } from './peer.js';
import { inScript, lifetime, read, type WorkerPolicy } from './policy.js';

/** A policy that could not be had is not asked for again before this, in milliseconds. */
const RETRY = 5_000;

/** What Lychgate calls on a Worker's context. */
export interface WorkerContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** How a Worker is guarded, besides its policy. */
export interface WorkerOptions extends Omit<GuardOptions, 'audit'> {
  /** Takes the audit record of each decision, one JSON object on one line; by default `console.log`. */
  readonly audit?: GuardOptions['audit'] | false;
}

/** What becomes of a request. */
export type Admission =
  | { readonly decision: Decision; readonly request: Request }
  | { readonly answer: Response };

/** Decides for one Worker: has its policy, its keys and its engine for as long as the isolate lives. */
export class Gatekeeper<Env> {
  readonly #policy: WorkerPolicy<Env>;
  readonly #options: WorkerOptions;
  #guard: Guard | undefined;
  /** What is in force, to see whether another one came. */
  #bundle: unknown;
  #readAt = -Infinity;
  #error: unknown;

  /** @throws {LychgateError} if the policy is in the script and does not load. */
  constructor(policy: WorkerPolicy<Env>, options: WorkerOptions) {
    this.#policy = policy;
    this.#options = options;
    const source = inScript(policy);
    if (source !== undefined) this.#guard = this.#start(source);
  }

  /** Never throws: whatever goes wrong is a denial. */
  async admit(request: Request, env: Env, waitUntil: WorkerContext['waitUntil']): Promise<Admission> {
    try {
      const guard = this.#guard ?? await this.#first(env);
      this.#refresh(env, waitUntil);
      const description = { ...describe(request, peerOf(request)), connection: connectionOf(request) };
      const decision = await guard.authorize(description, { waitUntil });
      return decision.refuses ? { answer: toResponse(decision) } : { decision, request: toUpstream(request, decision) };
    } catch (error) {
      this.#fault(error);
      return { answer: toResponse(unavailable(this.#guard?.revision ?? '')) };
    }
  }

  /** Several requests may read the first policy at the same time: none depends on another's reading. */
  async #first(env: Env): Promise<Guard> {
    if (this.#error !== undefined && this.#age() < RETRY) throw this.#error;
    try {
      const source = await read(this.#policy, env);
      return this.#guard ??= this.#started(source);
    } catch (error) {
      this.#readAt = this.#now();
      this.#error = error;
      throw error;
    }
  }

  #started(source: PolicySource): Guard {
    const guard = this.#start(source);
    this.#bundle = 'bundle' in source ? source.bundle : undefined;
    this.#readAt = this.#now();
    return guard;
  }

  /** Looks for another policy while this one decides. */
  #refresh(env: Env, waitUntil: WorkerContext['waitUntil']): void {
    if (this.#age() < lifetime(this.#policy)) return;
    this.#readAt = this.#now();
    waitUntil(this.#replace(env).catch((error: unknown) => this.#fault(error)));
  }

  async #replace(env: Env): Promise<void> {
    const source = await read(this.#policy, env);
    if (!('bundle' in source) || source.bundle === this.#bundle) return;
    this.#guard?.update(source);
    this.#bundle = source.bundle;
  }

  #start(source: PolicySource): Guard {
    const { audit, ...options } = this.#options;
    return Guard.start({
      onFetch: logFetch,
      onFault: logFault,
      ...options,
      ...source,
      ...(audit === false ? {} : { audit: audit ?? ((record: string) => console.log(record)) }),
    });
  }

  #fault(error: unknown): void {
    try {
      (this.#options.onFault ?? logFault)(error);
    } catch {
      // Whoever is told must not change the answer.
    }
  }

  #age(): number {
    return this.#now() - this.#readAt;
  }

  #now(): number {
    return (this.#options.clock ?? Date.now)();
  }
}

function logFetch(report: FetchReport): void {
  if (report.outcome !== 'kept') return;
  console.warn(JSON.stringify({ ...report, message: `lychgate: keys were not refreshed: ${report.message}` }));
}

function logFault(error: unknown): void {
  const code = error instanceof LychgateError ? error.code : 'fault';
  console.error(JSON.stringify({ message: 'lychgate: requests are refused or an old policy stays', code, error: String(error) }));
}
