// Imports the package when the request comes, so that a clock outside can be asked before.
const clocks = async (env) => (await env.CLOCK.fetch('http://clock/')).json();
const between = (before, after, reading) => ({
  wall: after.wall - before.wall - (reading?.wall ?? 0),
  processor: before.processor === null ? null : after.processor - before.processor - (reading?.processor ?? 0),
});

const policy = (index) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: `policy-${index}`, namespace: 'default' },
  spec: { action: 'ALLOW', rules: [{ to: [{ operation: { methods: ['GET'], paths: [`/items/${index}`] } }] }] },
});
const workload = { kind: 'gateway', namespace: 'default' };

export default {
  async fetch(request, env, context) {
    await clocks(env);
    const before = await clocks(env);
    const { lychgate } = await import('lychgate/workers');
    const imported = await clocks(env);
    const resources = Array.from({ length: 100 }, (_, index) => policy(index));
    const worker = lychgate({ workload, resources }, () => new Response('passed'), { audit: false });
    const loaded = await clocks(env);
    const { status } = await worker.fetch(new Request('http://a.example/items/99'), env, context);
    const after = await clocks(env);
    const reading = between(after, await clocks(env));
    if (status !== 200) throw new Error(String(status));
    return Response.json([[before, imported], [imported, loaded], [loaded, after]].map(([from, to]) => between(from, to, reading)));
  },
};
