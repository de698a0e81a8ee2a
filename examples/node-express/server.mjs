// A small payment service: Express over mTLS, behind Lychgate.
import https from 'node:https';
import express from 'express';
import { Guard } from 'lychgate';
import { middleware } from 'lychgate/node';

/** Starts the service. `tls` holds `key`, `cert` and the `ca` whose clients are believed. */
export async function serve({ bundle, tls, port = 0 }) {
  const guard = await Guard.load({ bundle });
  const app = express();
  app.disable('x-powered-by');
  // Before everything that reads the path or a header.
  app.use(middleware(guard));
  app.get('/healthz', (request, response) => response.send('ok'));
  app.post('/payments', (request, response) => {
    response.status(201).send(`payment for ${request.get('x-lychgate-peer')}`);
  });
  app.get('/metrics', (request, response) => response.send('payments_total 1'));

  // A certificate is asked for and not demanded: Lychgate refuses what Node could not verify, with
  // an answer that says so, and with an audit record.
  const server = https.createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, app);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}
