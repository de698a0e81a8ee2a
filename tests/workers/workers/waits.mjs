// What a guard says while Web Crypto has not answered yet.
import './fault.mjs';
import { Guard } from 'lychgate';
import { fault } from './fault.mjs';

export default {
  async fetch(request) {
    const { bundle, next, headers } = await request.json();
    const described = { method: 'GET', target: '/', authority: 'api.example', headers };
    const guard = Guard.start({ bundle, fetch: false });
    const told = {};
    told.atOnce = guard.decide(described).reason;
    const waiting = Array.from({ length: 5000 }, () => guard.authorize(described));
    told.reasons = {};
    for (const { reason } of await Promise.all(waiting)) told.reasons[reason] = (told.reasons[reason] ?? 0) + 1;
    told.known = guard.decide(described).reason;

    // Another policy comes meanwhile, which the token does not satisfy.
    const before = Guard.start({ bundle, fetch: false });
    const replaced = before.authorize(described);
    before.update({ bundle: next });
    const { reason, revision } = await replaced;
    told.replaced = [reason, revision === before.revision];

    // The engine is thrown away meanwhile.
    const faults = [];
    const trapped = Guard.start({ bundle, fetch: false, onFault: (error) => faults.push(String(error)) });
    const survivor = trapped.authorize(described);
    fault.trap = true;
    told.trap = trapped.decide(described).reason;
    told.survivor = (await survivor).reason;
    told.faults = faults.length;
    return Response.json(told);
  },
};
