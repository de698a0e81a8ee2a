// A policy that does not load.
import { lychgate } from 'lychgate/workers';

export default lychgate({ bundle: { kind: 'Bundle' } }, () => new Response('passed'));
