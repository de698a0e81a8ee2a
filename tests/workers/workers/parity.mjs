// The package in workerd as a host of the parity run; tests/parity/src/hosts/process.rs has the
// protocol.
import { Guard, LychgateError } from 'lychgate';

export default {
  async fetch(request) {
    return Response.json({ answers: await answers(await request.json()) });
  },
};

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
      // Only a verifier of the host's can be broken.
      ...(brokenVerifier ? { verifier: () => undefined } : {}),
    });
  } catch (error) {
    if (!(error instanceof LychgateError)) throw error;
    return requests.map(() => ({ refused: { code: error.code, pointer: error.pointer } }));
  }
  const found = [];
  for (const request of requests) found.push(await answer(guard, request, found.length, () => audit));
  return found;
}

async function answer(guard, request, index, audit) {
  if (request.has_metadata) return { notCarried: 'metadata of other filters' };
  const description = described(request);
  // The two ways to ask, in turn.
  const decision = index % 2 === 0 ? guard.decide(description) : await guard.authorize(description);
  if (!decision.refuses) return { audit: audit(), reply: null };
  const { status, headers, body } = decision.reply;
  return { audit: audit(), reply: { status, headers, body } };
}

/** workerd's `atob` gives one character for each byte, as descriptions have them. */
function described(request) {
  const { der } = request.peer ?? {};
  return {
    method: atob(request.method),
    target: atob(request.target),
    authority: request.authority === null ? undefined : atob(request.authority),
    headers: request.headers.map(([name, value]) => [atob(name), atob(value)]),
    joined: request.joined,
    peer: der ? { kind: 'certificate', der: Uint8Array.from(atob(der), (byte) => byte.charCodeAt(0)) } : { kind: request.peer ?? 'absent' },
    connection: {
      sourceIp: request.source_ip ?? undefined,
      remoteIp: request.remote_ip ?? undefined,
      destinationIp: request.destination_ip ?? undefined,
      destinationPort: request.destination_port ?? undefined,
      serverName: request.server_name ?? undefined,
    },
  };
}
