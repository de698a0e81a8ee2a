import type { HostVerifier } from './crypto/library.js';

/** The glue that wasm-bindgen makes of crates/bindings; the Rust documents it. */
export class Gate {
  constructor(bundle: string, seed: number, verifier?: HostVerifier);
  free(): void;
  update(bundle: string, seed: number): void;
  revision(): string;
  warnings(): string;
  sources(): string;
  reserve(fields: number, names: number, bytes: number): void;
  fields(): number;
  bytes(): number;
  field_capacity(): number;
  byte_capacity(): number;
  names(): number;
  name_capacity(): number;
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
