/**
 * A process that uses the outbox on the disk until it is killed: says on stdout what it was promised and what it sent.
 * Arguments: the folder, the first value to put, how many.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../device/src/clock.ts';
import { DurableOutbox } from '../../device/src/durable-outbox.ts';
import { nodeFileSystem } from '../../device/src/node-file-system.ts';

const [directory = '', first = '1', count = '1'] = process.argv.slice(2);
const say = (line: object): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};
const quiet = (): void => {};
const outbox = new DurableOutbox({
  ...{ fs: nodeFileSystem, directory, maxBytes: 24 * 1024 * 1024, maxAgeMs: 1e12, syncMs: 1e9, clock: systemClock() },
  log: { debug: quiet, info: quiet, warn: quiet, error: (event) => say({ failed: event }) },
});
for (let value = Number(first); value < Number(first) + Number(count); value += 1) {
  outbox.put('a', { value });
  // Not synced on purpose: this must survive the end of the process.
  say({ kept: value });
  if (value % 3 === 0) outbox.sync();
  if (value % 4 !== 0) continue;
  const message = outbox.take();
  if (!message) continue;
  say({ sent: message.id, payload: message.payload.toString() });
  if (value % 8 === 0) outbox.acknowledge(message);
  else outbox.putBack(message);
}
// The next start takes over what waits, as after a kill.
process.exit(0);
