// Checks Istio manifests against Istio's schemas, and against what Lychgate's documentation demands.
// Usage: node check.mjs MANIFEST... Run from the folder that has node_modules.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// The packages are below the working directory, this file is not.
const load = (path) => import(pathToFileURL(join(process.cwd(), "node_modules", path)).href);
const { parseAllDocuments } = await load("yaml/dist/index.js").then((module) => module.default);

const MODELS = {
  "extensions.istio.io/v1alpha1 WasmPlugin": "extensions.istio.io/v1alpha1/WasmPlugin",
  "networking.istio.io/v1 DestinationRule": "networking.istio.io/v1/DestinationRule",
  "networking.istio.io/v1 ServiceEntry": "networking.istio.io/v1/ServiceEntry",
  "security.istio.io/v1 AuthorizationPolicy": "security.istio.io/v1/AuthorizationPolicy",
  "security.istio.io/v1 PeerAuthentication": "security.istio.io/v1/PeerAuthentication",
  "security.istio.io/v1 RequestAuthentication": "security.istio.io/v1/RequestAuthentication",
};

const WASM_FIELDS = new Set([
  "url", "sha256", "imagePullPolicy", "imagePullSecret", "pluginConfig", "pluginName",
  "failStrategy", "vmConfig", "type",
]);
const TARGET_FIELDS = new Set(["selector", "targetRefs", "phase", "priority", "match"]);

let checked = 0;
let problems = 0;
for (const file of process.argv.slice(2)) {
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    if (document.errors.length > 0) report(file, "not YAML", document.errors[0].message);
    else await check(file, document.toJS());
  }
}
console.log(`istio: ${checked} resources checked, ${problems} problems`);
process.exit(problems > 0 || checked === 0 ? 1 : 0);

async function check(file, resource) {
  checked += 1;
  const kind = `${resource.apiVersion} ${resource.kind}`;
  if (kind === "extensions.istio.io/v1alpha1 TrafficExtension") {
    onlyFields(file, "spec", resource.spec, new Set([...TARGET_FIELDS, "wasm"]));
    onlyFields(file, "spec.wasm", resource.spec.wasm, WASM_FIELDS);
    await againstSchema(file, "extensions.istio.io/v1alpha1 WasmPlugin", asWasmPlugin(resource));
    lychgateRules(file, resource.spec, resource.spec.wasm);
    return;
  }
  await againstSchema(file, kind, resource);
  if (resource.kind === "WasmPlugin") {
    onlyFields(file, "spec", resource.spec, new Set([...TARGET_FIELDS, ...WASM_FIELDS]));
    lychgateRules(file, resource.spec, resource.spec);
  }
}

// No package has TrafficExtension's schema yet for this Node. Its `wasm` object has WasmPlugin's
// fields and the rest of its spec has WasmPlugin's other fields, so it is checked as one.
function asWasmPlugin({ metadata, spec: { wasm, ...rest } }) {
  return { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata, spec: { ...rest, ...wasm } };
}

async function againstSchema(file, kind, resource) {
  const path = MODELS[kind];
  if (path === undefined) return report(file, kind, "no schema for this kind");
  const module = await load(`@kubernetes-models/istio/${path}.js`);
  try {
    new module[kind.split(" ")[1]](resource).validate();
  } catch (error) {
    report(file, kind, error.message);
  }
}

// The schemas allow unknown fields, which Kubernetes would drop.
function onlyFields(file, where, object, allowed) {
  for (const name of Object.keys(object)) {
    if (!allowed.has(name)) report(file, where, `unknown field ${name}`);
  }
}

function lychgateRules(file, spec, wasm) {
  if (spec.phase !== "AUTHN") report(file, "phase", "must be AUTHN: jwt_authn would remove the token first");
  if (!["FAIL_CLOSE", "FAIL_RELOAD"].includes(wasm.failStrategy)) report(file, "failStrategy", "must be FAIL_CLOSE or FAIL_RELOAD");
  if (!/^[0-9a-f]{64}$/.test(wasm.sha256 ?? "")) report(file, "sha256", "must be 64 hexadecimal digits");
  if (wasm.pluginConfig?.kind !== "Bundle") report(file, "pluginConfig", "must be a bundle");
  if (spec.selector !== undefined && spec.match?.every((match) => match.mode === "SERVER") !== true) {
    report(file, "match", "a sidecar's plugin must say mode SERVER");
  }
}

function report(file, where, message) {
  problems += 1;
  console.error(`istio: ${file}: ${where}: ${message}`);
}
