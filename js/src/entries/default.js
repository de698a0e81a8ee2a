// Browsers, and bundlers that know `new URL(.., import.meta.url)`.
import start from './lychgate.js';

await start({ module_or_path: new URL('./lychgate_bg.wasm', import.meta.url) });
export * from './lychgate.js';
