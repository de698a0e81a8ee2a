// Policy engines: the same rules by path, decided for the path of the last rule, which an engine
// that walks its rules in order finds last.
import { readFileSync } from 'node:fs';

import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import startCedarling, { init } from '@janssenproject/cedarling_wasm';
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin';

/** Functions that decide once and throw unless it is allowed; a promise where it has no other way. */
export async function engines(rules) {
  return { 'cedar-wasm': cedar(rules), cedarling_wasm: await cedarling(rules), casbin: await casbin(rules) };
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

/** Cedar with a schema, through the call that wants no token; it logs nothing. */
async function cedarling(rules) {
  await cedarlingModule();
  const written = (body) => ({ encoding: 'none', content_type: 'cedar', body });
  const permit = (index) => written(`permit(principal, action == Bench::Action::"GET", resource == Bench::Path::"/items/${index}");`);
  const described = { description: 'one of many', creation_date: '2026-01-01T00:00:00' };
  const store = {
    name: 'bench',
    description: 'rules by path',
    policies: Object.fromEntries(Array.from({ length: rules }, (_, index) => [`path-${index}`, { ...described, policy_content: permit(index) }])),
    schema: written('namespace Bench { entity User; entity Path; action "GET" appliesTo { principal: [User], resource: [Path], context: {} }; }'),
    trusted_issuers: {},
  };
  const engine = await init({
    CEDARLING_APPLICATION_NAME: 'bench',
    CEDARLING_POLICY_STORE_LOCAL: JSON.stringify({ cedar_version: 'v4.0.0', policy_stores: { be9c: store } }),
    CEDARLING_LOG_TYPE: 'off',
  });
  const entity = (entity_type, id) => ({ cedar_entity_mapping: { entity_type, id } });
  const request = JSON.stringify({
    principal: entity('Bench::User', 'anyone'),
    action: 'Bench::Action::"GET"',
    resource: entity('Bench::Path', `/items/${rules - 1}`),
    context: {},
  });
  return async () => {
    const answer = await engine.authorize_unsigned(request);
    if (!answer.decision) throw new Error(answer.json_string());
    answer.free();
  };
}

let started;

/** It is made for browsers: in Node somebody has to read its file. */
function cedarlingModule() {
  const file = new URL('cedarling_wasm_bg.wasm', import.meta.resolve('@janssenproject/cedarling_wasm'));
  return started ??= startCedarling({ module_or_path: readFileSync(file) });
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
