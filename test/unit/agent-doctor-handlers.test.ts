/** What the doctor says of programs, modules and files that the configuration names. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseConfig } from '../../device/src/config.ts';
import { checkHandlers } from '../../device/src/doctor/handlers-check.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-doctor-handlers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function found(change: object) {
  const config = {
    thing: 'barn1',
    endpoint: { host: 'x' },
    certificateFile: 'c',
    privateKeyFile: 'k',
    sensors: [],
    ...change,
  };
  return checkHandlers(parseConfig(config, 'agent.json'));
}

function file(name: string, mode: number): string {
  const made = path.join(folder, name);
  writeFileSync(made, '');
  chmodSync(made, mode);
  return made;
}

describe('the doctor on handlers', () => {
  it('finds nothing wrong with those that can be used', () => {
    const program = file('program', 0o755);
    const change = {
      commands: { a: { run: [program] }, b: { run: ['sh', '-c', 'x'] }, c: { module: file('m.mjs', 0o644) } },
      state: { power: { file: file('power', 0o644) }, demo: { simulator: true } },
      pairing: { show: [program] },
    };
    expect(found(change)).toEqual([{ check: 'handlers', status: 'ok', message: '3 commands, 2 states' }]);
  });

  it.each([
    [
      'a program that cannot be executed',
      () => ({ commands: { a: { run: [file('p', 0o644)] } } }),
      /^commands\.a: (Error: )?EACCES/,
    ],
    [
      'a program that is not there',
      () => ({ commands: { a: { run: ['no-such-program'] } } }),
      /^commands\.a: there is no program/,
    ],
    [
      'a module that is not there',
      () => ({ state: { a: { module: '/no/module.mjs' } } }),
      /^state\.a: (Error: )?ENOENT/,
    ],
    ['a file that is not there', () => ({ state: { a: { file: '/no/file' } } }), /^state\.a: (Error: )?ENOENT/],
    [
      'a sensor whose program is not there',
      () => ({
        sensors: [{ name: 'soil', intervalSeconds: 1, source: { kind: 'command', command: ['no-such-program'] } }],
      }),
      /^sensors\.soil: there is no program/,
    ],
    [
      'a sensor whose file is not there',
      () => ({ sensors: [{ name: 'soil', intervalSeconds: 1, source: { kind: 'file', path: '/no/file' } }] }),
      /^sensors\.soil: (Error: )?ENOENT/,
    ],
    ['a display that is not there', () => ({ pairing: { show: ['/no/show'] } }), /^pairing\.show: (Error: )?ENOENT/],
    [
      'a program that everybody can change',
      () => ({ commands: { a: { run: [file('p', 0o777)] } } }),
      /everybody .* can change/,
    ],
  ])('warns of %s', (_what, change, message) => {
    expect(found(change())).toEqual([
      { check: 'handlers', status: 'warn', message: expect.stringMatching(message), advice: expect.any(String) },
    ]);
  });
});
