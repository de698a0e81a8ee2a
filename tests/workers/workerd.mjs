// Bundles a Worker as its users do, with wrangler, and runs it in workerd, with miniflare.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { Miniflare } from 'miniflare';

/** After this date workerd lets requests wait for one another's promises. */
export const DATE = '2026-04-01';

const bundles = new Map();

/** Bundles `workers/NAME.mjs` and answers what comes of it, by file name. */
export function bundle(name) {
  if (!bundles.has(name)) bundles.set(name, build(name, `workers/${name}.mjs`));
  return bundles.get(name);
}

function build(name, script) {
  const out = `built/${name}`;
  const options = ['deploy', script, '--dry-run', '--outdir', out, '--name', name, '--compatibility-date', DATE];
  execFileSync('node', ['node_modules/wrangler/bin/wrangler.js', ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
  return Object.fromEntries(readdirSync(out).map((file) => [file, readFileSync(`${out}/${file}`)]));
}

/** Starts a Worker. `line(PART)` is the first on its console with that part in it. */
export async function start(name, options = {}) {
  const files = bundle(name);
  const script = Object.keys(files).find((file) => file.endsWith('.js'));
  const modules = Object.keys(files).filter((file) => /\.(js|wasm)$/.test(file)).map((path) => ({
    type: path.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule', path, contents: files[path],
  }));
  modules.sort((a) => (a.path === script ? -1 : 1));
  const written = [];
  const lines = () => written.join('').split('\n');
  const read = (stream) => stream.setEncoding('utf8').on('data', (text) => written.push(text));
  const miniflare = new Miniflare({
    name, modules, compatibilityDate: DATE, host: '127.0.0.1', port: 0, cf: false,
    handleRuntimeStdio: (stdout, stderr) => { read(stdout); read(stderr); },
    ...options,
  });
  const url = await miniflare.ready.catch(async (error) => {
    await miniflare.dispose();
    throw error;
  });
  return {
    url,
    miniflare,
    line: (part) => waitFor(() => lines().find((line) => line.includes(part))),
    fetch: (path, parameters) => miniflare.dispatchFetch(new URL(path, 'http://api.example'), parameters),
    stop: () => miniflare.dispose(),
  };
}

/** What `look` finds, sooner or later: workerd's console comes by another way than its answers. */
export async function waitFor(look) {
  for (let round = 0; round < 500; round += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  throw new Error('nothing came in 5 s');
}
