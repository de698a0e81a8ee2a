// Runs the speed example's wasm32-wasip1 build in Node's V8, in turn with Node's own OpenSSL and
// WebCrypto on the same signatures: node compare.mjs <module> [rounds]
import { createHmac, createPublicKey, constants, timingSafeEqual, verify } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";

const MILLISECONDS = 40;
const message = Buffer.from(Buffer.from("x".repeat(420)).toString("base64url"));
const module = await WebAssembly.compile(readFileSync(process.argv[2]));
const rounds = Number(process.argv[3] ?? 5);
const folder = mkdtempSync(join(tmpdir(), "lychgate-speed-"));

async function wasm({ name }) {
  const file = join(folder, "out");
  const stdout = openSync(file, "w");
  const wasi = new WASI({ version: "preview1", args: ["speed", name], stdout });
  wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
  closeSync(stdout);
  return Number(/([\d.]+) us/.exec(readFileSync(file, "utf8"))[1]);
}

function jwk({ alg, first, second }) {
  const number = (hex) => Buffer.from(hex, "hex").toString("base64url");
  if (alg === "EdDSA") return { kty: "OKP", crv: "Ed25519", x: number(first) };
  if (alg.startsWith("HS")) return { kty: "oct", k: number(first) };
  if (!alg.startsWith("ES")) return { kty: "RSA", n: number(first), e: "AQAB" };
  return { kty: "EC", crv: `P-${alg.slice(2)}`, x: number(first), y: number(second) };
}

// Each gives a function that verifies once.
function openssl(one) {
  const signature = Buffer.from(one.signature, "hex");
  const hash = `sha${one.alg.slice(2)}`;
  if (one.alg.startsWith("HS")) {
    const secret = Buffer.from(one.first, "hex");
    return () => timingSafeEqual(createHmac(hash, secret).update(message).digest(), signature);
  }
  const options = { key: createPublicKey({ key: jwk(one), format: "jwk" }), dsaEncoding: "ieee-p1363" };
  if (one.alg.startsWith("PS")) {
    options.padding = constants.RSA_PKCS1_PSS_PADDING;
    options.saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  }
  return () => verify(one.alg === "EdDSA" ? null : hash, message, options, signature);
}

async function webCrypto(one) {
  const signature = Buffer.from(one.signature, "hex");
  const bits = one.alg.slice(2);
  const parameters = {
    RS: { name: "RSASSA-PKCS1-v1_5" },
    PS: { name: "RSA-PSS", saltLength: bits / 8 },
    ES: { name: "ECDSA", namedCurve: `P-${bits}` },
    HS: { name: "HMAC" },
    Ed: { name: "Ed25519" },
  }[one.alg.slice(0, 2)];
  if (one.alg !== "EdDSA") parameters.hash = `SHA-${bits}`;
  const key = await crypto.subtle.importKey("jwk", jwk(one), parameters, false, ["verify"]);
  return () => crypto.subtle.verify(parameters, key, signature, message);
}

async function microseconds(once) {
  const start = performance.now();
  let verified = 0;
  while (performance.now() - start < MILLISECONDS) {
    if (!(await once())) throw new Error("a signature does not verify");
    verified += 1;
  }
  return ((performance.now() - start) * 1000) / verified;
}

function microsecondsWithoutWaiting(once) {
  const start = performance.now();
  let verified = 0;
  while (performance.now() - start < MILLISECONDS) {
    if (!once()) throw new Error("a signature does not verify");
    verified += 1;
  }
  return ((performance.now() - start) * 1000) / verified;
}

const { cases } = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"));
const rows = [];
for (const one of cases) {
  const [own, web] = [openssl(one), await webCrypto(one)];
  rows.push({ one, measure: [() => wasm(one), () => microsecondsWithoutWaiting(own), () => microseconds(web)], best: [Infinity, Infinity, Infinity] });
}
for (let round = 0; round < rounds; round += 1) {
  for (const { measure, best } of rows) {
    for (const [at, one] of measure.entries()) best[at] = Math.min(best[at], await one());
  }
}
rmSync(folder, { recursive: true });

console.log(`us for one verification of ${message.length} bytes, the best of ${rounds} rounds; Node ${process.version}`);
console.log(["".padEnd(12), "Lychgate (Wasm)", "OpenSSL (sync)", "WebCrypto"].join("  "));
for (const { one, best } of rows) {
  const cells = best.map((us, at) => us.toFixed(1).padStart([15, 14, 9][at]));
  console.log([one.name.padEnd(12), ...cells].join("  "));
}
