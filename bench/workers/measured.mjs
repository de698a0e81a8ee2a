// The Worker that is measured: does as often as it is told what it has prepared, all contenders in
// one isolate. Whoever tells it looks at the clock.
import { importJWK, jwtVerify } from 'jose';
import { Guard } from 'lychgate';
import { portable } from 'lychgate/portable';
import { createJwtVerifier } from 'lychgate/verify';
import { AUDIENCE, described, ISSUER, mayRead, pathPolicy, tokenPolicy } from './policy.mjs';

const allowed = ({ verdict, reason }) => {
  if (verdict !== 'allow') throw new Error(reason);
};

/** Each makes, of keys and a number of rules, a function of a token that does one operation. */
const contenders = {
  nothing: () => () => {},

  /** With the signature left to Web Crypto, for which it waits. */
  described: ({ keys, rules }) => {
    const guard = Guard.start(tokenPolicy(keys, rules));
    return async (token) => allowed(await guard.authorize(described(token)));
  },

  portable: ({ keys, rules }) => {
    const guard = Guard.start({ ...tokenPolicy(keys, rules), verifier: portable });
    return (token) => allowed(guard.decide(described(token)));
  },

  /** At once, which is possible for a token that was verified before. */
  decide: ({ keys, rules }) => {
    const guard = Guard.start(tokenPolicy(keys, rules));
    let known;
    return (token) => {
      if (known === token) return allowed(guard.decide(described(token)));
      return guard.authorize(described(token)).then((decision) => {
        allowed(decision);
        known = token;
      });
    };
  },

  authorize: ({ keys, rules }) => {
    const guard = Guard.start(tokenPolicy(keys, rules));
    let request;
    return async (token) => allowed(await guard.authorize(request ??= fetched('/items/0', token)));
  },

  authorizePath: ({ rules }) => {
    const guard = Guard.start(pathPolicy(rules));
    const request = fetched(`/items/${rules - 1}`);
    return async () => allowed(await guard.authorize(request));
  },

  verify: async ({ keys: { jwks, symmetricKey } }) => {
    const keys = jwks ? { jwks } : { symmetricKeys: [symmetricKey] };
    const { verify } = await createJwtVerifier({ issuer: ISSUER, audience: AUDIENCE, ...keys });
    return async (token) => {
      const answer = await verify(token);
      if (!answer.valid) throw new Error(answer.reason);
    };
  },

  jose: async ({ keys: { jwks, symmetricKey } }) => {
    const { alg } = symmetricKey ?? jwks.keys[0];
    const key = await importJWK(symmetricKey ? { kty: 'oct', ...symmetricKey } : jwks.keys[0], alg);
    const expected = { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg] };
    return async (token) => {
      const { payload } = await jwtVerify(token, key, expected);
      if (!mayRead(payload, 'GET', '/items/0')) throw new Error('jose');
    };
  },
};

/** The request as a Worker gets it: made by the host, so its making is not measured. */
function fetched(path, token) {
  const { headers } = described(token, path);
  return new Request(`https://api.example.com${path}`, { headers });
}

const prepared = new Map();
let tokens = [];

const commands = {
  prepare: async ({ contender, name, ...more }) => { prepared.set(name, await contenders[contender](more)); },
  tokens: (given) => { tokens = given; },
  /** Every token once, or the first of them so many times. */
  run: async ({ name, times }) => {
    const work = prepared.get(name);
    const count = times ?? tokens.length;
    for (let index = 0; index < count; index += 1) {
      const pending = work(tokens[times === undefined ? index : 0]);
      // Awaiting what is no promise would cost what only some of them need.
      if (pending !== undefined) await pending;
    }
  },
};

export default {
  async fetch(request) {
    const { command, parameters } = await request.json();
    await commands[command](parameters);
    return new Response('done');
  },
};
