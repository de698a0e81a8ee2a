// Decides the vectors that it is sent: each as a description, with Web Crypto and at once in
// WebAssembly, and as a Request where that can carry it.
import { Guard } from 'lychgate';
import { portable } from 'lychgate/portable';
import { lychgate } from 'lychgate/workers';

export default {
  async fetch(request, env, context) {
    const job = await request.json();
    const answers = [];
    for (const subject of job) answers.push(await decide(subject, env, context));
    return Response.json(answers);
  },
};

async function decide({ bundle, keys, now, broken, requests }, env, context) {
  const records = [];
  const options = {
    keys: Object.fromEntries(Object.entries(keys).map(([uri, set]) => [uri, JSON.parse(set)])),
    fetch: false,
    clock: () => now * 1000,
    audit: (record) => records.push(record),
    // Only a verifier of the host's can be broken.
    ...(broken ? { verifier: () => undefined } : {}),
  };
  const guard = await Guard.load({ bundle, ...options });
  const atOnce = await Guard.load({ bundle, verifier: portable, ...options, audit: undefined });
  const worker = lychgate({ bundle }, (passed) => Response.json({ passed: [...passed.headers], url: passed.url }), options);
  const answers = [];
  for (const sent of requests) {
    const description = revived(sent);
    const decision = await guard.authorize(description);
    const answer = { decision, record: records.at(-1), again: atOnce.decide(description).reason };
    answers.push({ ...answer, ...(await asRequest(worker, description, env, context, records)) });
  }
  return answers;
}

function revived(sent) {
  const { peer } = sent;
  return { ...sent, peer: peer.der ? { ...peer, der: Uint8Array.from(atob(peer.der), (byte) => byte.charCodeAt(0)) } : peer };
}

/** What comes of it as a Request, or why it can't be one. */
async function asRequest(worker, description, env, context, records) {
  const lost = lack(description);
  if (lost !== undefined) return { lost };
  const { method, target, authority, headers, peer } = description;
  let request;
  try {
    const cf = peer.kind === 'absent' ? undefined : { tlsClientAuth: clientCertificate(peer) };
    request = new Request(`http://${authority}${target}`, { method, headers: [...headers, ['host', authority]], cf });
  } catch {
    return { lost: 'no Request takes it' };
  }
  const url = new URL(request.url);
  if (url.pathname + url.search !== target) return { lost: 'the URL changes its target' };
  if (request.method !== method) return { lost: 'the Request changes its method' };
  if (request.headers.get('host') !== authority) return { lost: 'the Request changes its authority' };
  const response = await worker.fetch(request, env, context);
  return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.json(), fetchRecord: records.at(-1) };
}

/** What a Request has no place for. */
function lack({ target, authority, headers, connection }) {
  if (Object.values(connection).some((part) => part !== undefined && part !== null)) return 'addresses';
  if (authority === undefined || authority === null) return 'no authority';
  if (!target.startsWith('/')) return 'the target is no path';
  const names = headers.map(([name]) => name.toLowerCase());
  if (new Set(names).size !== names.length) return 'several lines of one name';
  if (names.includes('host')) return 'a Host line';
  if (headers.some(([, value]) => /[^\x20-\x7e]/.test(value))) return 'bytes that are not ASCII';
  return undefined;
}

function clientCertificate(peer) {
  const verified = peer.kind === 'certificate';
  const value = verified ? `:${btoa(String.fromCharCode(...peer.der))}:` : '';
  return { certPresented: '1', certVerified: verified ? 'SUCCESS' : 'FAILED:self signed certificate', certRevoked: '0', certRFC9440: value };
}
