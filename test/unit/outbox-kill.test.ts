import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeFileSystem } from '../../device/src/node-file-system.ts';
import { bundleProgram } from '../../scripts/package-agent/bundle.ts';
import { describeWithTools } from '../support/tools.ts';
import { Cloud, discrepancies, drain, openOutbox } from './outbox-ledger.ts';

/** Kills per run: the stated count with THINGSTEAD_EXHAUSTIVE, else a sample. */
const KILLS = process.env.THINGSTEAD_EXHAUSTIVE ? 500 : 8;
const CALLS = ['fdatasync', 'fsync', 'rename', 'unlink', 'pwrite64,write'] as const;
const PER_LIFE = 24;
const root = path.resolve(__dirname, '../..');

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-outbox-'));
  // One file: it starts many times.
  await bundleProgram(root, 'test/unit/outbox-writer.ts', path.join(folder, 'writer.mjs'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeWithTools(['strace'], 'the outbox on the disk, killed at a system call', () => {
  it(
    'loses and doubles nothing, life after life in the same folder',
    () => {
      const directory = path.join(folder, 'state');
      const kept = new Set<number>();
      const cloud = new Cloud();
      let killed = 0;
      for (let life = 0; life < KILLS; life += 1) {
        // WHEN it is killed as it begins a system call, another one every time
        const call = CALLS[life % CALLS.length];
        const nth = 1 + (Math.floor(life / CALLS.length) % 12);
        // Among writes those to stdout count as well.
        const inject = `inject=${call}:signal=SIGKILL:when=${call === 'rename' || call === 'unlink' ? 1 : nth}`;
        const program = [path.join(folder, 'writer.mjs'), directory, `${life * PER_LIFE}`, `${PER_LIFE}`];
        const { stdout, signal, status, stderr } = spawnSync(
          'strace',
          ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject, process.execPath, ...program],
          { encoding: 'utf8' },
        );
        if (signal !== 'SIGKILL' && status !== 137 && status !== 0)
          throw new Error(`life ${life}: ${status} ${stderr}`);
        killed += status === 0 ? 0 : 1;
        for (const line of stdout.split('\n').filter(Boolean)) {
          const said: { kept?: number; sent?: string; payload?: string; failed?: string } = JSON.parse(line);
          if (said.failed) throw new Error(`life ${life}: ${said.failed}`);
          if (said.kept !== undefined) kept.add(said.kept);
          if (said.sent && said.payload) {
            cloud.receive({ id: said.sent, sensor: 'a', readings: 0, payload: Buffer.from(said.payload) });
          }
        }
        // THEN from time to time the books are closed
        if (life % 20 === 19 || life === KILLS - 1) {
          const { outbox } = openOutbox(nodeFileSystem, { directory });
          drain(outbox, cloud);
          expect(discrepancies(kept, cloud, outbox.dropped)).toEqual([]);
          outbox.close();
        }
      }
      expect(kept.size).toBeGreaterThan(KILLS);
      expect(killed).toBeGreaterThan(KILLS / 2);
    },
    KILLS * 4_000 + 30_000,
  );
});
