/** The offline check, fifteen minutes after a connection is lost: one notice for an outage that lasts, none for one that does not. */
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import type { HttpReceiver } from '../../support/http-receiver.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { People } from '../notifications/people.ts';

let platform: Platform;
let people: People;
let webhook: HttpReceiver;
const devices = new Map<string, DeviceCertificate>();
const [barn, field, lone] = [unique('macdonald-barn1'), unique('macdonald-field1'), unique('lone')];

describeLocally('a clock that can be advanced', 'a thing that is offline', () => {
  beforeAll(async () => {
    platform = await startPlatform();
    people = new People(platform);
    for (const thing of [barn, field, lone]) await people.watch('mary', 'thing', thing);
    webhook = await people.webhook('mary');
    const ca = await createCa(unique('offline'));
    await platform.registerCa(ca);
    for (const thing of [barn, field, lone]) {
      const device = await issue(ca, thing);
      devices.set(thing, device);
      await platform.join(device);
      await goOnlineAndOff(thing);
    }
    await platform.advance(1000);
    notices();
  });
  afterAll(async () => {
    await webhook?.close();
    await platform.stop();
  });

  it('for fifteen minutes is told about once', async () => {
    await goOnlineAndOff(lone);

    await platform.advance(899);
    expect(notices()).toEqual([]);
    await platform.advance(2);
    expect(notices()).toMatchObject([{ kind: 'offline', things: [{ thing: lone }] }]);

    await platform.advance(7200);
    expect(notices()).toEqual([]);
  });

  it('in maintenance is told about when that is over and it has not come back', async () => {
    const until = (await now()) + 4 * 3_600_000;
    expect(await people.ask({ action: 'mute-thing', person: 'mary', thing: field, until })).toEqual({ ok: true });
    await goOnlineAndOff(field);

    await platform.advance(3 * 3600);
    expect(notices()).toEqual([]);
    await platform.advance(3600 + 960);
    expect(notices()).toMatchObject([{ kind: 'offline', things: [{ thing: field }] }]);
  });
});

/** Virtual time, in epoch milliseconds. */
async function now(): Promise<number> {
  const body = JSON.stringify({ advanceSeconds: 0 });
  const answer = await fetch(`${platform.config.endpoint}/_local/clock`, { method: 'POST', body });
  return Date.parse(((await answer.json()) as { now: string }).now);
}

async function goOnlineAndOff(thing: string): Promise<void> {
  const device = devices.get(thing);
  if (!device) throw new Error(`no device ${thing}`);
  const client = await platform.connect(device);
  await platform.soon(async () => {
    expect((await platform.thingRow(thing))?.presence).toMatchObject({ connected: true });
  });
  await client.endAsync();
  await platform.soon(async () => {
    expect((await platform.thingRow(thing))?.presence).toMatchObject({ connected: false });
  });
  await platform.idle();
}

/** Of which outages somebody who watches these things was told since the last call. */
function notices(): unknown[] {
  const told = webhook.received.splice(0).map(({ body }) => JSON.parse(JSON.parse(body).Message));
  return told.filter(({ kind }) => kind === 'offline');
}
