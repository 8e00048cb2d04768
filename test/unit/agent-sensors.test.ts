/** Sensors that are files and commands: real files, real processes, and what they do to the agent when they misbehave. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../device/src/clock.ts';
import { loadConfig, parseConfig } from '../../device/src/config.ts';
import { Liveness } from '../../device/src/liveness.ts';
import { MemoryOutbox } from '../../device/src/memory-outbox.ts';
import { startSampling } from '../../device/src/sampler.ts';
import { command } from '../../device/src/sensors/command.ts';
import { file } from '../../device/src/sensors/file.ts';
import { parseValue } from '../../device/src/sensors/parse-value.ts';
import { SensorHealth } from '../../device/src/sensors/sensor-health.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { untilEnded } from '../support/process-end.ts';

const number = { value: 'number', scale: 1, offset: 0 } as const;
const never = new AbortController().signal;
let folder: string;
let written = 0;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-sensors-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string | Buffer): string {
  written += 1;
  const name = path.join(folder, `file-${written}`);
  writeFileSync(name, text);
  return name;
}

function script(text: string): string {
  const name = write(`#!/bin/sh\n${text}\n`);
  chmodSync(name, 0o755);
  return name;
}

function run(
  words: readonly string[],
  { timeoutMs = 20_000, value = 'number', signal = never } = {},
): Promise<unknown> {
  const conversion = { ...number, value: value as 'number' };
  return Promise.resolve(command({ command: words, timeoutMs, conversion, clock: systemClock() }).read(0, signal));
}

/** Resolves when the check holds, which the kernel brings about without an event to wait for. */
async function until(check: () => boolean): Promise<void> {
  while (!check()) await turn();
}

describe('the value of a text', () => {
  it.each([
    ['48312\n', { scale: 0.001 }, 48.312],
    ['21687', { scale: 0.001 }, 21.687],
    [' -4.5e1 ', {}, -45],
    ['10', { scale: -2, offset: 100 }, 80],
    ['.5', {}, 0.5],
    ['1', { value: 'boolean' }, true],
    ['False\n', { value: 'boolean' }, false],
    ['open\n', { value: 'text' }, 'open'],
    ['grün', { value: 'text' }, 'grün'],
    ['x'.repeat(256), { value: 'text' }, 'x'.repeat(256)],
  ] as const)('%j with %j is %j', (text, change, value) => {
    expect(parseValue(text, { ...number, ...change })).toBe(value);
  });

  it.each([
    ['', {}, 'an empty text is no number'],
    [' \n', { value: 'text' }, 'an empty text is no text'],
    ['12 V', {}, '"12 V" is no number'],
    ['0x10', {}, '"0x10" is no number'],
    ['NaN', {}, '"NaN" is no number'],
    ['Infinity', {}, '"Infinity" is no number'],
    ['1e999', {}, '"1e999" is no number'],
    ['1 2', {}, '"1 2" is no number'],
    ['1,5', {}, '"1,5" is no number'],
    ['2', { value: 'boolean' }, '"2" is no boolean'],
    ['two\nlines', { value: 'text' }, 'is no text'],
    ['x'.repeat(257), { value: 'text' }, `"${'x'.repeat(40)}…" is no text`],
  ] as const)('%j with %j is none', (text, change, message) => {
    expect(() => parseValue(text, { ...number, ...change })).toThrow(message);
  });
});

describe('a file', () => {
  it('is read anew every time, also when it has gone and come back', async () => {
    const name = write('1');
    const sensor = file(name, { ...number, scale: 0.5 });

    expect(await sensor.read(0, never)).toBe(0.5);
    rmSync(name);
    await expect(sensor.read(0, never)).rejects.toThrow(/ENOENT.*file-/);
    writeFileSync(name, '2');
    expect(await sensor.read(0, never)).toBe(1);
  });

  it('of the kernel, which has no size, is read', async () => {
    const total = await file('/proc/sys/kernel/pid_max', number).read(0, never);

    expect(total).toBe(Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8')));
  });

  it('may hold 4096 bytes and no more', async () => {
    expect(await file(write(`7${' '.repeat(4095)}`), number).read(0, never)).toBe(7);
    await expect(file(write(`7${' '.repeat(4096)}`), number).read(0, never)).rejects.toThrow('more than 4096 bytes');
    await expect(file('/dev/zero', number).read(0, never)).rejects.toThrow('is no regular file');
  });

  it('that is a named pipe without a writer, or a folder, is refused at once', async () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);

    await expect(file(pipe, number).read(0, never)).rejects.toThrow('is no regular file');
    await expect(file(folder, number).read(0, never)).rejects.toThrow('is no regular file');
  });
});

