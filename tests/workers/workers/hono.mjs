import { Hono } from 'hono';
import { honoMiddleware } from 'lychgate/workers';

const app = new Hono();
app.use(honoMiddleware({ binding: 'POLICY' }));
app.get('/who', (c) => c.json({ who: c.req.header('x-lychgate-subject') ?? null, reason: c.get('lychgate').reason, query: c.req.query() }));
app.all('*', (c) => c.text('elsewhere'));

export default app;
