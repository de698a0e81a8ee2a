// The installed package as a host of the parity run: `node host.mjs esm|cjs`. The ES module checks
// signatures with Node's crypto, CommonJS in WebAssembly. src/hosts/process.rs has the protocol.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const isCommonJs = process.argv[2] === 'cjs';
const { Guard, LychgateError } = isCommonJs ? createRequire(import.meta.url)('lychgate') : await import('lychgate');

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ answers: await answers(JSON.parse(line)) })}\n`);
}

async function answers({ bundle, keys, now, brokenVerifier, requests }) {
  let audit;
  let guard;
  try {
    guard = await Guard.load({
      bundle,
      keys: Object.fromEntries(Object.entries(keys).map(([uri, set]) => [uri, JSON.parse(set)])),
      fetch: false,
      clock: () => now * 1000,
      audit: (record) => { audit = record; },
      onFault: (error) => console.error(error),
      ...(isCommonJs ? { verifier: 'portable' } : {}),
      // Only a verifier of the host's can be broken.
      ...(brokenVerifier ? { verifier: () => undefined } : {}),
    });
  } catch (error) {
    if (!(error instanceof LychgateError)) throw error;
    return requests.map(() => ({ refused: { code: error.code, pointer: error.pointer } }));
  }
  const found = [];
  for (const request of requests) {
    if (request.has_metadata) {
      found.push({ notCarried: 'metadata of other filters' });
      continue;
    }
    const description = described(request);
    // The two ways to ask, in turn.
    const decision = found.length % 2 === 0 ? guard.decide(description) : await guard.authorize(description);
    const { status, headers, body } = decision.refuses ? decision.reply : {};
    found.push({ audit, reply: decision.refuses ? { status, headers, body } : null });
  }
  return found;
}

function described(request) {
  const peer = request.peer?.der ? { kind: 'certificate', der: Buffer.from(request.peer.der, 'base64') }
    : { kind: request.peer ?? 'absent' };
  return {
    method: bytes(request.method),
    target: bytes(request.target),
    authority: request.authority === null ? undefined : bytes(request.authority),
    headers: request.headers.map(([name, value]) => [bytes(name), bytes(value)]),
    joined: request.joined,
    peer,
    connection: {
      sourceIp: request.source_ip ?? undefined,
      remoteIp: request.remote_ip ?? undefined,
      destinationIp: request.destination_ip ?? undefined,
      destinationPort: request.destination_port ?? undefined,
      serverName: request.server_name ?? undefined,
    },
  };
}

function bytes(base64) {
  return Buffer.from(base64, 'base64').toString('latin1');
}