describe('a command', () => {
  it('gives what it prints, without a shell in between', async () => {
    expect(await run(['printf', '%s', '$HOME; echo `id`'], { value: 'text' })).toBe('$HOME; echo `id`');
    expect(await run([script('echo 21.5; echo trouble >&2')])).toBe(21.5);
  });

  it('sees nothing of the environment of the agent, and no terminal', async () => {
    const names = script("cat; env | cut -d= -f1 | sort | tr '\\n' ' '");

    expect(await run([names], { value: 'text' })).toBe('LC_ALL PATH PWD');
  });

  it.each([
    ['ends with another code than 0', 'echo 1; echo no bus >&2; exit 3', /ended with 3: no bus$/],
    ['is killed', 'echo 1; kill -9 $$', /ended with SIGKILL$/],
    ['prints no number', 'echo twelve', '"twelve" is no number'],
    ['prints nothing', 'true', 'an empty text is no number'],
    ['prints without end', 'exec yes', 'prints more than 4096 bytes'],
    ['complains without end', 'exec yes >&2', 'prints more than 4096 bytes'],
  ])('that %s gives no reading', async (_what, text, message) => {
    await expect(run([script(text)])).rejects.toThrow(message);
  });

  it('that does not exist, or may not be run, gives no reading', async () => {
    await expect(run(['thingstead-no-such-program'])).rejects.toThrow(/cannot be run: .*ENOENT/);
    await expect(run([write('echo 1')])).rejects.toThrow(/cannot be run: .*EACCES/);
  });

  it('that hangs is killed with all that it has started', async () => {
    // GIVEN a command that hangs, and so does its child
    const pids = path.join(folder, 'hanging');
    const hanging = script(`sleep 1000 & echo $! $$ >${pids}.new; mv ${pids}.new ${pids}; wait`);

    // WHEN
    await expect(run([hanging], { timeoutMs: 2000 })).rejects.toThrow('has not ended after 2 s');

    // THEN
    const [child = '', parent = ''] = readFileSync(pids, 'utf8').trim().split(' ');
    await Promise.all([untilEnded(child), untilEnded(parent)]);
  });

  it('that leaves a process behind gives its reading at once, and the process is killed', async () => {
    const pid = path.join(folder, 'left-behind');
    const leaving = script(`sleep 1000 & echo $! >${pid}; echo 5`);

    expect(await run([leaving])).toBe(5);

    await untilEnded(readFileSync(pid, 'utf8').trim());
  });

  it('is killed when the agent ends', async () => {
    const ending = new AbortController();
    const pid = path.join(folder, 'ending');
    const started = new Promise<void>((resolve) => {
      const watcher = watch(folder, () => {
        if (!existsSync(pid)) return;
        watcher.close();
        resolve();
      });
    });
    const reading = run([script(`echo $$ >${pid}.new; mv ${pid}.new ${pid}; sleep 1000`)], { signal: ending.signal });
    await started;

    ending.abort();

    await expect(reading).rejects.toThrow('the agent ends');
    await untilEnded(readFileSync(pid, 'utf8').trim());
  });
});

describe('the log of a sensor', () => {
  function health() {
    const clock = new ManualClock();
    const lines: unknown[] = [];
    const write = (event: string, fields = {}): void => {
      lines.push({ event, ...fields });
    };
    const log = { debug: write, info: write, warn: write, error: write };
    return { clock, lines, sensor: new SensorHealth('water', clock, log) };
  }

  it('has the first failure at once, later ones once an hour, and the recovery', () => {
    const { clock, lines, sensor } = health();

    for (let second = 0; second < 2 * 3600; second += 1) {
      sensor.failed('gone');
      clock.advance(1000);
    }
    sensor.worked();
    sensor.worked();

    expect(lines).toEqual([
      { event: 'sensor.failed', sensor: 'water', message: 'gone', failures: 1, total: 1 },
      { event: 'sensor.failed', sensor: 'water', message: 'gone', failures: 3600, total: 3601 },
      { event: 'sensor.recovered', sensor: 'water', total: 7200 },
    ]);
  });

  it('is not filled by a sensor that fails every other time', () => {
    const { clock, lines, sensor } = health();

    for (let second = 0; second < 3600; second += 1) {
      sensor.failed('loose contact');
      sensor.worked();
      clock.advance(1000);
    }

    expect(lines).toHaveLength(2);
  });
});

