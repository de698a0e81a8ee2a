import { linear_memory, type Gate } from '#wasm';
import type { Peer, RequestDescription } from './types.js';

const ABSENT = 0xffff_ffff;
const FIXED_FIELDS = 12;
const NO_BYTES = new Uint8Array(0);
const NO_PEER: PeerBytes = [0, NO_BYTES];
const encoder = new TextEncoder();

type PeerBytes = readonly [kind: number, bytes: Uint8Array];

/** Stands for a description that no message could have been: its target is refused as malformed. */
const UNREADABLE: RequestDescription = { method: '', target: '\0', headers: [] };

/** The engine's request buffer: the layout is that of crates/bindings/src/input.rs. */
export class RequestBuffer {
  readonly #gate: Gate;
  #fields = new Uint32Array(0);
  #names = NO_BYTES;
  #bytes = NO_BYTES;
  /** The header names that stand in the buffer: mostly, they are those of the next request too. */
  #written: readonly string[] = [];

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Writes a request where the engine reads it. */
  write(request: RequestDescription): void {
    if (!this.#writes(request)) this.#writes(UNREADABLE);
  }

  /** False if a part is no string, whose length would not be that of its text, or not of bytes. */
  #writes({ method, target, authority, headers, connection, joined, peer }: RequestDescription): boolean {
    if (typeof method !== 'string' || typeof target !== 'string') return false;
    this.#makeRoom(FIXED_FIELDS + headers.length * 2, 0, 0);
    const fields = this.#fields;
    fields[0] = joined === true ? 1 : 0;
    fields[2] = connection?.destinationPort ?? ABSENT;
    fields[3] = method.length;
    fields[4] = target.length;
    fields[5] = fields[6] = fields[7] = fields[8] = fields[9] = ABSENT;
    fields[11] = headers.length;
    let text = method + target;
    if (authority !== undefined) {
      if (typeof authority !== 'string') return false;
      fields[5] = authority.length;
      text += authority;
    }
    // Untyped callers write `null` too.
    if (connection != null) {
      const parts = [connection.sourceIp, connection.remoteIp, connection.destinationIp, connection.serverName];
      if (!parts.every(isAbsentOrText)) return false;
      parts.forEach((part, index) => { fields[6 + index] = part?.length ?? ABSENT; });
      text += parts.join('');
    }
    const written = this.#written;
    let isWritten = written.length === headers.length;
    let index = 0;
    for (const line of headers) {
      const value = line[1];
      if (typeof value !== 'string') return false;
      isWritten &&= line[0] === written[index];
      fields[FIXED_FIELDS + index * 2 + 1] = value.length;
      text += value;
      index += 1;
    }
    if (index !== headers.length) return false;
    return (isWritten || this.#writesNames(headers.map((line) => line[0]))) && this.#writesBytes(text, peer);
  }

  #writesNames(names: readonly string[]): boolean {
    if (!names.every((name) => typeof name === 'string')) return false;
    const text = names.join('');
    this.#written = [];
    this.#makeRoom(0, text.length, 0);
    names.forEach((name, index) => { this.#fields[FIXED_FIELDS + index * 2] = name.length; });
    if (!writeText(text, this.#names)) return false;
    this.#written = names;
    return true;
  }

  #writesBytes(text: string, peer: Peer | undefined): boolean {
    // Untyped callers write `null` too.
    const [kind, identity] = peer == null ? NO_PEER : peerBytes(peer);
    this.#makeRoom(0, 0, text.length + identity.length);
    this.#fields[1] = kind;
    this.#fields[10] = identity.length;
    if (!writeText(text, this.#bytes)) return false;
    if (identity.length > 0) this.#bytes.set(identity, text.length);
    return true;
  }

  /** Views of the memory go stale when it grows or moves. */
  #makeRoom(fields: number, names: number, bytes: number): void {
    const grows = fields > this.#fields.length || names > this.#names.length || bytes > this.#bytes.length;
    if (grows || this.#bytes.length === 0) this.#grow(fields, names, bytes);
  }

  /** Apart, so that V8 inlines the question. */
  #grow(fields: number, names: number, bytes: number): void {
    const gate = this.#gate;
    // Views of a memory that grew are empty, and can't be copied.
    const kept = this.#fields.length > 0 ? this.#fields.slice() : undefined;
    gate.reserve(fields, names, bytes);
    const { buffer } = linear_memory();
    this.#fields = new Uint32Array(buffer, gate.fields(), gate.field_capacity());
    this.#names = new Uint8Array(buffer, gate.names(), gate.name_capacity());
    this.#bytes = new Uint8Array(buffer, gate.bytes(), gate.byte_capacity());
    if (kept !== undefined) this.#fields.set(kept);
  }
}

function isAbsentOrText(part: unknown): boolean {
  return part === undefined || typeof part === 'string';
}

/**
 * One byte for each character; ASCII, which almost everything is, at the speed of the host. False
 * if a character is no byte.
 */
function writeText(text: string, bytes: Uint8Array): boolean {
  const { read, written } = encoder.encodeInto(text, bytes);
  // Longer characters may fill the buffer with exactly as many bytes, but then not all are read.
  if (read === text.length && written === text.length) return true;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0xff) return false;
    bytes[index] = code;
  }
  return true;
}

function peerBytes(peer: Peer): PeerBytes {
  switch (peer.kind) {
    case 'absent':
      return NO_PEER;
    case 'certificate':
      return [2, peer.der];
    case 'pem':
      return [3, encoder.encode(peer.pem)];
    case 'client-cert':
      return [5, encoder.encode(peer.value)];
    case 'spiffe':
      return [4, encoder.encode(peer.id)];
    default: // And what untyped callers write.
      return [1, NO_BYTES];
  }
}
