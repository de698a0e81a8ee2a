// The types that users see, compiled against the installed package: what must hold, and what must
// not compile.
import { Guard, LychgateError, toResponse, type Decision, type DenialReason, type Peer } from 'lychgate';
import { describe, middleware, type Middleware } from 'lychgate/node';
import type { IncomingMessage } from 'node:http';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const holds = <T extends true>(): T | undefined => undefined;

const guard: Guard = await Guard.load({ resources: [], workload: {}, fetch: false });
const decision: Decision = guard.decide({ method: 'GET', target: '/', headers: [['a', 'b']] });

if (decision.verdict === 'allow') {
  holds<Same<typeof decision.status, 200>>();
  holds<Same<typeof decision.refuses, false>>();
  // @ts-expect-error an allowed request has no reply
  decision.reply;
} else {
  holds<Same<typeof decision.reason, DenialReason>>();
  const response: Response = toResponse(decision);
  response.status;
}
if (decision.refuses) holds<Same<typeof decision.verdict, 'deny'>>();

// @ts-expect-error a policy is a bundle, or resources and a workload
await Guard.load({ resources: [] });
// @ts-expect-error headers are required
guard.decide({ method: 'GET', target: '/' });
// @ts-expect-error a certificate needs its bytes
const peer: Peer = { kind: 'certificate' };
// @ts-expect-error decisions can't be changed
decision.status = 200;

const handler: Middleware = middleware(guard);
declare const request: IncomingMessage;
const seen: Decision | undefined = request.lychgate;
await guard.authorize(describe(request), { waitUntil: (promise) => void promise });
const pointer: string | undefined = new LychgateError('code', 'message').pointer;
export { handler, peer, pointer, seen };
