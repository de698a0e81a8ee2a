// The Worker of the demo: its policy is in a binding, and the application answers with what it
// received.
import { lychgate } from 'lychgate/workers';

export default lychgate({ binding: 'POLICY' }, (request) => {
  const { pathname, search } = new URL(request.url);
  return Response.json({ method: request.method, path: pathname + search, headers: [...request.headers] });
});
