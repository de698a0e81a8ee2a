/** The glue that wasm-bindgen makes of crates/portable; the Rust documents it. */
export class Portable {
  constructor();
  hold(place: number, key: Uint8Array): boolean;
  verify(algorithm: string, place: number, message: Uint8Array, signature: Uint8Array): boolean | undefined;
}
export function __wbg_reset_state(): void;
