import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { Backoff } from '../../device/src/backoff.ts';
import { createLog } from '../../device/src/log.ts';
import { board } from '../../device/src/sensors/board.ts';
import { simulator } from '../../device/src/sensors/simulator.ts';

describe('the pauses between connections', () => {
  const options = { baseMs: 1000, capMs: 300_000, stableMs: 30_000 };

  it('are a random part of a ceiling that doubles up to the cap', () => {
    const highest = new Backoff({ ...options, random: () => 0.999999 });
    const pauses = Array.from({ length: 12 }, () => Math.round(highest.next() / 1000));
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);

    const lowest = new Backoff({ ...options, random: () => 0 });
    // One CONNECT a second for a client id is what AWS IoT takes.
    expect([lowest.next(), lowest.next()]).toEqual([1000, 1000]);
  });

  it('start again only after a connection that lasted', () => {
    const backoff = new Backoff({ ...options, random: () => 0.5 });
    for (let attempt = 0; attempt < 5; attempt += 1) backoff.next();

    backoff.connectedFor(29_999);
    expect(backoff.next()).toBe(32_500);
    backoff.connectedFor(30_000);
    expect(backoff.next()).toBe(1500);
  });

  it('are long at once for a cause that does not go away', () => {
    const backoff = new Backoff({ ...options, random: () => 0.5 });
    backoff.holdOff();
    expect(backoff.next()).toBe(150_500);
  });
});

describe('a simulated sensor', () => {
  const options = { mean: 20, amplitude: 5, periodSeconds: 60 };

  it.each(['walk', 'sine'] as const)('stays within its range and repeats itself for the same seed: %s', (shape) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const values = (): unknown[] => {
          const sensor = simulator({ ...options, shape, seed });
          return Array.from({ length: 300 }, (_, index) => sensor.read(index * 1000));
        };
        const first = values();
        expect(values()).toEqual(first);
        for (const value of first) {
          expect(value).toBeGreaterThanOrEqual(15);
          expect(value).toBeLessThanOrEqual(25);
        }
        expect(new Set(first).size).toBeGreaterThan(10);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a sensor of the board', () => {
  it('reads thousandths of a degree as degrees', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'thingstead-board-')), 'temp');
    writeFileSync(file, '48312\n');

    expect(board('temperature', file).read(0)).toBe(48.312);
  });

  it('says what is missing on a board that has none', () => {
    expect(() => board('temperature', '/nowhere/temp')).toThrow(/shows no temperature: \/nowhere\/temp/);
  });
});

describe('the log', () => {
  const clock = { now: () => 0, uptime: () => 0, after: () => () => {} };

  it('writes one line of JSON per event, from its level up', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', thing: 'barn1', clock, readable: false, write: (line) => lines.push(line) });

    log.debug('connection.connecting');
    log.warn('connection.lost', { reason: 'because\nof' });

    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'warn',
        event: 'connection.lost',
        thing: 'barn1',
        reason: 'because\nof',
      },
    ]);
    expect(lines[0]).not.toContain('\n');
  });
});
