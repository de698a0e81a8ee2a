export default { fetch: () => new Response('empty') };
