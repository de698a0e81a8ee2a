// Browsers, and bundlers that know `new URL(.., import.meta.url)`.
import start from './MODULE.js';

await start({ module_or_path: new URL('./MODULE_bg.wasm', import.meta.url) });
export * from './MODULE.js';
