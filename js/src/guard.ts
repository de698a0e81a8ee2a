import { __wbg_reset_state, algorithms, Gate, reasons } from '#wasm';
import { hostLibrary } from '#crypto';
import { RequestBuffer } from './buffer.js';
import { frozen, NO_CHANGES, withChanges } from './changes.js';
import { answerOf, CAN_NOT_SAY, isPortable, type HostVerifier } from './crypto/library.js';
import { unavailable } from './denial.js';
import { LychgateError, loadError } from './errors.js';
import { describe } from './fetch.js';
import { KeyFetcher, type KeyHost } from './keys.js';
import type { Allowed, Changes, Decision, Denied, FetchReport, Finding, Peer, PortableVerifier, Reply, RequestDescription, SignatureCheck, Verifier } from './types.js';

/** More requests than this never wait for the same at a time; the others go on without. */
const WAITING = 4096;

/** What the engine answers, see crates/bindings/src/outcome.rs. */
const REFUSES = 0x1_0000;
const SHADOW = 0x2_0000;
const CHANGES = 0x4_0000;
const AS_TOLD = 0x8_0000;
const DECIDED = 0;
const NEED_KEYS = 1;
const NEED_SIGNATURE = 2;

const REASONS = JSON.parse(reasons()) as Pick<Decision, 'reason' | 'verdict' | 'status'>[];
const ALGORITHMS = JSON.parse(algorithms()) as (SignatureCheck['algorithm'] | 'EdDSA')[];

/** How often WebAssembly was started again, for all guards of this module. */
let generation = 0;

/** A policy: a bundle as `lychgate compile` writes it, as text or parsed, or its parts. */
export type PolicySource =
  | { readonly bundle: string | object }
  | {
      /** Kubernetes resources: AuthorizationPolicy, RequestAuthentication, PeerAuthentication. */
      readonly resources: readonly object[];
      /** The workload for which those that apply are selected. */
      readonly workload: object;
      /** See docs/settings.md of Lychgate's repository. */
      readonly settings?: object;
    };

/** What `Guard.load` needs. */
export type GuardOptions = PolicySource & {
  /** Key sets by the URI that the policy names: these are never fetched. */
  readonly keys?: Readonly<Record<string, unknown>>;
  /** Fetches the other key sets; `false` for never. By default the global `fetch`. */
  readonly fetch?: typeof fetch | false;
  /** Milliseconds since 1970. By default `Date.now`. */
  readonly clock?: () => number;
  /** Checks RSA and ECDSA signatures, or is `lychgate/portable`. By default the host's crypto checks, Ed25519 too. */
  readonly verifier?: Verifier | PortableVerifier;
  /** Takes the audit record of each decision: one JSON object on one line. */
  readonly audit?: (record: string, decision: Decision) => void;
  /** Takes what came of each fetch of keys. */
  readonly onFetch?: (report: FetchReport) => void;
  /** Takes what was thrown inside. The caller got a denial, and the engine was started again. */
  readonly onFault?: (error: unknown) => void;
};

/** What only one request has. */
export interface AuthorizeOptions {
  /** Who the peer is, for a Fetch API `Request`, which doesn't know. */
  readonly peer?: Peer;
  /** Keeps the host alive until keys that are being fetched have come. */
  readonly waitUntil?: (promise: Promise<unknown>) => void;
}

/** The engine for one policy, as long as nothing replaces either. */
interface Machine {
  readonly gate: Gate;
  readonly library: HostVerifier;
  readonly buffer: RequestBuffer;
  readonly fetcher: KeyFetcher;
  readonly generation: number;
  readonly revision: string;
  /** The changes that the engine told last, as JSON, and read once another decision has the same. */
  told: { readonly text: string | undefined; changes?: Changes };
}

