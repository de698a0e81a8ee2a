// Hands each line to the Worker and its answer back.
import { createInterface } from 'node:readline';

import { start } from './workerd.mjs';

const worker = await start('parity', { handleRuntimeStdio: (stdout, stderr) => { stdout.pipe(process.stderr); stderr.pipe(process.stderr); } });
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const response = await worker.fetch('/', { method: 'POST', body: line });
    const text = await response.text();
    if (response.status !== 200) throw new Error(text);
    process.stdout.write(`${text}\n`);
  }
} finally {
  await worker.stop();
}
