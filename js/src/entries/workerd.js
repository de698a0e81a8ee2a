// workerd compiles the module when it starts.
import module from './lychgate_bg.wasm';
import { initSync } from './lychgate.js';

initSync({ module });
export * from './lychgate.js';
