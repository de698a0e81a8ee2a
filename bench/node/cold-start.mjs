// `node cold-start.mjs`: the median of some new processes; `node cold-start.mjs once` is one of them.
// Beside each other: Node itself starts before the clock does.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUNS = 15;
const LIMIT = 50;
const POLICIES = 100;

if (process.argv[2] === 'once') await once();
else report();

async function once() {
  const began = performance.now();
  const { Guard } = await import('lychgate');
  const imported = performance.now();
  const guard = await Guard.load({ bundle: bundle() });
  const loaded = performance.now();
  const { verdict } = guard.decide({ method: 'GET', target: `/items/${POLICIES - 1}`, authority: 'a.example', headers: [] });
  const decided = performance.now();
  if (verdict !== 'allow') throw new Error(verdict);
  console.log(JSON.stringify([imported - began, loaded - imported, decided - loaded, decided - began]));
}

function bundle() {
  const policy = (index) => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `policy-${index}`, namespace: 'default' },
    spec: { action: 'ALLOW', rules: [{ to: [{ operation: { methods: ['GET'], paths: [`/items/${index}`] } }] }] },
  });
  return {
    apiVersion: 'lychgate.dev/v1alpha1',
    kind: 'Bundle',
    workload: { kind: 'sidecar', namespace: 'default' },
    resources: Array.from({ length: POLICIES }, (_, index) => policy(index)),
  };
}

function report() {
  const self = fileURLToPath(import.meta.url);
  const runs = Array.from({ length: RUNS }, () => JSON.parse(execFileSync(process.execPath, [self, 'once'], { encoding: 'utf8' })));
  const [imported, loaded, decided, total] = [0, 1, 2, 3].map((part) => median(runs.map((run) => run[part])));
  console.log(`import ${imported.toFixed(1)} ms, load ${POLICIES} policies ${loaded.toFixed(1)} ms, first decision ${decided.toFixed(1)} ms: ${total.toFixed(1)} ms (medians of ${RUNS} processes)`);
  if (total > LIMIT) {
    console.error(`cold start takes more than ${LIMIT} ms`);
    process.exitCode = 1;
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
