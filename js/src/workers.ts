import type { Decision } from './types.js';
import { Gatekeeper, type WorkerContext, type WorkerOptions } from './workers/gatekeeper.js';
import type { WorkerPolicy } from './workers/policy.js';

export { connectionOf, peerOf } from './workers/peer.js';
export type { WorkerContext, WorkerOptions } from './workers/gatekeeper.js';
export type { WorkerPolicy } from './workers/policy.js';

/** What a Worker does with a request that may pass, with the decision as its fourth argument. */
export type WorkerHandler<Env, Context extends WorkerContext = WorkerContext> = (
  request: Request,
  env: Env,
  context: Context,
  decision: Decision,
) => Response | Promise<Response>;

/** A Worker that answers requests; `{ ...worker, scheduled }` makes one that does more. */
export interface Worker<Env, Context extends WorkerContext = WorkerContext> {
  fetch(request: Request, env: Env, context: Context): Promise<Response>;
}

/**
 * A Worker behind a gate: `export default lychgate({ bundle }, (request, env) => ..)`.
 *
 * The handler sees only what the policy lets pass, without forged headers and with the caller's
 * identity. Whatever goes wrong inside the gate is answered with 503 and never let through; what
 * the handler throws is the handler's own.
 *
 * @throws {LychgateError} if the policy is in the script and does not load.
 */
export function lychgate<Env = any, Context extends WorkerContext = WorkerContext>(
  policy: WorkerPolicy<Env>,
  handler: WorkerHandler<Env, Context>,
  options: WorkerOptions = {},
): Worker<Env, Context> {
  const gatekeeper = new Gatekeeper(policy, options);
  return {
    async fetch(request, env, context) {
      const admission = await gatekeeper.admit(request, env, (promise) => context.waitUntil(promise));
      if ('answer' in admission) return admission.answer;
      return handler(admission.request, env, context, admission.decision);
    },
  };
}

/** What Lychgate uses of Hono's `Context`. */
export interface HonoContext<Env> {
  readonly env: Env;
  readonly req: { raw: Request };
  /** Throws where the host has none. */
  readonly executionCtx: WorkerContext;
  set(key: 'lychgate', value: Decision): void;
}

/** Hono's form of a handler that goes on to the next. */
export type HonoMiddleware<Env> = (context: HonoContext<Env>, next: () => Promise<void>) => Promise<Response | void>;

/**
 * Middleware for Hono: `app.use(honoMiddleware({ bundle }))`, before whatever it guards. The
 * decision is `c.get('lychgate')`.
 *
 * @throws {LychgateError} if the policy is in the script and does not load.
 */
export function honoMiddleware<Env = any>(
  policy: WorkerPolicy<Env>,
  options: WorkerOptions = {},
): HonoMiddleware<Env> {
  const gatekeeper = new Gatekeeper(policy, options);
  return async (context, next) => {
    const admission = await gatekeeper.admit(context.req.raw, context.env, (promise) => keepAlive(context, promise));
    if ('answer' in admission) return admission.answer;
    context.req.raw = admission.request;
    context.set('lychgate', admission.decision);
    await next();
  };
}

/** A host without a context lives on by itself. */
function keepAlive<Env>(context: HonoContext<Env>, promise: Promise<unknown>): void {
  let host: WorkerContext;
  try {
    host = context.executionCtx;
  } catch {
    return;
  }
  host.waitUntil(promise);
}
