// A small service: Fastify behind Lychgate, whose keys come from the issuer.
import fastify from 'fastify';
import { Guard } from 'lychgate';
import { fastifyPlugin } from 'lychgate/node';

/** Starts the service. `fetch` is for those who have no issuer on the network. */
export async function serve({ bundle, fetch, port = 0 }) {
  const guard = await Guard.load({ bundle, ...(fetch && { fetch }), audit: (record) => app.log.info(record) });
  const app = fastify({ logger: process.env.LOG === '1' });
  await app.register(fastifyPlugin, { guard });
  app.get('/healthz', () => 'ok');
  app.get('/items', (request) => ({
    items: [], for: request.headers['x-lychgate-subject'], tenant: request.headers['x-tenant'], query: request.query,
  }));
  app.post('/items', (request, reply) => reply.code(201).send({ by: request.headers['x-lychgate-subject'] }));
  await app.listen({ port, host: '127.0.0.1' });
  return app;
}