describe('sampling', () => {
  it('goes on when sensors hang, fail and throw; a sensor is not asked again before it has answered', async () => {
    // GIVEN a command that waits for a file before it answers, one that fails, and a file that comes later
    const go = path.join(folder, 'go');
    const runsFile = write('');
    const late = path.join(folder, 'late');
    execFileSync('mkfifo', [go]);
    const sensor = (name: string, source: object) => ({ name, intervalSeconds: 10, source });
    const { sensors } = parseConfig(
      {
        thing: 'barn1',
        endpoint: { host: 'localhost' },
        certificateFile: 'c',
        privateKeyFile: 'k',
        sensors: [
          sensor('hangs', { kind: 'command', command: [script(`echo >>${runsFile}; read x <${go}; echo 1`)] }),
          sensor('fails', { kind: 'command', command: ['false'] }),
          sensor('late', { kind: 'file', path: late }),
          sensor('good', { kind: 'simulator' }),
        ],
      },
      'test',
    );
    const clock = new ManualClock();
    const outbox = new MemoryOutbox('session', 100);
    const put = jest.spyOn(outbox, 'put');
    const events: string[] = [];
    const seen = new Map<string, () => void>();
    const log = (event: string, { sensor: name }: { sensor?: string } = {}): void => {
      events.push(`${event} ${name}`);
      seen.get(`${event} ${name}`)?.();
    };
    const logged = (line: string): Promise<void> =>
      events.includes(line) ? Promise.resolve() : new Promise((resolve) => seen.set(line, resolve));

    // WHEN
    const stop = startSampling({
      ...{ thing: 'barn1', sensors, outbox, clock },
      liveness: new Liveness(clock),
      log: { debug: log, info: log, warn: log, error: log } as never,
    });
    await Promise.all([logged('sensor.failed fails'), logged('sensor.failed late')]);
    await until(() => readFileSync(runsFile, 'utf8') !== '');
    writeFileSync(late, '3');
    // Less than the time limit of the command.
    for (let second = 0; second < 9; second += 1) clock.advance(1000);
    clock.advance(999);
    clock.advance(1);
    await logged('sensor.recovered late');
    stop();

    // THEN
    expect(readFileSync(runsFile, 'utf8')).toBe('\n');
    const read = put.mock.calls.map(([name, { value }]) => (name === 'good' ? name : `${name} ${value}`));
    expect(read.toSorted()).toEqual(['good', 'good', 'late 3']);
  });
});

describe('the configuration of a sensor', () => {
  const good = { thing: 'barn1', endpoint: { host: 'x' }, certificateFile: 'c', privateKeyFile: 'k' };
  const parse = (source: object) => () =>
    parseConfig({ ...good, sensors: [{ name: 't', intervalSeconds: 1, source }] }, 'device.json');

  it.each([
    ['a file without a path', { kind: 'file' }, 'sensors.0.source.path: is missing'],
    ['an empty path', { kind: 'file', path: '' }, 'sensors.0.source.path: '],
    ['a scale of 0', { kind: 'file', path: 'x', scale: 0 }, 'sensors.0.source.scale: must not be 0'],
    ['a scale that is no number', { kind: 'file', path: 'x', scale: '2' }, 'sensors.0.source.scale: '],
    ['a kind of value that is none', { kind: 'file', path: 'x', value: 'date' }, 'sensors.0.source.value: '],
    ['scaled text', { kind: 'file', path: 'x', value: 'text', scale: 2 }, 'sensors.0.source.scale: is for numbers'],
    [
      'a moved boolean',
      { kind: 'command', command: ['x'], value: 'boolean', offset: 1 },
      'sensors.0.source.offset: is for numbers',
    ],
    ['a command without a program', { kind: 'command', command: [] }, 'sensors.0.source.command: must hold a program'],
    ['a command line for a shell', { kind: 'command', command: 'echo 1' }, 'sensors.0.source.command: '],
    ['a NUL in an argument', { kind: 'command', command: ['a', 'b\0'] }, 'sensors.0.source.command.1: must not hold'],
    ['no time limit', { kind: 'command', command: ['a'], timeoutSeconds: 0 }, 'sensors.0.source.timeoutSeconds: '],
    [
      'a misspelt key',
      { kind: 'file', path: 'x', ofset: 1 },
      'sensors.0.source.ofset: unknown key; did you mean "offset"?',
    ],
  ])('with %s is refused', (_what, source, message) => {
    expect(parse(source)).toThrow(message);
  });

  it('takes relative paths from its own folder, and leaves programs without one to the standard folders', () => {
    const source = (kind: object) => ({ name: `s${JSON.stringify(kind).length}`, intervalSeconds: 1, source: kind });
    const name = write(
      JSON.stringify({
        ...good,
        sensors: [
          source({ kind: 'file', path: 'state/value' }),
          source({ kind: 'command', command: ['./read-it', 'a/b'] }),
          source({ kind: 'command', command: ['df', '.'] }),
        ],
      }),
    );

    expect(loadConfig(name).sensors.map((each) => each.source)).toMatchObject([
      { path: path.join(folder, 'state/value') },
      { command: [path.join(folder, 'read-it'), 'a/b'] },
      { command: ['df', '.'] },
    ]);
  });
});