/** Decides about requests under one policy. */
export class Guard {
  readonly #host: KeyHost;
  readonly #verifier: GuardOptions['verifier'];
  readonly #audit: GuardOptions['audit'];
  readonly #onFault: GuardOptions['onFault'];
  #bundle: string;
  #machine: Machine;
  /** How many requests wait for keys. */
  #waiting = 0;
  /** How many wait for the host's crypto. */
  #checking = 0;

  /**
   * Loads a policy and fetches the keys that it needs. Keys that can't be had are no error: their
   * issuers' tokens are answered with 503 until they come.
   *
   * @throws {LychgateError} if the policy does not load; `pointer` says where.
   */
  static async load(options: GuardOptions): Promise<Guard> {
    const guard = Guard.start(options);
    await guard.#machine.fetcher.refresh(guard.#host.clock());
    return guard;
  }

  /**
   * Loads a policy and leaves the fetching of keys to the requests, for hosts that may do nothing
   * else outside of one: in Cloudflare's, a policy that does not load then fails the deployment.
   *
   * @throws {LychgateError} if the policy does not load; `pointer` says where.
   */
  static start(options: GuardOptions): Guard {
    return new Guard(options);
  }

  private constructor(options: GuardOptions) {
    const { fetch = globalThis.fetch } = options;
    this.#host = {
      fetch: fetch === false ? undefined : (...parameters) => fetch(...parameters),
      keys: options.keys ?? {},
      clock: options.clock ?? Date.now,
      report: (report) => options.onFetch?.(report),
      guarded: (work) => {
        try {
          work();
        } catch (error) {
          this.#fault(error);
        }
      },
    };
    this.#verifier = options.verifier;
    this.#audit = options.audit;
    this.#onFault = options.onFault;
    this.#bundle = bundleText(options);
    this.#machine = this.#start();
  }

  /** Lower-case hex SHA-256 of the canonical bundle; every decision carries it. */
  get revision(): string {
    return this.#machine.revision;
  }

  /** What loads and is probably not meant. */
  get warnings(): readonly Finding[] {
    return this.#attempt(() => JSON.parse(this.#current().gate.warnings()) as Finding[]);
  }

  /**
   * Replaces the policy at once. Keys of sources that both policies have are kept; a request that
   * waits for keys, or for the host's crypto, is decided anew under the new policy.
   *
   * @throws {LychgateError} if the policy does not load: then the one in force stays.
   */
  update(policy: PolicySource): void {
    const bundle = bundleText(policy);
    const { gate, library, buffer, fetcher } = this.#current();
    this.#attempt(() => gate.update(bundle, seed()));
    fetcher.retire();
    this.#bundle = bundle;
    this.#machine = this.#machineOf(gate, library, buffer);
  }

  /**
   * Decides at once, with the keys that are there, and with a crypto library that answers at once:
   * Node's, or `lychgate/portable`. Elsewhere only a token that was verified before is known; any
   * other is denied with `verifier_unavailable` (503).
   *
   * Nothing that goes wrong inside lets a request pass or throws: the answer is a denial.
   */
  decide(request: RequestDescription): Decision {
    try {
      const machine = this.#current();
      const now = this.#host.clock();
      machine.fetcher.refresh(now);
      let packed = this.#begin(machine, request, now);
      for (;;) {
        const what = packed & 0xff;
        if (what === NEED_KEYS) {
          // Comes too late for this request, and in time for a later one.
          this.#wanted(machine, packed);
          packed = machine.gate.resume(packed >>> 8);
        } else if (what === NEED_SIGNATURE) {
          packed = machine.gate.answer(packed >>> 8, CAN_NOT_SAY);
        } else {
          return this.#decision(machine, packed);
        }
      }
    } catch (error) {
      return this.#fault(error);
    }
  }

  /**
   * Decides, and waits for the host's crypto where that takes its time, and a moment for keys that
   * may still come.
   *
   * As {@link decide}, nothing that goes wrong inside lets a request pass.
   */
  async authorize(request: Request | RequestDescription, options: AuthorizeOptions = {}): Promise<Decision> {
    try {
      return await this.#authorize(isFetchRequest(request) ? describe(request, options.peer) : request, options);
    } catch (error) {
      return this.#fault(error);
    }
  }

  async #authorize(request: RequestDescription, { waitUntil }: AuthorizeOptions): Promise<Decision> {
    let mayWait = true;
    for (;;) {
      const machine = this.#current();
      const now = this.#host.clock();
      const refreshed = machine.fetcher.refresh(now);
      if (refreshed !== undefined) waitUntil?.(refreshed);
      let packed = this.#begin(machine, request, now);
      while (this.#isInForce(machine)) {
        const what = packed & 0xff;
        if (what === NEED_KEYS) {
          const keys = mayWait ? this.#wanted(machine, packed) : undefined;
          if (keys !== undefined) {
            mayWait = false;
            waitUntil?.(keys.fetch);
            await this.#wait(keys);
            if (!this.#isInForce(machine)) continue;
          }
          packed = machine.gate.resume(packed >>> 8);
        } else if (what === NEED_SIGNATURE) {
          const answer = await this.#answer(machine);
          if (!this.#isInForce(machine)) continue;
          packed = machine.gate.answer(packed >>> 8, answer);
        } else {
          return this.#decision(machine, packed);
        }
      }
    }
  }

  /** Another policy, or an engine that was started again, knows nothing of this one's tickets. */
  #isInForce(machine: Machine): boolean {
    return machine === this.#machine && machine.generation === generation;
  }

  async #answer({ library }: Machine): Promise<number> {
    if (library.later === undefined || this.#checking >= WAITING) return CAN_NOT_SAY;
    this.#checking += 1;
    try {
      return await library.later();
    } finally {
      this.#checking -= 1;
    }
  }

  #wanted({ gate, fetcher }: Machine, packed: number): ReturnType<KeyFetcher['wanted']> {
    const source = gate.awaited_source(packed >>> 8);
    if (source === undefined || this.#waiting >= WAITING) return undefined;
    return fetcher.wanted(source, this.#host.clock());
  }

  async #wait({ fetch, wait }: { fetch: Promise<void>; wait: number }): Promise<void> {
    this.#waiting += 1;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await Promise.race([fetch, new Promise((resolve) => { timer = setTimeout(resolve, wait); })]);
    } finally {
      clearTimeout(timer);
      this.#waiting -= 1;
    }
  }

  #begin(machine: Machine, request: RequestDescription, now: number): number {
    machine.buffer.write(request);
    return machine.gate.begin(now);
  }

  /** Reads what the engine remembers of its last decision: before it begins the next. */
  #decision(machine: Machine, packed: number): Decision {
    const { gate, revision } = machine;
    const entry = REASONS[(packed >>> 8) & 0xff];
    if ((packed & 0xff) !== DECIDED || entry === undefined) throw new Error('the engine read no request');
    const { verdict, reason, status } = entry;
    const shadow = (packed & SHADOW) !== 0;
    const changes = packed & CHANGES ? this.#changes(machine, packed) : NO_CHANGES;
    // One literal for each form: spreading objects would take longer than the engine does.
    if (verdict === 'allow' && this.#audit === undefined) {
      if (typeof changes === 'object') return { verdict, reason, status, refuses: false, revision, shadow, changes } as Allowed;
      return withChanges({ verdict, reason, status, refuses: false, revision, shadow }, changes) as Allowed;
    }
    const correlationId = gate.correlation_id() ?? crypto.randomUUID();
    const decided = { revision, shadow, changes: typeof changes === 'object' ? changes : changes() };
    const decision = verdict === 'allow'
      ? { verdict, reason, status, refuses: false, ...decided } as Allowed
      : { verdict, reason, status, refuses: (packed & REFUSES) !== 0, ...decided, reply: parsed<Reply>(gate.reply(correlationId)) } as Denied;
    this.#audit?.(gate.audit(this.#host.clock(), correlationId) ?? '', decision);
    return decision;
  }

  /** Changes that are new are read when somebody looks: a gateway that only asks whether never does. */
  #changes(machine: Machine, packed: number): Changes | (() => Changes) {
    if ((packed & AS_TOLD) !== 0) return (machine.told.changes ??= frozen(parsed<Changes>(machine.told.text)));
    const told: Machine['told'] = { text: machine.gate.changes() };
    machine.told = told;
    return () => (told.changes ??= frozen(parsed<Changes>(told.text)));
  }

  /** Throws the engine away and denies. */
  #fault(error: unknown): Decision {
    generation += 1;
    try {
      __wbg_reset_state();
      this.#onFault?.(error);
    } catch {
      // A denial all the same; the next request tries to start the engine again.
    }
    return unavailable(this.#machine.revision);
  }

  /** The engine, started again if it was thrown away since. */
  #current(): Machine {
    if (this.#machine.generation !== generation) {
      this.#machine.fetcher.retire();
      this.#machine = this.#start();
    }
    return this.#machine;
  }

  #start(): Machine {
    const library = libraryOf(this.#verifier);
    const gate = this.#attempt(() => new Gate(this.#bundle, seed(), library));
    return this.#machineOf(gate, library, new RequestBuffer(gate));
  }

  #machineOf(gate: Gate, library: HostVerifier, buffer: RequestBuffer): Machine {
    const started = generation;
    const fetcher = new KeyFetcher(gate, this.#host, () => started === generation);
    return { gate, library, buffer, fetcher, generation, revision: gate.revision(), told: { text: undefined } };
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw loadError(error);
    }
  }
}

