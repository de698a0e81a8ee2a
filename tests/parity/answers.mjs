// Answers a question of the parity run in any JavaScript host; src/hosts/process.rs has the protocol.

/**
 * `lychgate` is the package; `options` are the host's own for its guards. A host `waits` if its crypto
 * library does: then a guard is only asked in the way that waits as well.
 */
export async function answers({ Guard, LychgateError }, { bundle, keys, now, brokenVerifier, requests }, options, waits = false) {
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
      ...options,
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
    const decision = found.length % 2 === 0 && !waits ? guard.decide(description) : await guard.authorize(description);
    const { status, headers, body } = decision.refuses ? decision.reply : {};
    found.push({ audit, reply: decision.refuses ? { status, headers, body } : null });
  }
  return found;
}

function described(request) {
  const peer = request.peer?.der
    ? { kind: 'certificate', der: Uint8Array.from(atob(request.peer.der), (byte) => byte.charCodeAt(0)) }
    : { kind: request.peer ?? 'absent' };
  return {
    method: atob(request.method),
    target: atob(request.target),
    authority: request.authority === null ? undefined : atob(request.authority),
    headers: request.headers.map(([name, value]) => [atob(name), atob(value)]),
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
