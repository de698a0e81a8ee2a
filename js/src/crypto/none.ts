import type { HostVerifier } from '#wasm';

/** This host has no library that answers at once: signatures are checked in WebAssembly. */
export const hostLibrary: ((algorithms: readonly string[]) => HostVerifier) | undefined = undefined;
