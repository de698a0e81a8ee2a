// Policy engines: the same rules by path, decided for the path of the last rule, which an engine
// that walks its rules in order finds last.
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin';

/** Functions that decide once and throw unless it is allowed. */
export async function engines(rules) {
  return { 'cedar-wasm': cedar(rules), casbin: await casbin(rules) };
}

function cedar(rules) {
  const permit = (index) => `permit(principal, action == Action::"GET", resource == Path::"/items/${index}");`;
  const text = Array.from({ length: rules }, (_, index) => permit(index)).join('\n');
  const name = `rules-${rules}`;
  const parsed = preparsePolicySet(name, { staticPolicies: text });
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed));
  const call = {
    principal: { type: 'User', id: 'anyone' },
    action: { type: 'Action', id: 'GET' },
    resource: { type: 'Path', id: `/items/${rules - 1}` },
    context: {},
    entities: [],
    preparsedPolicySetId: name,
  };
  return () => {
    const answer = statefulIsAuthorized(call);
    if (answer.type !== 'success' || answer.response.decision !== 'allow') throw new Error(JSON.stringify(answer));
  };
}

const MODEL = `
[request_definition]
r = obj, act
[policy_definition]
p = obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.obj == p.obj && r.act == p.act
`;

async function casbin(rules) {
  const lines = Array.from({ length: rules }, (_, index) => `p, /items/${index}, GET`).join('\n');
  const enforcer = await newEnforcer(newModelFromString(MODEL), new StringAdapter(lines));
  const path = `/items/${rules - 1}`;
  return () => {
    if (!enforcer.enforceSync(path, 'GET')) throw new Error('casbin refuses');
  };
}
