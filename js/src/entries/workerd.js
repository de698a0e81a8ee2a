// workerd compiles the module when it starts.
import module from './MODULE_bg.wasm';
import { initSync } from './MODULE.js';

initSync({ module });
export * from './MODULE.js';
