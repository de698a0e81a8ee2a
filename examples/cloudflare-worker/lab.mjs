// What the examples for workerd have in common: the command that compiles and mints, an empty
// project with the packed package, `wrangler dev`, and a table of answers.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const TOOLS = join(ROOT, 'tests/workers/node_modules');
const START = 60_000;
const STOP = 5_000;

/** Compiles the folder's policies.yaml into its bundle.json. */
export function compile(folder) {
  lychgate(folder, 'compile', 'policies.yaml', '--namespace', 'default', '--output', 'bundle.json');
}

/** A token of the folder's key.json. */
export function mint(folder, scope) {
  return lychgate(
    folder, 'token', 'mint', '--key', 'key.json', '--issuer', 'https://issuer.example',
    '--audience', 'notes', '--subject', 'alice', '--claim', `scope=${scope}`,
  ).trim();
}

function lychgate(folder, ...rest) {
  const command = ['run', '--quiet', '--locked', '--manifest-path', join(ROOT, 'Cargo.toml'), '--package', 'lychgate', '--', ...rest];
  return execFileSync('cargo', command, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Starts the folder's Worker; sends the requests, or with --serve stays. */
export async function run(folder, requests, headers) {
  const work = mkdtempSync(join(tmpdir(), 'lychgate-example-'));
  let worker;
  try {
    install(folder, work);
    worker = await start(work);
    if (process.argv.includes('--serve')) await stay(worker, headers);
    else await show(worker.url, requests);
  } finally {
    await worker?.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

/** The folder as a project of its own, with the package as it would be published. */
function install(folder, work) {
  if (!existsSync(join(ROOT, 'js/dist/wasm'))) execFileSync(join(ROOT, 'js/scripts/build'), { stdio: 'inherit' });
  if (!existsSync(join(TOOLS, 'wrangler'))) throw new Error('wrangler is not there; run: make setup');
  cpSync(folder, work, { recursive: true, filter: (path) => !path.includes('node_modules') });
  const quiet = { cwd: join(ROOT, 'js'), stdio: ['ignore', 'ignore', 'inherit'] };
  execFileSync('npm', ['pack', '--silent', '--pack-destination', work], quiet);
  const modules = join(work, 'node_modules');
  mkdirSync(join(modules, 'lychgate'), { recursive: true });
  const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', join(work, tarball), '--strip-components=1', '-C', join(modules, 'lychgate')]);
  const { dependencies } = JSON.parse(readFileSync(join(work, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    if (name !== 'lychgate') symlinkSync(join(TOOLS, name), join(modules, name));
  }
}

/** `wrangler dev` on a free port, in a group of processes of its own. */
async function start(work) {
  const options = ['dev', '--ip', '127.0.0.1', '--port', '0', '--inspector-port', '0', '--show-interactive-dev-session=false'];
  const wrangler = spawn('node', [join(TOOLS, 'wrangler/bin/wrangler.js'), ...options], {
    cwd: work, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: join(work, 'logs') },
  });
  const gone = new Promise((resolve) => { wrangler.once('exit', resolve); });
  const stop = async () => {
    signal(wrangler, 'SIGTERM');
    // Now and then wrangler waits without end for a process that is gone already.
    const late = setTimeout(() => signal(wrangler, 'SIGKILL'), STOP);
    await gone;
    clearTimeout(late);
    signal(wrangler, 'SIGKILL');
  };
  let log = '';
  const ready = new Promise((resolve, reject) => {
    const look = (text) => {
      log += text;
      const found = /Ready on (http:\/\/127\.0\.0\.1:\d+)/.exec(log);
      if (found) resolve(found[1]);
    };
    wrangler.stdout.setEncoding('utf8').on('data', look);
    wrangler.stderr.setEncoding('utf8').on('data', look);
    wrangler.on('exit', () => reject(new Error(`wrangler stopped:\n${log}`)));
    setTimeout(() => reject(new Error(`wrangler is not ready after ${START} ms:\n${log}`)), START).unref();
  });
  try {
    return { url: await ready, wrangler, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** To the whole group, if any of it is left. */
function signal({ pid }, name) {
  try {
    process.kill(-pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

async function show(url, requests) {
  let wrong = 0;
  for (const [expected, title, method, path, headers] of requests) {
    const { status, body } = await send(url, method, path, headers);
    const text = body.startsWith('{"type"') ? JSON.parse(body).title : body.trim();
    console.log(`${status}  ${title.padEnd(30)} ${method.padEnd(4)} ${path.padEnd(20)} ${text}`);
    if (status !== expected) wrong += 1;
  }
  if (wrong > 0) {
    console.error(`${wrong} answers are not as expected`);
    process.exitCode = 1;
  }
}

/** Sends the path as it is; `fetch` would resolve its dots first. */
function send(url, method, path, headers) {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => { body += text; });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    request.on('error', reject).end();
  });
}

async function stay({ url, wrangler }, { authorization }) {
  console.log(`try, and stop with Ctrl-C:\n  curl -i ${url}/notes\n  curl -i -H 'authorization: ${authorization}' ${url}/notes`);
  wrangler.stdout.pipe(process.stdout);
  await new Promise((resolve) => { process.once('SIGINT', resolve); });
}
