// The installed package in workerd as a host of the parity run; workerd.mjs is that of tests/workers.
import { createInterface } from 'node:readline';

import { start } from './workerd.mjs';

const worker = await start('parity');
try {
  for await (const body of createInterface({ input: process.stdin })) {
    const response = await worker.fetch('/', { method: 'POST', body });
    const text = await response.text();
    if (response.status !== 200) throw new Error(text);
    process.stdout.write(`${text}\n`);
  }
} finally {
  await worker.stop();
}
