/** Devices that take updates over MQTT as any client can: they hear what is desired, ask for the download and say how far they are. */
import { DesiredFirmware, FIRMWARE_SHADOW, type UpdateState } from '@thingstead/contracts/firmware';
import { DEFAULT_THING_TYPE } from '@thingstead/contracts/names';
import { registerTopic } from '@thingstead/contracts/topics';
import * as v from 'valibot';
import { nextAnswer } from '../../support/next-answer.ts';
import type { Platform } from '../../support/platform.ts';
import { type FirmwareDevice, type FirmwarePlatform, HARDWARE } from './firmware-platform.ts';

/** Things that the manifest gives no other type are of this one, and a product is a type. */
export const PRODUCT = DEFAULT_THING_TYPE;

/** What a device makes of an update. `waits`: it hears of it, and asks for no download until it is told to go on. */
export type Conduct = 'updates' | 'rolls-back' | 'waits';

export interface UpdatedDevice extends FirmwareDevice {
  /** All that was desired of it, each attempt once, in the order in which it heard of it. */
  readonly desired: readonly DesiredFirmware[];
  /** How its requests for downloads were answered: `accepted`, or the code of the rejection. */
  readonly downloads: readonly string[];
  /** Takes up what is desired now. */
  goOn(conduct: Conduct): Promise<void>;
}

/** Connects a new thing that has described itself. */
export async function updatedDevice(
  platform: Platform,
  on: FirmwarePlatform,
  conduct: Conduct,
): Promise<UpdatedDevice> {
  const device = await on.connect(await on.thing());
  const { client, thing } = device;
  const shadow = `$aws/things/${thing}/shadow/name/${FIRMWARE_SHADOW}`;
  const desired: DesiredFirmware[] = [];
  const downloads: string[] = [];

  async function say(attempt: DesiredFirmware, state: UpdateState, more = {}): Promise<void> {
    const { counter, version } = attempt;
    await device.asks(attempt.attempt, { type: 'status', state, version, counter, ...more });
  }

  async function goOn(how: Conduct): Promise<void> {
    const now = desired.at(-1);
    if (how === 'waits' || !now || now.cancelled) return;
    const { verdict, answer } = await device.asks(now.attempt, { type: 'grant', nonce: 'a nonce of this device' });
    downloads.push(verdict === 'accepted' ? verdict : 'code' in answer ? answer.code : '');
    if (verdict === 'rejected') return;
    await say(now, 'DOWNLOADING', { bytes: 0 });
    await say(now, 'RESTARTING');
    if (how === 'rolls-back') {
      await say(now, 'ROLLED_BACK', { failure: 'does-not-start', reason: 'three boots in vain' });
      return;
    }
    const { version, counter } = now;
    await device.runs({ product: PRODUCT, hardwareRevision: HARDWARE, version, counter });
    await say(now, 'COMMITTED');
  }

  client.on('message', (topic, payload) => {
    if (topic !== `${shadow}/update/delta`) return;
    const { state } = JSON.parse(payload.toString()) as { readonly state: unknown };
    const next = v.parse(DesiredFirmware, state);
    // It may be told again; it takes up each attempt once.
    if (desired.some(({ attempt, cancelled }) => attempt === next.attempt && cancelled === next.cancelled)) return;
    desired.push(next);
    void goOn(conduct);
  });
  await client.trySubscribe(`${shadow}/update/delta`);
  await client.trySubscribe(`${registerTopic(thing)}/+`);
  const described = nextAnswer(client, `${registerTopic(thing)}/`);
  const about = { model: 'fan', hardwareRevision: HARDWARE, serial: thing, firmwareVersion: '0.9', sensors: [] };
  await client.publishAsync(registerTopic(thing), JSON.stringify(about), { qos: 1 });
  if ((await described).verdict !== 'accepted') throw new Error(`${thing} was not registered`);
  await device.runs({ product: PRODUCT, hardwareRevision: HARDWARE, version: '0.9', counter: 0 });
  await platform.idle();
  return { ...device, desired, downloads, goOn };
}
