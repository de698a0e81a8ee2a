import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Guard } from '../guard.js';
import type { Decision } from '../types.js';
import { change } from './change.js';
import type { DescribeOptions } from './describe.js';
import { admit } from './middleware.js';

/** What {@link fastifyPlugin} is registered with. */
export interface FastifyOptions extends DescribeOptions {
  /** The policy. */
  readonly guard: Guard;
}

/** What the plugin uses of a Fastify request. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage | Http2ServerRequest;
  readonly query: unknown;
}

/** What the plugin uses of a Fastify reply. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(body: Uint8Array): unknown;
}

/** What the plugin uses of a Fastify instance. */
export interface FastifyLike {
  decorateRequest(name: 'lychgate', property: { getter(this: FastifyRequestLike): Decision | undefined }): unknown;
  addHook(name: 'onRequest', hook: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>): unknown;
}

/**
 * The plugin for Fastify 4 and later: `app.register(fastifyPlugin, { guard })`. It decides before
 * anything else is done for a request, on the URL that Fastify routes, for all routes of the
 * instance that it is registered with; unknown routes as well. The decision is left in
 * `request.lychgate`.
 */
export const fastifyPlugin = Object.assign(
  async (fastify: FastifyLike, { guard, ...options }: FastifyOptions): Promise<void> => {
    fastify.decorateRequest('lychgate', {
      getter() { return this.raw.lychgate; },
    });
    fastify.addHook('onRequest', async (request, reply) => {
      const decision = await admit(guard, request.raw, options);
      if (decision.verdict === 'deny' && decision.refuses) return refuse(reply, decision);
      // Fastify has parsed the query before.
      change(request.raw, { ...decision.changes, remove: [], set: [] }, { query: request.query });
      return undefined;
    });
  },
  {
    // As fastify-plugin does: the hook is for the instance itself, not for one below it.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'lychgate',
    [Symbol.for('plugin-meta')]: { name: 'lychgate', fastify: '>=4.0.0' },
  },
);

function refuse(reply: FastifyReplyLike, { reply: { status, headers, body } }: Decision & { verdict: 'deny' }): unknown {
  reply.code(status);
  for (const [name, value] of headers) reply.header(name, value);
  // As bytes: Fastify would add a charset to the type of a string.
  reply.send(Buffer.from(body));
  return reply;
}
