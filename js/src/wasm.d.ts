/** The glue that wasm-bindgen makes of crates/bindings; the Rust documents it. */
/** The host's crypto library. Its methods never throw. */
export interface HostVerifier {
  /** Whether an answer may come later. */
  waits(): boolean;
  /** Whether it checks signatures of this algorithm with this key, which it then keeps at that place. */
  hold(place: number, algorithm: number, key: Uint8Array): boolean;
  /** 1 for genuine, 0 for not, 3 for later, anything else if it can't say. */
  verify(algorithm: number, place: number, message: Uint8Array, signature: Uint8Array): number;
  /** What `verify` will have said to its last question, if that was 3. Never rejects. */
  later?(): Promise<number>;
}
export class Gate {
  constructor(bundle: string, seed: number, verifier?: HostVerifier);
  free(): void;
  update(bundle: string, seed: number): void;
  revision(): string;
  warnings(): string;
  sources(): string;
  reserve(fields: number, bytes: number): void;
  fields(): number;
  bytes(): number;
  field_capacity(): number;
  byte_capacity(): number;
  begin(now: number): number;
  awaited_source(ticket: number): number | undefined;
  resume(ticket: number): number;
  answer(ticket: number, answer: number): number;
  correlation_id(): string | undefined;
  reply(correlationId: string): string | undefined;
  changes(): string | undefined;
  audit(now: number, correlationId: string): string | undefined;
  due(now: number): number | undefined;
  next_due(): number | undefined;
  want(source: number, now: number): number;
  begin_fetch(source: number, now: number, wanted: boolean): void;
  discover(source: number, now: number, metadata: Uint8Array): string;
  finish_fetch(source: number, now: number, body: Uint8Array, cacheControl: string): string;
  fail_fetch(source: number, now: number, status: number): string;
}
export function algorithms(): string;
export function reasons(): string;
export function linear_memory(): WebAssembly.Memory;
export function __wbg_reset_state(): void;
