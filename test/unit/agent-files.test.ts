/** File transfers of the agent: both directions, over connections that break and a cloud that says no. */
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { PART_BYTES } from '@thingstead/contracts/files';
import { TryLater } from '../../device/src/files/transfer-error.ts';
import { FilesWorld, idOf, OUT } from './agent-files-world.ts';

let world: FilesWorld;
beforeEach(() => {
  world = new FilesWorld();
});
afterEach(async () => {
  world.disconnect();
  await world.transfers.end();
});

const names = (): string[] => [...world.disk.files.keys()];
const events = (name: string) => world.log.lines.filter(({ event }) => event === name);

describe('a file that is put into the folder', () => {
  it('is in the cloud, encrypted, and goes from the folder', async () => {
    const plain = randomBytes(100_000);
    world.put('cows.jpg', plain);
    world.connect();
    await world.until(() => events('file.sent').length > 0);
    await world.ended();

    expect(world.cloud.transfers.get(idOf(1))).toMatchObject({ state: 'STORED', name: `${OUT}cows.jpg` });
    expect((await world.cloud.fetch(idOf(1))).equals(plain)).toBe(true);
    expect(names()).toEqual([]);
    expect(world.news.at(-1)).toEqual({ id: idOf(1), kind: 'stored' });
  });

  it('is sent in parts, of which those that S3 has are not sent again after a restart', async () => {
    const plain = randomBytes(2 * PART_BYTES + 5000);
    world.put('film', plain);
    // Breaks off in the second part, again and again, until the process is another.
    world.cloud.onPut = (number) => {
      if (number === 2) throw new Error('reset');
    };
    world.connect();
    await world.until(() => events('file.waits').length > 1);
    world.restart();
    world.cloud.onPut = () => {};
    world.connect();
    await world.ended();

    expect(world.cloud.puts).toEqual([1, 2, 3]);
    expect((await world.cloud.fetch(idOf(1))).equals(plain)).toBe(true);
  });

  it('goes on over connections to the broker that break', async () => {
    world.put('log', randomBytes(2000));
    let requests = 0;
    world.cloud.onRequest = () => {
      requests += 1;
      // The answer is lost.
      if (requests % 2 === 1) world.disconnect();
      return undefined;
    };
    world.connect();
    await world.until(() => {
      if (!world.session) world.connect();
      return events('file.sent').length > 0;
    });
    expect(world.cloud.transfers.get(idOf(1))?.state).toBe('STORED');
    expect(world.cloud.puts).toEqual([1]);
  });

  it('waits while there is no room on the disk, and lets smaller ones go first', async () => {
    world.freeBytes = 60_000;
    world.put('a-large', randomBytes(100_000));
    world.put('b-small', randomBytes(1000));
    world.connect();
    await world.until(() => events('file.sent').length > 0);
    expect(events('file.sent')).toMatchObject([{ path: expect.stringContaining('b-small') }]);
    expect(events('file.waits')[0]).toMatchObject({ reason: expect.stringContaining('has no room') });

    world.freeBytes = 1e9;
    await world.ended(2);
    expect(events('file.sent')).toHaveLength(2);
  });

  it('that has been damaged on the disk is encrypted again, under another id', async () => {
    const plain = randomBytes(10_000);
    world.put('log', plain);
    world.cloud.onPut = () => {
      throw new Error('reset');
    };
    world.connect();
    await world.until(() => events('file.waits').length > 0);
    world.restart();
    world.cloud.onPut = () => {};
    const spool = world.disk.extend(`${idOf(1)}.enc`, 5000);
    spool.write(Buffer.alloc(world.cloud.transfers.size * 5000 + 400));
    world.connect();
    await world.ended();

    expect(world.cloud.transfers.get(idOf(1))?.state).toBe('FAILED');
    expect((await world.cloud.fetch(idOf(2))).equals(plain)).toBe(true);
    expect(names()).toEqual([]);
  });

  it('that changes while it is read is sent as it is then, under another id', async () => {
    world.put('log', randomBytes(100_000));
    const now = randomBytes(70_000);
    world.cloud.onRequest = (_, type) => {
      if (type === 'upload' && world.cloud.transfers.size === 0) world.put('log', now);
      return undefined;
    };
    world.connect();
    await world.until(() => events('file.sent').length > 0);
    await world.forgotten();
    expect(world.cloud.transfers.get(idOf(1))?.state).toBe('FAILED');
    expect((await world.cloud.fetch(idOf(2))).equals(now)).toBe(true);
    expect([...world.cloud.transfers]).toHaveLength(2);
  });

  it('that can be no transfer is set aside', async () => {
    world.put('new\nline', randomBytes(10));
    world.connect();
    await world.until(() => events('file.set_aside').length > 0);
    expect(events('file.set_aside')).toMatchObject([{ reason: expect.stringContaining('can be called that') }]);
    expect(world.cloud.transfers.size).toBe(0);
    await world.transfers.end();
  });

  it('is one of a hundred that are remembered; more wait in the folder', async () => {
    for (let number = 0; number < 130; number += 1) world.put(`${number}`, Buffer.from(`${number}`));
    await world.until(() => events('file.begun').length >= 100);
    for (let turns = 0; turns < 200; turns += 1) await turn();
    expect(events('file.begun')).toHaveLength(100);
    world.connect();
    await world.until(() => events('file.sent').length === 130);
  });

  it('that the cloud does not take is given up, and kept', async () => {
    world.cloud.onRequest = (_, type) => ({ type, code: 'too-large', reason: 'at most 5 bytes', retry: false });
    world.put('film', randomBytes(100));
    world.connect();
    await world.ended();
    expect(events('file.given_up')).toMatchObject([{ reason: expect.stringContaining('at most 5 bytes') }]);
    // In the folder of those that failed, which this disk without folders has not.
    expect(names()).toEqual([`${OUT}film.${idOf(1)}`]);
  });

  it('is tried again when the cloud says so', async () => {
    let busy = 3;
    world.cloud.onRequest = (_, type) =>
      type === 'upload' && --busy > 0 ? { type, code: 'quota', reason: 'full', retry: true } : undefined;
    world.put('log', randomBytes(100));
    world.connect();
    await world.ended();
    expect(events('file.waits')).toHaveLength(2);
    expect(events('file.sent')).toHaveLength(1);
  });

  it('that somebody cancels is over, whether it is being sent or waits', async () => {
    world.cloud.onPut = () => {
      world.say(idOf(1), { type: 'cancelled' });
    };
    world.put('a', randomBytes(100));
    world.connect();
    await world.until(() => events('file.given_up').length > 0);
    await world.ended();
    expect(events('file.given_up')).toMatchObject([{ id: idOf(1), reason: 'it was cancelled' }]);
  });

  it('that is cancelled on the device has failed in the cloud', async () => {
    world.cloud.onPut = () => {
      throw new Error('reset');
    };
    const id = await (async () => {
      world.put('keep', randomBytes(100));
      return world.transfers.outgoing.send(`${OUT}keep`, 'kept');
    })();
    world.connect();
    await world.until(() => events('file.waits').some((line) => line.id === id));
    expect(world.transfers.outgoing.cancel(id)).toBe(true);
    expect(world.transfers.outgoing.cancel('none')).toBe(false);
    await world.until(() => world.cloud.transfers.get(id)?.state === 'FAILED');
    expect(world.cloud.transfers.get(id)?.reason).toContain('cancelled on the device');
  });
});

