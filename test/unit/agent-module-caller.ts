/** Calls a module as the agent does, in a process of its own, since Jest loads modules in its own way. Arguments: file, seconds. */
import { systemClock } from '../../device/src/clock.ts';
import { createHandler } from '../../device/src/handlers/handler.ts';

const [module = '', timeoutSeconds = '5', end] = process.argv.slice(2);
const ending = new AbortController();
const handler = createHandler({ module, timeoutSeconds: Number(timeoutSeconds) }, 100, systemClock());
const call = handler({ input: [1], about: { id: 'a-b' }, environment: {}, signal: ending.signal });
if (end) setImmediate(() => ending.abort());
const answer = await call.then(
  (result) => ({ result }),
  (error) => ({ error: error.message }),
);
process.stdout.write(JSON.stringify(answer), () => process.exit());
