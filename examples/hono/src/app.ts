import { Hono } from 'hono';
import type { Decision } from 'lychgate';
import { honoMiddleware } from 'lychgate/workers';
import { policy } from './policy';

const app = new Hono<{ Variables: { lychgate: Decision } }>();

app.use(honoMiddleware(policy));
app.get('/healthz', (c) => c.text('alive\n'));
app.get('/notes', (c) => c.json({ notes: [`a note for ${c.req.header('x-lychgate-subject')}`] }));
app.post('/notes', (c) => c.json({ written: true, revision: c.get('lychgate').revision.slice(0, 8) }, 201));

export default app;
