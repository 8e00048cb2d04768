/** The life of a command: from the person who gives it over REST to the device on MQTT, and what it says back to the person. */
import { MAX_COMMAND_RESULT_BYTES } from '@thingstead/contracts/commands';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { commandsPlatform, EXECUTES, SILENT } from './commands-platform.ts';

const MINUTE = 60;

describeLocally('a clock that can be advanced', 'a command', () => {
  let platform: Platform;
  let on: Awaited<ReturnType<typeof commandsPlatform>>;
  let mary: Person;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await commandsPlatform(platform);
    mary = await newPerson(platform);
  });
  beforeEach(async () => {
    // The clock was advanced; access tokens live for 15 minutes.
    await mary.refresh();
  });
  afterAll(() => platform.stop());

  async function marysThing() {
    const device = await on.thing();
    await on.grant(mary, device.thing, 'owner');
    return device;
  }

  it('is executed by a device that is connected, and its result comes back', async () => {
    const device = await marysThing();
    const lamp = await on.connect(device);

    const given = await on.give(mary, device.thing, { name: 'blink', payload: { times: 3 } });

    expect(given).toMatchObject({ thing: device.thing, name: 'blink', payload: { times: 3 }, givenBy: mary.person });
    const done = await platform.soon(async () => {
      const command = await on.read(mary, given);
      expect(command.state).toBe('EXECUTED');
      return command;
    });
    expect(done).toMatchObject({ result: { got: { times: 3 } }, expiresAt: given.givenAt + 300_000 });
    expect(lamp.different()).toEqual([
      { id: given.id, name: 'blink', payload: { times: 3 }, expiresAt: given.expiresAt },
    ]);
    await lamp.client.endAsync();
  });

  it('is SENT until the device says that it has it, and comes again until then', async () => {
    const device = await marysThing();
    const lamp = await on.connect(device, SILENT);

    const given = await on.give(mary, device.thing, { name: 'blink' });
    expect(given.state).toBe('SENT');
    await platform.advance(30);
    const times = lamp.received.length;
    expect(times).toBeGreaterThan(1);
    await lamp.say(given.id, { state: 'DELIVERED' });
    await platform.idle();
    expect((await on.read(mary, given)).state).toBe('DELIVERED');

    await platform.advance(2 * MINUTE);
    expect(lamp.received).toHaveLength(times);
    await lamp.client.endAsync();
  });

  it('waits for a device that is away, which gets it when it says that it listens', async () => {
    const device = await marysThing();
    const given = await on.give(mary, device.thing, { name: 'blink', ttlSeconds: 3600 });
    expect(given.state).toBe('QUEUED');
    await platform.advance(14 * MINUTE);
    expect((await on.read(mary, given)).state).toBe('QUEUED');

    const lamp = await on.connect(device);

    await platform.soon(async () => expect((await on.read(mary, given)).state).toBe('EXECUTED'));
    expect(lamp.different().map(({ id }) => id)).toEqual([given.id]);
    await lamp.client.endAsync();
  });

  it('reaches a device that says nothing when it connects, with the next tick', async () => {
    const device = await marysThing();
    const given = await on.give(mary, device.thing, { name: 'blink', ttlSeconds: 3600 });
    await platform.advance(MINUTE);
    const lamp = await on.connect(device, EXECUTES, { announces: false });
    expect(lamp.received).toEqual([]);

    await platform.advance(14 * MINUTE);

    await mary.refresh();
    expect((await on.read(mary, given)).state).toBe('EXECUTED');
    await lamp.client.endAsync();
  });

  it('expires exactly once when the device stays away; what it says later changes that no more', async () => {
    const device = await marysThing();
    const given = await on.give(mary, device.thing, { name: 'blink', ttlSeconds: MINUTE });

    await platform.advance(MINUTE + 2);
    const expired = await on.read(mary, given);
    expect(expired.state).toBe('EXPIRED');
    expect(expired.changedAt).toBeGreaterThanOrEqual(given.expiresAt);

    const lamp = await on.connect(device);
    await platform.advance(10 * MINUTE);
    expect(lamp.received).toEqual([]);
    await lamp.say(given.id, { state: 'EXECUTED', result: 'late' });
    await platform.idle();
    await lamp.say(given.id, { state: 'FAILED', reason: 'later still' });
    await platform.idle();
    expect(await on.read(mary, given)).toEqual({
      ...expired,
      lateOutcome: { state: 'EXECUTED', at: expect.any(Number), result: 'late' },
    });
    expect(await on.changes(given, 'EXPIRED')).toBe(1);
    await lamp.client.endAsync();
  });

  it('that the device has begun in time gets a minute more', async () => {
    const device = await marysThing();
    const lamp = await on.connect(device, () => [{ state: 'DELIVERED' }]);
    const [slow, lost] = [
      await on.give(mary, device.thing, { name: 'slow', ttlSeconds: MINUTE }),
      await on.give(mary, device.thing, { name: 'lost', ttlSeconds: MINUTE }),
    ];

    await platform.advance(MINUTE + 30);
    expect((await on.read(mary, slow)).state).toBe('DELIVERED');
    await lamp.say(slow.id, { state: 'EXECUTED' });
    await platform.advance(40);

    expect((await on.read(mary, slow)).state).toBe('EXECUTED');
    expect((await on.read(mary, lost)).state).toBe('EXPIRED');
    expect(await on.changes(lost, 'EXPIRED')).toBe(1);
    await lamp.client.endAsync();
  });

  it('is REJECTED or FAILED with the reason that the device gives', async () => {
    const device = await marysThing();
    const lamp = await on.connect(device, ({ name }) =>
      name === 'explode'
        ? [{ state: 'REJECTED', reason: 'explode is not in the configuration' }]
        : [{ state: 'DELIVERED' }, { state: 'FAILED', reason: 'the bulb is broken', result: { code: 3 } }],
    );
    const unknown = await on.give(mary, device.thing, { name: 'explode' });
    const failing = await on.give(mary, device.thing, { name: 'blink' });

    await platform.soon(async () => {
      expect(await on.read(mary, unknown)).toMatchObject({
        state: 'REJECTED',
        reason: 'explode is not in the configuration',
      });
      expect(await on.read(mary, failing)).toMatchObject({
        state: 'FAILED',
        reason: 'the bulb is broken',
        result: { code: 3 },
      });
    });
    await lamp.client.endAsync();
  });

  it('keeps the beginning of a result that is too large, and says so', async () => {
    const device = await marysThing();
    const lamp = await on.connect(device, () => [{ state: 'EXECUTED', result: { log: 'ä'.repeat(20_000) } }]);
    const given = await on.give(mary, device.thing, { name: 'dump' });

    const done = await platform.soon(async () => {
      const command = await on.read(mary, given);
      expect(command.state).toBe('EXECUTED');
      return command;
    });
    expect(done.resultTruncated).toBe(true);
    expect(done.result).toMatch(/^\{"log":"ä+$/);
    const size = Buffer.byteLength(String(done.result));
    expect(size).toBeLessThanOrEqual(MAX_COMMAND_RESULT_BYTES);
    expect(size).toBeGreaterThan(MAX_COMMAND_RESULT_BYTES - 4);
    await lamp.client.endAsync();
  });

  it('takes outcomes twice and in the wrong order, and the first end is the end', async () => {
    const device = await marysThing();
    const lamp = await on.connect(device, SILENT);
    const given = await on.give(mary, device.thing, { name: 'blink' });

    for (const state of ['EXECUTED', 'DELIVERED', 'EXECUTED', 'FAILED', 'REJECTED'] as const) {
      await lamp.say(given.id, { state, ...(state === 'EXECUTED' ? { result: 1 } : {}) });
      await platform.idle();
    }

    expect(await on.read(mary, given)).toMatchObject({ state: 'EXECUTED', result: 1 });
    expect(await on.changes(given, 'EXECUTED')).toBe(1);
    await platform.advance(10 * MINUTE);
    expect((await on.read(mary, given)).state).toBe('EXECUTED');
    await lamp.client.endAsync();
  });
});
