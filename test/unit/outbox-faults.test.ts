import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeFileSystem } from '../../device/src/node-file-system.ts';
import { type Fault, SimulatedDisk } from './outbox-disk.ts';
import { Cloud, discrepancies, drain, openOutbox } from './outbox-ledger.ts';

const values = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const failing =
  (operations: readonly string[], code: string): Fault =>
  (operation) => {
    if (operations.includes(operation)) throw Object.assign(new Error(`${code}: refused`), { code });
  };
const WRITING = ['makeDirectory', 'create', 'write', 'sync', 'rename', 'remove', 'syncDirectory'];

describe('the outbox on the disk', () => {
  it('gives after a restart what was not acknowledged, under the same ids', () => {
    // GIVEN three messages, of which one was acknowledged and one only sent
    const disk = new SimulatedDisk();
    const { outbox } = openOutbox(disk);
    for (const sensor of ['a', 'b', 'c']) outbox.put(sensor, { value: 1, time: 5, unit: 'Cel' });
    const [first, second] = [outbox.take(), outbox.take()];
    if (first) outbox.acknowledge(first);

    // WHEN
    const restarted = openOutbox(disk).outbox;
    const again = [restarted.take(), restarted.take(), restarted.take()];

    // THEN
    expect(again[0]).toMatchObject({ id: second?.id, sensor: 'b', payload: second?.payload });
    expect(again[1]).toMatchObject({ sensor: 'c' });
    expect(again[2]).toBeUndefined();
  });

  it('goes on numbering after a restart', () => {
    const disk = new SimulatedDisk();
    const ids = values(4).map((value) => {
      const { outbox } = openOutbox(disk);
      outbox.put('a', { value });
      const message = outbox.take();
      if (message) outbox.acknowledge(message);
      return message?.id;
    });
    const [session] = ids[0]?.split('-') ?? [];
    expect(ids).toEqual([1, 2, 3, 4].map((sequence) => `${session}-${sequence}`));
  });

  it('takes no other file of the folder for a part of itself', () => {
    const others = ['agent.sock', 'draft'];
    const disk = new SimulatedDisk(new Map(others.map((name) => [name, Buffer.alloc(0)])));

    expect(openOutbox(disk).outbox.damaged).toBe(0);
    expect(openOutbox(disk).outbox.damaged).toBe(0);
    expect([...disk.files.keys()].filter((name) => name.endsWith('.journal'))).toHaveLength(1);
  });

  it('drops the oldest when it is full, counts them, and knows the count after a restart', () => {
    const disk = new SimulatedDisk();
    const { outbox } = openOutbox(disk, { maxBytes: 30_000 });
    for (const value of values(500)) outbox.put('a', { value });
    const cloud = new Cloud();

    const restarted = openOutbox(disk, { maxBytes: 30_000 }).outbox;
    const { dropped } = restarted;
    drain(restarted, cloud);

    expect(dropped).toBeGreaterThan(300);
    expect(cloud.values()).toEqual(values(500).slice(dropped));
  });

  it('stays within its bound over thirty days without a connection, and starts in less than a second', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'thingstead-outbox-'));
    const options = { directory, maxBytes: 1_000_000 };
    const { outbox, clock } = openOutbox(nodeFileSystem, options);
    let largest = 0;
    for (let minute = 0; minute < 30 * 24 * 60; minute += 1) {
      outbox.put('a', { value: minute, time: clock.now(), unit: 'Cel' });
      if (minute % 100 === 0) {
        clock.advance(100 * 60_000);
        const sizes = readdirSync(directory).map((name) => statSync(path.join(directory, name)).size);
        largest = Math.max(
          largest,
          sizes.reduce((sum, size) => sum + size, 0),
        );
      }
    }
    const started = performance.now();
    const { size, dropped } = openOutbox(nodeFileSystem, options).outbox;

    expect(performance.now() - started).toBeLessThan(1000);
    expect(largest).toBeLessThan(options.maxBytes);
    expect(size + dropped).toBe(30 * 24 * 60);
    expect(size).toBeGreaterThan(1500);
  });

  it('drops readings by the time it ran, so that a clock that jumps by ten years drops none and changes no order', () => {
    const { outbox, clock } = openOutbox(new SimulatedDisk(), { maxAgeMs: 3_600_000 });
    for (const [value, years] of [10, -20, 0, 10].entries()) {
      clock.time += years * 365 * 86_400_000;
      outbox.put('a', { value, time: clock.time });
    }
    expect(outbox.dropped).toBe(0);
    clock.advance(3_600_001);
    outbox.put('a', { value: 4, time: clock.time });
    expect(outbox.dropped).toBe(4);

    const ordered = openOutbox(new SimulatedDisk());
    for (const [value, years] of [10, -20, 0, 10].entries()) {
      ordered.clock.time += years * 365 * 86_400_000;
      ordered.outbox.put('a', { value, time: ordered.clock.time });
    }
    const cloud = new Cloud();
    drain(ordered.outbox, cloud);
    expect(cloud.values()).toEqual([0, 1, 2, 3]);
  });
});

