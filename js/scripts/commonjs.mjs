// Gives CommonJS its own endings, since the package's are those of ES modules, and writes the ES
// modules through which Node reaches it: one copy of the engine for both.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const files = readdirSync('dist/cjs', { recursive: true }).filter((name) => name.endsWith('.ts') || name.endsWith('.js'));
for (const name of files) {
  const path = `dist/cjs/${name}`;
  const text = readFileSync(path, 'utf8').replace(/((?:require\(|from |import\()["']\.{1,2}\/[^"']*)\.js(["'])/g, '$1.cjs$2');
  writeFileSync(path, text);
  renameSync(path, path.replace(/\.js$/, '.cjs').replace(/\.d\.ts$/, '.d.cts'));
}

mkdirSync('dist/node', { recursive: true });
for (const entry of ['index', 'node', 'portable', 'verify', 'workers']) {
  const text = `export * from '../cjs/${entry}.cjs';\n`;
  writeFileSync(`dist/node/${entry}.mjs`, text);
  writeFileSync(`dist/node/${entry}.d.mts`, text);
}
