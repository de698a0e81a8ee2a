// One vector: its request as the package takes it, and what its answer must be.

/** The request of a vector as the package takes it. */
export function described(request) {
  const peer = request.peer?.der ? { kind: 'certificate', der: Buffer.from(request.peer.der, 'base64') }
    : { kind: request.peer ?? 'absent' };
  return {
    method: bytes(request.method),
    target: bytes(request.target),
    authority: request.authority === null ? undefined : bytes(request.authority),
    headers: request.headers.map(([name, value]) => [bytes(name), bytes(value)]),
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

/** What differs from what the vector expects. */
export function differences({ expect }, request, decision, record) {
  const found = [];
  const compare = (what, expected, got) => {
    if (expected !== got) found.push(`${what}: expected ${expected}, got ${got}`);
  };
  for (const member of ['verdict', 'reason', 'status']) {
    compare(member, expect[member], decision[member]);
    compare(`${member} of the record`, expect[member], record[member]);
  }
  if (expect.policy) compare('policy', expect.policy, record.policy);
  if (expect.challenge) {
    const headers = new Map(decision.reply?.headers);
    compare('challenge', expect.challenge, headers.get('www-authenticate'));
  }
  if (expect.upstream) compareUpstream(compare, expect.upstream, request, decision.changes);
  return found;
}

function compareUpstream(compare, expect, request, changes) {
  const is = (name) => ([other]) => other.toLowerCase() === name.toLowerCase();
  const received = request.headers.filter(([name]) => !changes.remove.some((gone) => is(gone)([name]))).concat(changes.set);
  const values = (headers, name) => JSON.stringify(headers.filter(is(name)).map(([, value]) => value));
  for (const [name, value] of Object.entries(expect.present)) compare(name, JSON.stringify([value]), values(received, name));
  for (const name of expect.absent) compare(name, '[]', values(received, name));
  for (const name of expect.unchanged) compare(name, values(request.headers, name), values(received, name));
  if (expect.path) compare('path', expect.path, changes.target ?? request.target);
}
