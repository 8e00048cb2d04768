/** Files that go both ways and are removed: what their two functions make of them. */
import { randomBytes } from 'node:crypto';
import type { FileRequest } from '@thingstead/contracts/files';
import { newPerson, type Person } from '../../support/person.ts';
import type { Platform } from '../../support/platform.ts';
import { encrypt, type FilesDevice, filesPlatform, newTransfer, putAll } from '../files/files-platform.ts';
import { anonymous, type Scenario } from './scenario.ts';

const ATTEMPTS = 6;
/** Lambda tries again after one minute and after two. */
const settleSeconds = 240;
const CONTENT = randomBytes(2000);
const NOT_SAME = ['id', 'startedAt', 'changedAt', 'endsAt', 'startedBy', 'sha256'];

interface World {
  readonly on: Awaited<ReturnType<typeof filesPlatform>>;
  readonly mary: Person;
}
const worlds = new WeakMap<Platform, Promise<World>>();

function worldOf(platform: Platform): Promise<World> {
  const known = worlds.get(platform);
  if (known) return known;
  const made = filesPlatform(platform).then(async (on) => ({ on, mary: await newPerson(platform) }));
  worlds.set(platform, made);
  return made;
}

async function thingOf({ on, mary }: World) {
  // Access tokens live for 15 minutes, and the clock was advanced.
  await mary.refresh();
  const device = await on.thing('crashing');
  await on.grant(mary, device.thing, 'owner');
  return device;
}

/** As an app does it: the same request until there is an answer. */
async function again<Answer>(request: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error;
    }
  }
}

async function send({ mary: { api } }: World, thing: string, id: string): Promise<void> {
  const params = { thing, transfer: id };
  const { dataKey } = await again(() =>
    api.sendFile({ params: { thing }, body: { id, name: 'settings', size: CONTENT.length } }),
  );
  const encrypted = await encrypt(CONTENT, dataKey);
  const body = await again(() =>
    putAll(encrypted, (parts) => again(() => api.sendParts({ params, body: { parts: [...parts] } }))),
  );
  await again(() => api.completeFile({ params, body }));
}

/** What the API and the store say of it. */
async function outcomeOf(platform: Platform, { on, mary }: World, thing: string, id: string): Promise<object> {
  await mary.refresh();
  const transfer = await mary.api.getFile({ params: { thing, transfer: id } });
  const outcome = {
    transfer,
    isStored: (await on.object(thing, id)) !== undefined,
    failed: await platform.messagesIn('thingstead-files-failed', 'thingstead-files-errors'),
  };
  return anonymous(outcome, { [thing]: 'thing' }, NOT_SAME) as object;
}

/** All but the last word of an upload; gives that. */
async function almostUploaded(camera: FilesDevice, transfer: string): Promise<FileRequest> {
  const { dataKey } = await camera.gets(transfer, { type: 'upload', name: 'log', size: CONTENT.length });
  const sent = await putAll(await encrypt(CONTENT, dataKey), camera.urls(transfer));
  return { type: 'complete', ...sent };
}

function scenario(
  title: string,
  state: string,
  isStored: boolean,
  begin: (world: World, camera: FilesDevice, thing: string, id: string) => Promise<FileRequest>,
): Scenario {
  return {
    title,
    functionName: 'thingstead-file-transfers',
    settleSeconds,
    expected: { transfer: { state }, isStored, failed: 0, answered: true },
    async begin(platform) {
      const world = await worldOf(platform);
      const device = await thingOf(world);
      const id = newTransfer();
      const camera = await world.on.connect(device);
      const last = await begin(world, camera, device.thing, id);
      await platform.idle();
      camera.said.length = 0;
      return {
        async act() {
          await camera.say(id, last);
          await platform.idle();
        },
        async outcome() {
          const answered = camera.said.some((each) => !('code' in each.answer) && each.answer.type === last.type);
          await camera.client.endAsync(true);
          return { ...(await outcomeOf(platform, world, device.thing, id)), answered };
        },
      };
    },
  };
}

export const filesScenarios: readonly Scenario[] = [
  {
    title: 'a file that a person sends and takes back',
    functionName: 'thingstead-files',
    settleSeconds,
    expected: { transfer: { state: 'CANCELLED' }, isStored: false, failed: 0 },
    async begin(platform) {
      const world = await worldOf(platform);
      const { thing } = await thingOf(world);
      const id = newTransfer();
      return {
        async act() {
          await send(world, thing, id);
          await again(() => world.mary.api.removeFile({ params: { thing, transfer: id } }));
          await platform.idle();
        },
        outcome: () => outcomeOf(platform, world, thing, id),
      };
    },
  },
  scenario('a file that a device begins', 'UPLOADING', false, async () => ({
    type: 'upload',
    name: 'log',
    size: CONTENT.length,
  })),
  scenario('a file that a device completes', 'STORED', true, (_, camera, __, id) => almostUploaded(camera, id)),
  scenario('a file that a device has received', 'DELIVERED', false, async (world, camera, thing, id) => {
    await send(world, thing, id);
    await camera.hears(id, 'offer');
    await camera.gets(id, { type: 'download' });
    return { type: 'received', size: CONTENT.length };
  }),
];