describe('the outbox on a disk that fails', () => {
  it.each([
    ['a sync fails once with EIO', ['sync'], 'EIO'],
    ['a write fails once with EIO', ['write'], 'EIO'],
  ])('writes a new file when %s, and never syncs the old one again', (_what, operations, code) => {
    // GIVEN
    const disk = new SimulatedDisk();
    const { outbox, events } = openOutbox(disk);
    outbox.put('a', { value: 1 });
    const before = [...disk.files.keys()];
    let failures = 0;
    disk.fault = (operation) => {
      if (!operations.includes(operation) || failures > 0) return;
      failures += 1;
      failing(operations, code)(operation);
    };

    // WHEN
    outbox.put('a', { value: 2 });
    const kept = outbox.sync();

    // THEN
    expect(failures).toBe(1);
    expect(kept).toBe(true);
    expect([...disk.files.keys()]).not.toEqual(before);
    expect(events).toContainEqual(expect.objectContaining({ event: 'outbox.rewriting' }));
    const cloud = new Cloud();
    drain(openOutbox(new SimulatedDisk(disk.files)).outbox, cloud);
    expect(cloud.values()).toEqual([1, 2]);
  });

  it.each([
    ['full', ['create', 'write'], 'ENOSPC'],
    ['read-only', WRITING.slice(1), 'EROFS'],
    ['unable to sync', ['sync'], 'EIO'],
  ])('goes on in memory while the disk is %s, says so, and keeps again afterwards', (_what, operations, code) => {
    // GIVEN
    const disk = new SimulatedDisk();
    const { outbox, clock, events } = openOutbox(disk);
    outbox.put('a', { value: 1 });
    const flying = outbox.take();
    disk.fault = failing(operations, code);

    // WHEN it fails for a while, in which messages are sent
    outbox.put('a', { value: 2 });
    expect(outbox.sync()).toBe(false);
    outbox.put('a', { value: 3 });
    const cloud = new Cloud();
    if (flying) cloud.receive(flying);
    if (flying) outbox.putBack(flying);
    drain(outbox, cloud);
    outbox.put('a', { value: 4 });
    disk.fault = () => {};
    clock.advance(30_000);

    // THEN
    const names = events.map(({ event }) => event);
    expect(names.filter((name) => name === 'outbox.not_kept')).toHaveLength(1);
    expect(names.at(-1)).toBe('outbox.kept_again');
    expect(outbox.unkept).toBeGreaterThanOrEqual(2);
    expect(outbox.sync()).toBe(true);
    const restarted = openOutbox(disk).outbox;
    expect(restarted.unkept).toBe(outbox.unkept);
    drain(restarted, cloud);
    expect(discrepancies(values(4), cloud, 0)).toEqual([]);
  });

  it.each(WRITING)('starts and delivers when %s is refused from the start', (operation) => {
    const disk = new SimulatedDisk();
    openOutbox(disk).outbox.put('a', { value: 1 });
    disk.fault = failing([operation], 'EROFS');

    const { outbox } = openOutbox(disk);
    outbox.put('a', { value: 2 });
    const cloud = new Cloud();
    drain(outbox, cloud);
    disk.fault = () => {};
    drain(openOutbox(disk).outbox, cloud);

    expect(new Set(cloud.values())).toEqual(new Set([1, 2]));
  });

  it('keeps to its bound in memory while the disk refuses', () => {
    const disk = new SimulatedDisk();
    disk.fault = failing(WRITING, 'EROFS');
    const { outbox } = openOutbox(disk, { maxBytes: 30_000 });
    for (const value of values(1000)) outbox.put('a', { value });

    expect(outbox.size).toBeLessThan(150);
    expect(outbox.size + outbox.dropped).toBe(1000);
  });
});

