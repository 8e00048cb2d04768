/** Programs and modules that the cloud may have run: real processes, and what they do to the agent when they misbehave. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../device/src/clock.ts';
import { createHandler } from '../../device/src/handlers/handler.ts';
import type { HandlerConfig } from '../../device/src/handlers/handler-config.ts';
import { untilEnded } from '../support/process-end.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-handlers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const made = path.join(folder, name);
  writeFileSync(made, text);
  chmodSync(made, 0o755);
  return made;
}

const program = (text: string): string => file('program', `#!/bin/sh\n${text}\n`);
const config = (part: Partial<HandlerConfig>): HandlerConfig => ({ timeoutSeconds: 10, ...part });

function handle(part: Partial<HandlerConfig>, input: unknown = {}, signal = new AbortController().signal) {
  const handler = createHandler(config(part), 100, systemClock());
  return handler({ input, about: { id: 'a-b' }, environment: { THINGSTEAD_COMMAND: 'open it' }, signal });
}

describe('a program', () => {
  it('gets the input on standard input, its words as they are, and nothing of the environment of the agent', async () => {
    const run = [program('printf %s "$# $2 $THINGSTEAD_COMMAND $HOME "; cat'), '-a', '$(id); x'];
    expect(await handle({ run }, { text: "it's" })).toBe('2 $(id); x open it  {"text":"it\'s"}');
  });

  it.each([
    ['echo \'{"a": [1, true]}\'', { a: [1, true] }],
    ['echo 12', 12],
    ['echo yes, done', 'yes, done'],
    [':', undefined],
    ['exec 0<&-; echo not read', 'not read'],
  ])('gives what it prints: %s', async (text, result) => {
    expect(await handle({ run: [program(text)] }, 'x'.repeat(200_000))).toEqual(result);
  });

  it('that prints more than fits goes on to its end, and the rest is thrown away', async () => {
    const run = [
      program(
        `printf %s abc; head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero >&2; touch ${folder}/end`,
      ),
    ];
    expect(await handle({ run })).toBe(`abc${'x'.repeat(97)}`);
    readFileSync(path.join(folder, 'end'));
  });

  it.each([
    ['echo first >&2; echo the end >&2; exit 3', /program ended with 3: first\nthe end$/],
    ['head -c 100000 /dev/zero | tr "\\0" x >&2; echo the end >&2; exit 3', /ended with 3: x+the end$/],
    ['kill -TERM $$', /ended with SIGTERM$/],
  ])('that fails says why with its last words: %s', async (text, message) => {
    await expect(handle({ run: [program(text)] })).rejects.toThrow(message);
  });

  it('that is not there cannot be run', async () => {
    await expect(handle({ run: [path.join(folder, 'none')] })).rejects.toThrow('cannot be run: spawn');
  });

  it.each(['after its time', 'at the end of the agent'])('is killed %s with all that it has started', async (when) => {
    const pids = path.join(folder, 'pids');
    const run = [program(`sleep 60 & echo $$ $! >${pids}.new; mv ${pids}.new ${pids}; wait`)];
    const ending = new AbortController();
    const ended = handle({ run, timeoutSeconds: when === 'after its time' ? 0.3 : 60 }, {}, ending.signal);
    if (when !== 'after its time') {
      ended.catch(() => {});
      await untilThere(pids);
      ending.abort();
    }

    await expect(ended).rejects.toThrow(when === 'after its time' ? 'has not ended after 0.3 s' : 'the agent ends');
    for (const pid of readFileSync(pids, 'utf8').trim().split(' ')) await untilEnded(pid);
  });
});

describe('a module', () => {
  function call(text: string, ...args: readonly string[]): unknown {
    const caller = path.join(__dirname, 'agent-module-caller.ts');
    return JSON.parse(
      execFileSync(process.execPath, [caller, file('handler.mjs', text), ...args], { encoding: 'utf8' }),
    );
  }

  it('is called with the input and what it is about, and gives its value', () => {
    const text = 'export default async (input, { id, signal }) => ({ input, id, aborted: signal.aborted });';
    expect(call(text)).toEqual({ result: { input: [1], id: 'a-b', aborted: false } });
  });

  it.each([
    ['export default () => { throw new Error("no motor"); };', 'no motor'],
    ['export default async () => Promise.reject(new Error("no power"));', 'no power'],
    ['export const other = 1;', 'has no function as its default export'],
    ['export default (;', 'Unexpected'],
  ])('that fails says why: %s', (text, message) => {
    expect(call(text)).toEqual({ error: expect.stringContaining(message) });
  });

  it.each([
    ['after its time', ['0.2'], 'has not ended after 0.2 s'],
    ['at the end of the agent', ['60', 'end'], 'the agent ends'],
  ])('that does not end is given up %s, and told so', (_when, args, message) => {
    const told = path.join(folder, 'told');
    const text = `import { writeFileSync } from 'node:fs';
export default (_, { signal }) => new Promise(() => {
  signal.addEventListener('abort', () => writeFileSync(${JSON.stringify(told)}, signal.reason.message));
  if (signal.aborted) writeFileSync(${JSON.stringify(told)}, signal.reason.message);
});`;
    expect(call(text, ...args)).toEqual({ error: expect.stringContaining(message) });
    if (args.length === 1) expect(readFileSync(told, 'utf8')).toContain(message);
  });
});

async function untilThere(name: string): Promise<void> {
  for (;;) {
    try {
      readFileSync(name);
      return;
    } catch {
      await new Promise(setImmediate);
    }
  }
}