/** Whom the engine asks about signatures. */
function libraryOf(verifier: GuardOptions['verifier']): HostVerifier {
  if (verifier === undefined) return hostLibrary(ALGORITHMS);
  if (typeof verifier === 'function') return callersLibrary(verifier, hostLibrary(ALGORITHMS));
  if (!isPortable(verifier)) {
    throw new LychgateError('verifier', "the verifier is neither a function nor what 'lychgate/portable' exports");
  }
  return verifier.library(ALGORITHMS);
}

/** A caller's own verifier as the engine asks it: by numbers, never throwing, and the host for Ed25519. */
function callersLibrary(verifier: Verifier, host: HostVerifier): HostVerifier {
  const keys: Uint8Array[] = [];
  return {
    ...host,
    hold: (place, number, key) => {
      keys[place] = key.slice();
      return ALGORITHMS[number] !== 'EdDSA' || host.hold(place, number, key);
    },
    verify: (number, place, message, signature) => {
      const [algorithm, key] = [ALGORITHMS[number], keys[place]];
      if (algorithm === 'EdDSA') return host.verify(number, place, message, signature);
      if (algorithm === undefined || key === undefined) return CAN_NOT_SAY;
      try {
        return answerOf(verifier({ algorithm, key, message, signature }));
      } catch {
        return CAN_NOT_SAY;
      }
    },
  };
}

function bundleText(policy: PolicySource): string {
  if ('bundle' in policy) {
    return typeof policy.bundle === 'string' ? policy.bundle : JSON.stringify(policy.bundle);
  }
  const { resources, workload, settings = {} } = policy;
  return JSON.stringify({ apiVersion: 'lychgate.dev/v1alpha1', kind: 'Bundle', workload, settings, resources });
}

function isFetchRequest(request: Request | RequestDescription): request is Request {
  return 'url' in request;
}

function parsed<T>(json: string | undefined): T {
  return JSON.parse(json ?? 'null') as T;
}

/** Spreads the fetches of hosts that start together. */
function seed(): number {
  try {
    return Math.floor(Math.random() * 2 ** 32);
  } catch {
    // Workers have no randomness outside of requests, and begin to fetch when their first one comes.
    return 0;
  }
}
