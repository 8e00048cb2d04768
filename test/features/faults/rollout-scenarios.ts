/** A rollout to one device: what its functions make of it. */
import { randomBytes } from 'node:crypto';
import type { DesiredFirmware, UpdateState } from '@thingstead/contracts/firmware';
import { firmwareTopic } from '@thingstead/contracts/topics';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import type { Platform } from '../../support/platform.ts';
import type { FirmwarePlatform } from '../firmware/firmware-platform.ts';
import { PRODUCT, type UpdatedDevice, updatedDevice } from '../firmware/rollout-devices.ts';
import { firmwareWorld } from './firmware-world.ts';
import { anonymous, type Scenario } from './scenario.ts';

const ATTEMPTS = 6;
/** A tick that was cut off comes again after six minutes; the soak and the last tick come after that. */
const settleSeconds = 900;
const SETTINGS = { health: { soakSeconds: 60 }, rate: { perMinute: 600 }, answerSeconds: 3600 };

interface World {
  readonly on: FirmwarePlatform;
  /** Of the next release. */
  counter: number;
}
const worlds = new WeakMap<Platform, Promise<World>>();

function worldOf(platform: Platform): Promise<World> {
  const known = worlds.get(platform);
  if (known) return known;
  const made = firmwareWorld(platform).then((on) => ({ on, counter: 1 }));
  worlds.set(platform, made);
  return made;
}

/** A release of its own, and a device that says by itself no more than a test has it say. */
async function prepared(platform: Platform) {
  const world = await worldOf(platform);
  const { on } = world;
  await on.operator.refresh();
  const counter = ++world.counter;
  await on.release({ product: PRODUCT, counter, image: Buffer.from(`image ${counter}`) });
  const device = await updatedDevice(platform, on, 'waits');
  const id = ulidOf(Date.now(), randomBytes(ULID_RANDOM_BYTES));
  const body = { id, product: PRODUCT, counter, target: { things: [device.thing] }, ...SETTINGS };
  return { on, device, id, body };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

/** As an operator does it: the same request until there is an answer. */
async function create({ on, body }: Prepared): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { status } = await on.operator.call('POST', '/operator/rollouts', body);
    if (status === 201) return;
    if (attempt >= ATTEMPTS) throw new Error(`the API answered ${status}`);
  }
}

/** Says it, and does not wait for the answer. */
async function says({ device: { client, thing } }: Prepared, desired: DesiredFirmware, state: UpdateState) {
  const { attempt, version, counter } = desired;
  const status = { type: 'status', state, version, counter };
  await client.publishAsync(firmwareTopic(thing, attempt), JSON.stringify(status), { qos: 1 });
}

async function firstDesired(platform: Platform, { desired }: UpdatedDevice): Promise<DesiredFirmware> {
  return platform.soon(async () => {
    const [first] = desired;
    if (!first) throw new Error('nothing is desired of it yet');
    return first;
  });
}

async function outcomeOf(platform: Platform, { on, device, id }: Prepared): Promise<unknown> {
  await on.operator.refresh();
  const params = { rollout: id };
  const { state, numbers } = await on.operator.api.getRollout({ params });
  const { events } = await on.operator.api.getRolloutReport({ params });
  await device.client.endAsync(true);
  // It would tick on beside all that come after it.
  if (state === 'RUNNING') await on.operator.api.abortRollout({ params });
  const outcome = {
    ...{ state, numbers, events: events.map(({ kind }) => kind) },
    // It may be told again, of the same attempt.
    attempts: new Set(device.desired.map(({ attempt }) => attempt)).size,
    failed: await platform.messagesIn(
      ...(['thingstead-rollouts-failed', 'thingstead-firmware-failed', 'thingstead-firmware-errors'] as const),
    ),
  };
  return anonymous(outcome, { [device.thing]: 'thing' });
}

export const rolloutScenarios: readonly Scenario[] = [
  {
    title: 'a rollout that is made, of a device that is told and says nothing yet',
    functionName: 'thingstead-rollouts',
    settleSeconds,
    expected: { state: 'RUNNING', numbers: { NOTIFIED: 1 }, events: ['created', 'started'], attempts: 1, failed: 0 },
    async begin(platform) {
      const made = await prepared(platform);
      return { act: () => create(made), outcome: () => outcomeOf(platform, made) };
    },
  },
  {
    title: 'a rollout that lists its device and tells it',
    functionName: 'thingstead-rollout-ticks',
    settleSeconds,
    expected: { state: 'RUNNING', numbers: { NOTIFIED: 1 }, events: ['created', 'started'], attempts: 1, failed: 0 },
    async begin(platform) {
      const made = await prepared(platform);
      return {
        async act() {
          await create(made);
          await platform.advance(5);
        },
        outcome: () => outcomeOf(platform, made),
      };
    },
  },
  {
    title: 'a rollout whose device is well, and that is over',
    functionName: 'thingstead-rollout-ticks',
    settleSeconds,
    expected: { state: 'COMPLETED', numbers: { SUCCEEDED: 1 }, attempts: 1, failed: 0 },
    async begin(platform) {
      const made = await prepared(platform);
      await create(made);
      await platform.advance(5);
      await says(made, await firstDesired(platform, made.device), 'COMMITTED');
      await platform.idle();
      return { act: () => platform.advance(120), outcome: () => outcomeOf(platform, made) };
    },
  },
  {
    title: 'a device that has begun, and has committed',
    functionName: 'thingstead-firmware-devices',
    settleSeconds,
    expected: { state: 'COMPLETED', numbers: { SUCCEEDED: 1 }, attempts: 1, failed: 0 },
    async begin(platform) {
      const made = await prepared(platform);
      await create(made);
      await platform.advance(5);
      const desired = await firstDesired(platform, made.device);
      return {
        async act() {
          for (const state of ['DOWNLOADING', 'COMMITTED'] as const) await says(made, desired, state);
          await platform.idle();
        },
        outcome: () => outcomeOf(platform, made),
      };
    },
  },
];
