// Imports the package when the request comes, so that a clock outside can be asked before.
const clock = async (env) => Number(await (await env.CLOCK.fetch('http://clock/')).text());

const policy = (index) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: `policy-${index}`, namespace: 'default' },
  spec: { action: 'ALLOW', rules: [{ to: [{ operation: { methods: ['GET'], paths: [`/items/${index}`] } }] }] },
});
const workload = { kind: 'gateway', namespace: 'default' };

export default {
  async fetch(request, env, context) {
    await clock(env);
    const before = await clock(env);
    const { lychgate } = await import('lychgate/workers');
    const imported = await clock(env);
    const resources = Array.from({ length: 100 }, (_, index) => policy(index));
    const worker = lychgate({ workload, resources }, () => new Response('passed'), { audit: false });
    const loaded = await clock(env);
    const { status } = await worker.fetch(new Request('http://a.example/items/99'), env, context);
    const after = await clock(env);
    const reading = (await clock(env)) - after;
    if (status !== 200) throw new Error(String(status));
    const parts = [imported - before, loaded - imported, after - loaded];
    return Response.json(parts.map((part) => part - reading));
  },
};
