// The types that authors of Workers see: with Cloudflare's own, and with Hono's.
/// <reference types="@cloudflare/workers-types" />
import { Hono } from 'hono';
import type { Decision } from 'lychgate';
import { honoMiddleware, lychgate, peerOf, type WorkerHandler } from 'lychgate/workers';

interface Env {
  POLICY: string;
  CONFIG: KVNamespace;
  NAME: string;
}

const handler: WorkerHandler<Env, ExecutionContext> = (request, env, context, decision) => {
  context.waitUntil(Promise.resolve());
  // @ts-expect-error a handler sees what was decided, not a boolean
  if (decision === true) return new Response();
  return new Response(`${env.NAME} ${decision.verdict} ${request.cf === undefined}`);
};

export default {
  ...lychgate<Env, ExecutionContext>({ binding: 'POLICY' }, handler, { audit: (record: string, decision: Decision) => void [record, decision] }),
  async scheduled(): Promise<void> {},
} satisfies ExportedHandler<Env>;

lychgate<Env>({ kv: 'CONFIG', key: 'bundle', seconds: 300 }, () => new Response(), { audit: false });
lychgate({ bundle: {} }, async (request) => fetch(request));
lychgate({ resources: [], workload: {} }, () => new Response());
// @ts-expect-error there is no such binding
lychgate<Env>({ binding: 'OTHER' }, () => new Response());
// @ts-expect-error a policy is required
lychgate(() => new Response());
// @ts-expect-error a policy in KV has a key
lychgate<Env>({ kv: 'CONFIG' }, () => new Response());

const app = new Hono<{ Bindings: Env; Variables: { lychgate: Decision } }>();
app.use(honoMiddleware<Env>({ binding: 'POLICY' }));
app.get('/', (c) => c.text(`${c.get('lychgate').reason} ${peerOf(c.req.raw).kind}`));