describe('the outbox on damaged bytes', () => {
  const file = (count = 6): { name: string; content: Buffer } => {
    const directory = mkdtempSync(path.join(tmpdir(), 'thingstead-outbox-'));
    const { outbox } = openOutbox(nodeFileSystem, { directory });
    for (const value of values(count)) outbox.put(value % 2 ? 'a' : 'b', { value });
    outbox.take();
    for (const value of [count + 1, count + 2]) outbox.put('a', { value });
    outbox.close();
    const name = readdirSync(directory)[0] ?? '';
    return { name, content: readFileSync(path.join(directory, name)) };
  };
  const recovered = (name: string, content: Buffer) => {
    const { outbox, events } = openOutbox(new SimulatedDisk(new Map([[name, content]])));
    const cloud = new Cloud();
    drain(outbox, cloud);
    return { outbox, events, cloud };
  };

  it('counts what one flipped byte destroys and delivers all others, whichever byte it is', () => {
    const { name, content } = file();
    for (let position = 0; position < content.length; position += 1) {
      const flipped = Buffer.from(content);
      flipped.writeUInt8((flipped[position] ?? 0) ^ 0x40, position);
      const { outbox, events, cloud } = recovered(name, flipped);

      expect(outbox.damaged).toBe(1);
      expect(events[0]?.event).toBe('outbox.damaged');
      expect(discrepancies(values(8), cloud, 1)).toEqual([]);
    }
  });

  it('delivers what is outside of a zeroed sector, and never stumbles over it again', () => {
    const { name, content } = file(60);
    for (let start = 0; start < content.length; start += 512) {
      const zeroed = Buffer.from(content);
      zeroed.subarray(start, start + 512).fill(0);
      const disk = new SimulatedDisk(new Map([[name, zeroed]]));
      const first = openOutbox(disk);
      const second = openOutbox(disk);

      expect(first.outbox.damaged).toBe(1);
      // Entries take 80 bytes and more, so a sector touches eight at most.
      expect(first.outbox.size).toBeGreaterThanOrEqual(62 - 8);
      expect(second.events).toEqual([]);
      expect(second.outbox.size).toBe(first.outbox.size);
    }
  });

  it('uses no id again that may have been used before', () => {
    const { name, content } = file();
    const whole = recovered(name, content).cloud;
    // Damaged in its last entries: which numbers were used is not known.
    const { cloud } = recovered(name, content.subarray(0, content.length - 300));
    const sessions = (each: Cloud): Set<string | undefined> =>
      new Set([...each.messages.keys()].map((id) => id.split('-')[0]));
    const fresh = [...cloud.messages].filter(([id, text]) => whole.messages.get(id) !== text);
    for (const [id] of fresh) expect(sessions(whole)).not.toContain(id.split('-')[0]);
  });
});
