import type { Gate } from '#wasm';
import type { FetchReport } from './types.js';

const TIMEOUT = 0;
const NO_CONNECTION = 1;
const TOO_LARGE = 2;

/** `Want` as the engine numbers it. */
const WANT_NOTHING = 0;
const WANT_FETCH = 2;

interface Source {
  readonly uri: string;
  readonly discovered: boolean;
  readonly timeout: number;
  readonly wait: number;
  /** The engine refuses a larger body, so reading stops there. */
  readonly bytes: number;
}

/** What a fetch of keys needs from its guard. */
export interface KeyHost {
  readonly fetch: typeof fetch | undefined;
  readonly keys: Readonly<Record<string, unknown>>;
  readonly clock: () => number;
  readonly report: (report: FetchReport) => void;
  /** Does work in which the engine may fail. */
  readonly guarded: (work: () => void) => void;
}

/**
 * Fetches the key sets of one policy. When to fetch is for the engine to say; here is only how.
 * A policy that was replaced has its own fetcher, whose answers nobody reads any more.
 */
export class KeyFetcher {
  readonly #gate: Gate;
  readonly #host: KeyHost;
  readonly #sources: readonly Source[];
  readonly #isRunning: () => boolean;
  readonly #running = new Map<number, Promise<void>>();
  #nextDue = 0;
  #retired = false;

  constructor(gate: Gate, host: KeyHost, isRunning: () => boolean) {
    this.#gate = gate;
    this.#host = host;
    this.#isRunning = isRunning;
    this.#sources = JSON.parse(gate.sources()) as Source[];
  }

  retire(): void {
    this.#retired = true;
  }

  /** Begins whatever is due; answers what it began. */
  refresh(now: number): Promise<unknown> | undefined {
    if (this.#sources.length === 0 || now < this.#nextDue) return undefined;
    const begun: (Promise<void> | undefined)[] = [];
    for (let round = 0; round < this.#sources.length; round += 1) {
      const source = this.#gate.due(now);
      if (source === undefined) break;
      this.#begin(source, now, false);
      begun.push(this.#running.get(source));
    }
    this.#nextDue = this.#gate.next_due() ?? Infinity;
    return begun.length > 0 ? Promise.all(begun) : undefined;
  }

  /** What a request that needs the keys of this source should wait for; nothing if it can't help. */
  wanted(source: number, now: number): { readonly fetch: Promise<void>; readonly wait: number } | undefined {
    const want = this.#gate.want(source, now);
    if (want === WANT_NOTHING) return undefined;
    if (want === WANT_FETCH) this.#begin(source, now, true);
    const fetch = this.#running.get(source);
    return fetch && { fetch, wait: this.#sources[source]?.wait ?? 0 };
  }

  #begin(index: number, now: number, wanted: boolean): void {
    const source = this.#sources[index];
    if (source === undefined) return;
    this.#gate.begin_fetch(index, now, wanted);
    const { keys, fetch } = this.#host;
    if (Object.hasOwn(keys, source.uri)) {
      const body = new TextEncoder().encode(JSON.stringify(keys[source.uri]));
      this.#finish(index, { body, cacheControl: '' });
    } else if (fetch === undefined) {
      this.#finish(index, failure(NO_CONNECTION));
    } else {
      const running = this.#download(fetch, index, source).then(() => {
        // One that never ended has been given up and begun anew.
        if (this.#running.get(index) === running) this.#running.delete(index);
      });
      this.#running.set(index, running);
    }
  }

  /** Never rejects. A set that is discovered has for both its fetches the time of one. */
  async #download(fetch: KeyHost['fetch'] & {}, index: number, { uri, discovered, timeout, bytes }: Source): Promise<void> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeout);
    let answer: Answer | undefined = await get(fetch, uri, bytes, abort.signal);
    if (discovered && typeof answer.body !== 'number') {
      const keySet = this.#discover(index, answer.body);
      answer = keySet === undefined ? undefined : await get(fetch, keySet, bytes, abort.signal);
    }
    clearTimeout(timer);
    const last = answer;
    if (last !== undefined) this.#host.guarded(() => this.#finish(index, last));
  }

  /** Where the keys are; nothing if the fetch is over. */
  #discover(index: number, metadata: Uint8Array): string | undefined {
    let keySet: string | undefined;
    this.#host.guarded(() => {
      if (!this.#isCurrent()) return;
      const report = this.#gate.discover(index, this.#host.clock(), metadata);
      const { outcome, uri } = JSON.parse(report) as { outcome: string; uri: string };
      if (outcome === 'found') keySet = uri;
      else this.#report(index, report);
    });
    return keySet;
  }

  #finish(index: number, { body, cacheControl }: Answer): void {
    if (!this.#isCurrent()) return;
    const now = this.#host.clock();
    const report = typeof body === 'number'
      ? this.#gate.fail_fetch(index, now, body)
      : this.#gate.finish_fetch(index, now, body, cacheControl);
    this.#report(index, report);
  }

  #report(index: number, report: string): void {
    this.#nextDue = 0;
    const uri = this.#sources[index]?.uri;
    this.#host.report({ ...JSON.parse(report), uri } as FetchReport);
  }

  #isCurrent(): boolean {
    return !this.#retired && this.#isRunning();
  }
}

interface Answer {
  /** The bytes, or why there are none, as the engine numbers it. */
  readonly body: Uint8Array | number;
  readonly cacheControl: string;
}

/** Never rejects. A redirect is a status: it is never followed. */
async function get(fetch: KeyHost['fetch'] & {}, uri: string, bytes: number, signal: AbortSignal): Promise<Answer> {
  try {
    const headers = { accept: 'application/json' };
    const response = await fetch(uri, { headers, redirect: 'manual', signal });
    if (response.status !== 200) {
      response.body?.cancel().catch(() => {});
      return failure(response.status >= 100 ? response.status : NO_CONNECTION);
    }
    return { body: await read(response, bytes), cacheControl: response.headers.get('cache-control') ?? '' };
  } catch {
    return failure(signal.aborted ? TIMEOUT : NO_CONNECTION);
  }
}

function failure(code: number): Answer {
  return { body: code, cacheControl: '' };
}

async function read(response: Response, bytes: number): Promise<Uint8Array | number> {
  const body = new Uint8Array(bytes);
  let length = 0;
  if (response.body === null) return body.subarray(0, 0);
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return body.subarray(0, length);
    if (length + value.length > bytes) {
      reader.cancel().catch(() => {});
      return TOO_LARGE;
    }
    body.set(value, length);
    length += value.length;
  }
}
