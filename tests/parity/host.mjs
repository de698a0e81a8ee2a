// The installed package as a host of the parity run: `node host.mjs esm|cjs`. The ES module checks
// signatures with Node's crypto, CommonJS in WebAssembly.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { answers } from './answers.mjs';

const isCommonJs = process.argv[2] === 'cjs';
const lychgate = isCommonJs ? createRequire(import.meta.url)('lychgate') : await import('lychgate');
const options = isCommonJs ? { verifier: createRequire(import.meta.url)('lychgate/portable').portable } : {};

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ answers: await answers(lychgate, JSON.parse(line), options) })}\n`);
}
