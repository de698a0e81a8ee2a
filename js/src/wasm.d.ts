/** The glue that wasm-bindgen makes of crates/bindings; the Rust documents it. */
export class Gate {
  constructor(bundle: string, seed: number);
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
  begin(now: number, host: number): number;
  awaited_source(ticket: number): number | undefined;
  resume(ticket: number, host: number): number;
  check_algorithm(ticket: number): number | undefined;
  check_key(ticket: number): Uint8Array | undefined;
  check_message(ticket: number): Uint8Array | undefined;
  check_signature(ticket: number): Uint8Array | undefined;
  finish(ticket: number, genuine: boolean | undefined, host: number): number;
  abandon(ticket: number): void;
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
