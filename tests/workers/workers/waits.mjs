// What a guard says while Web Crypto has not answered yet.
import './fault.mjs';
import { Guard } from 'lychgate';
import { portable } from 'lychgate/portable';
import { fault } from './fault.mjs';

const described = (token) => ({
  method: 'GET', target: '/', authority: 'api.example', headers: [['authorization', `Bearer ${token}`]],
});

export default {
  async fetch(request) {
    const { bundle, next, tokens } = await request.json();
    const [first] = tokens;
    const guard = Guard.start({ bundle, fetch: false });
    const told = {};
    told.atOnce = guard.decide(described(first)).reason;
    const waiting = Array.from({ length: 5000 }, (_, index) => guard.authorize(described(tokens[index % tokens.length])));
    const decisions = await Promise.all(waiting);
    told.answers = tokens.map((_, kind) => counts(decisions.filter((_, index) => index % tokens.length === kind)));
    told.known = guard.decide(described(first)).reason;

    // Another policy comes meanwhile, which the token does not satisfy.
    const before = Guard.start({ bundle, fetch: false });
    const replaced = before.authorize(described(first));
    before.update({ bundle: next });
    const { reason, revision } = await replaced;
    told.replaced = [reason, revision === before.revision];

    // An engine, and then the module of signatures, is thrown away meanwhile.
    const faults = [];
    const onFault = (error) => faults.push(String(error));
    const trapped = Guard.start({ bundle, fetch: false, onFault });
    const survivor = trapped.authorize(described(first));
    fault.trap = true;
    told.trap = [trapped.decide(described(first)).reason, (await survivor).reason];
    const checking = Guard.start({ bundle, fetch: false, verifier: portable, onFault });
    fault.portable = true;
    told.portable = [checking.decide(described(first)).reason, checking.decide(described(first)).reason];
    told.faults = faults.length;
    return Response.json(told);
  },
};

/** How often which subject got which answer. */
function counts(decisions) {
  const all = {};
  for (const { reason, changes } of decisions) {
    const subject = new Map(changes.set).get('x-lychgate-subject') ?? 'nobody';
    all[`${subject} ${reason}`] = (all[`${subject} ${reason}`] ?? 0) + 1;
  }
  return all;
}
