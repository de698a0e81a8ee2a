// The policy is in the binding POLICY, or in the KV namespace CONFIG if there is one. The clock and
// the faults are the test's.
import './fault.mjs';
import { lychgate } from 'lychgate/workers';
import { fault } from './fault.mjs';

let ahead = 0;
const options = { clock: () => Date.now() + ahead };
const handler = (request, env, context, decision) => Response.json({
  reason: decision.reason,
  revision: decision.revision,
  url: request.url,
  headers: Object.fromEntries(request.headers),
  passesOn: 'passThroughOnException' in context,
});
const inBinding = lychgate({ binding: 'POLICY' }, handler, options);
const inKv = lychgate({ kv: 'CONFIG', key: 'bundle', seconds: 60 }, handler, options);

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/test/ahead') ahead += Number(searchParams.get('ms'));
    else if (pathname === '/test/trap') fault.trap = true;
    else if (pathname === '/test/without-cf') return inBinding.fetch(new Request('http://api.example/', { headers: request.headers }), env, context);
    else return (env.CONFIG === undefined ? inBinding : inKv).fetch(request, env, context);
    return new Response(JSON.stringify({ instances: fault.instances }));
  },
};
