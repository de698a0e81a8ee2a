import { lychgate, type WorkerHandler } from 'lychgate/workers';
import bundle from '../bundle.json';

/** Sees only what policies.yaml lets pass; who calls is in headers that no caller can forge. */
const notes: WorkerHandler<Env> = (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/healthz') return new Response('alive\n');
  const who = request.headers.get('x-lychgate-subject') ?? 'nobody';
  return Response.json({ notes: [`a note for ${who}`] });
};

interface Env {}

export default lychgate<Env>({ bundle }, notes) satisfies ExportedHandler<Env>;