describe('a file for the device', () => {
  const plain = randomBytes(50_000);

  it('appears as a whole, its handler runs, and the cloud knows', async () => {
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.connect();
    await world.until(() => world.cloud.transfers.get(idOf(5))?.state === 'DELIVERED');
    await world.ended();
    expect(world.disk.files.get('map.bin')?.equals(plain)).toBe(true);
    expect(names()).toEqual(['map.bin']);
    expect(world.handled).toMatchObject([{ input: { path: 'incoming/map.bin', name: 'map.bin', size: 50_000 } }]);
  });

  it('comes in pieces, each of which comes once', async () => {
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.cloud.onGet = (_, bytes) => Math.min(bytes, 22_000);
    world.connect();
    await world.ended();
    expect(world.disk.files.get('map.bin')?.equals(plain)).toBe(true);
    expect(world.cloud.gets).toEqual([0, 22_000, 44_000]);
  });

  it('goes on after a restart where the disk had it', async () => {
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.cloud.onGet = () => {
      world.disconnect();
      return 33_000;
    };
    world.connect();
    await world.until(() => events('file.waits').length > 0);
    world.restart();
    world.cloud.onGet = (_, bytes) => bytes;
    world.connect();
    await world.ended();
    expect(world.cloud.gets).toEqual([0, 33_000]);
    expect(world.disk.files.get('map.bin')?.equals(plain)).toBe(true);
  });

  it('that comes while another is on its way comes after it', async () => {
    await world.cloud.store(idOf(5), 'one', plain);
    world.connect();
    await world.cloud.store(idOf(6), 'two', plain);
    world.say(idOf(6), world.cloud.offer(idOf(6)));
    world.say(idOf(6), world.cloud.offer(idOf(6)));
    await world.ended(2);
    expect(names()).toEqual(['one', 'two']);
    expect(world.cloud.gets).toEqual([0, 0]);
  });

  it.each([
    ['there is one of its name', ['map.bin'], 'map.bin', `map.${idOf(5)}.bin`],
    ['it is called as a folder of the agent', [], '.thingstead', `.thingstead.${idOf(5)}`],
    ['its name is too long', [], `${'ü'.repeat(190)}.bin`, `${'ü'.repeat(112)}.${idOf(5)}.bin`],
  ])('gets a name of its own when %s', async (_, there, name, expected) => {
    for (const each of there) world.disk.create(each).write(Buffer.from('mine'));
    await world.cloud.store(idOf(5), name, plain);
    world.connect();
    await world.until(() => world.cloud.waiting().length === 0);
    await world.ended();
    expect(names()).toEqual([...there, expected]);
    expect(Buffer.byteLength(expected)).toBeLessThanOrEqual(255);
  });

  it('is refused when it is larger than the device takes', async () => {
    await world.transfers.end();
    world.maxBytes = 49_999;
    world.restart();
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.connect();
    await world.until(() => world.cloud.transfers.get(idOf(5))?.state === 'FAILED');
    expect(world.cloud.transfers.get(idOf(5))?.reason).toContain('at most 49999 bytes');
    expect(world.session?.sent.map(({ body }) => body.type)).toEqual(['pending', 'failed']);
    expect(names()).toEqual([]);
  });

  it('waits for room on the disk', async () => {
    world.freeBytes = 100_000;
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.connect();
    await world.until(() => events('file.waits').length > 0);
    expect(world.cloud.gets).toEqual([]);
    world.freeBytes = 1e9;
    await world.until(() => world.cloud.waiting().length === 0);
    expect(names()).toContain('map.bin');
  });

  it('that is not what was sent is fetched again three times, then refused', async () => {
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.cloud.onChunk = (chunk) => Buffer.from(chunk).fill(1, 7, 8);
    world.connect();
    await world.ended();
    expect(world.cloud.gets).toEqual([0, 0, 0]);
    expect(world.cloud.transfers.get(idOf(5))?.reason).toContain('another SHA-256');
    expect(names()).toEqual([]);
  });

  it('that was replaced in S3 is refused with the reason', async () => {
    await world.cloud.store(idOf(5), 'map.bin', plain);
    Object.assign(world.cloud.transfers.get(idOf(5)) ?? {}, { etag: 'another' });
    world.connect();
    await world.ended();
    expect(world.cloud.transfers.get(idOf(5))?.reason).toContain('another object');
    expect(world.cloud.gets).toEqual([]);
  });

  it('whose URL has expired is asked for again', async () => {
    await world.cloud.store(idOf(5), 'map.bin', plain);
    const asked: string[] = [];
    world.cloud.onRequest = (_, type) => {
      asked.push(type);
      return undefined;
    };
    world.cloud.onGrant = () => {
      world.cloud.onGrant = () => {};
      throw new TryLater('S3 answers 403: AccessDenied');
    };
    world.connect();
    await world.ended();
    expect(asked.filter((type) => type === 'download')).toHaveLength(2);
    expect(names()).toEqual(['map.bin']);
  });

  it('for another thing is refused with the reason', async () => {
    await world.cloud.store(idOf(6), 'map.bin', plain);
    const { object, ...about } = world.cloud.transfers.get(idOf(6)) ?? { object: Buffer.alloc(0) };
    world.cloud.transfers.delete(idOf(6));
    await world.cloud.store(idOf(5), 'map.bin', plain);
    Object.assign(world.cloud.transfers.get(idOf(5)) ?? {}, about, { object });
    world.connect();
    await world.until(() => world.cloud.transfers.get(idOf(5))?.state === 'FAILED');
    expect(world.cloud.transfers.get(idOf(5))?.reason).toContain(`it was encrypted for`);
    expect(names()).toEqual([]);
  });

  it('that is cancelled leaves nothing', async () => {
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.cloud.onGet = () => {
      world.say(idOf(5), { type: 'cancelled' });
      return 20_000;
    };
    world.connect();
    await world.until(() => events('file.given_up').length > 0);
    await world.ended();
    expect(names()).toEqual([]);
    expect(world.cloud.gets).toEqual([0]);
  });

  it('is received though its handler fails', async () => {
    world.handler = () => Promise.reject(new Error('no display'));
    await world.cloud.store(idOf(5), 'map.bin', plain);
    world.connect();
    await world.until(() => events('file.handler_failed').length > 0);
    await world.ended();
    expect(world.cloud.transfers.get(idOf(5))?.state).toBe('DELIVERED');
  });
});

it('nothing of a key is in the log or on the disk', async () => {
  world.put('log', randomBytes(1000));
  world.connect();
  await world.until(() => events('file.sent').length > 0);
  world.say(idOf(9), { type: 'upload', dataKey: { plaintext: 'secret-key', wrapped: 'not base64!' } });
  expect(events('file.unreadable')).toHaveLength(1);
  expect(JSON.stringify(world.log.lines)).not.toContain('secret-key');
});
