import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { Backoff } from '../../device/src/backoff.ts';
import { createLog } from '../../device/src/log.ts';
import { board } from '../../device/src/sensors/board.ts';
import { simulator } from '../../device/src/sensors/simulator.ts';
import { Takeovers } from '../../device/src/takeovers.ts';
import { ManualClock } from '../support/manual-clock.ts';

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
});

describe('a device whose identity another one has too', () => {
  const HOUR_MS = 3_600_000;

  function device(random: () => number) {
    const clock = new ManualClock();
    const lines: unknown[] = [];
    const write = (event: string, fields = {}): void => {
      lines.push({ event, ...fields });
    };
    const log = { debug: write, info: write, warn: write, error: write };
    return { clock, lines, takeovers: new Takeovers({ clock, log, firstMs: 300_000, random }) };
  }

  it('gives way for longer and longer, up to an hour', () => {
    const minutes = (random: () => number): number[] => {
      const { takeovers } = device(random);
      return Array.from({ length: 6 }, () => takeovers.takenOver('x') / 60_000);
    };

    expect(minutes(() => 0)).toEqual([2.5, 5, 10, 20, 30, 30]);
    expect(minutes(() => 0.9999999).map(Math.round)).toEqual([5, 10, 20, 40, 60, 60]);
  });

  it('starts again with a short pause when the other one has been gone for hours', () => {
    const { clock, takeovers } = device(() => 0);
    const pauses = [0, 4 * HOUR_MS, 4 * HOUR_MS + 1].map((ms) => {
      clock.advance(ms);
      return takeovers.takenOver('x') / 60_000;
    });

    expect(pauses).toEqual([2.5, 5, 2.5]);
  });

  it('says once an hour what to do, and how often it happened', () => {
    const { clock, lines, takeovers } = device(() => 0);

    for (let minute = 0; minute <= 120; minute += 20) {
      takeovers.takenOver('because');
      clock.advance(20 * 60_000);
    }

    const told = { event: 'connection.taken_over', message: expect.stringContaining('a certificate of its own') };
    const lost = { event: 'connection.lost', reason: 'because', retryInMs: expect.any(Number) };
    expect(lines).toEqual([
      expect.objectContaining({ ...told, takeovers: 1, total: 1 }),
      ...[lost, lost],
      expect.objectContaining({ ...told, takeovers: 3, total: 4 }),
      ...[lost, lost],
      expect.objectContaining({ ...told, takeovers: 3, total: 7 }),
    ]);
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
