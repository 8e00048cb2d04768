/** Things that get an owner, another one, and none: what the functions of pairing make of it. */
import { type GrantTarget, targetKey } from '@thingstead/contracts/grants';
import { memberKey, ownedThingsKey } from '@thingstead/contracts/ownership';
import { pairingTopic } from '@thingstead/contracts/topics';
import type { Person } from '../../support/person.ts';
import type { Platform } from '../../support/platform.ts';
import { type PairingDevice, pairingDevice } from '../pairing/pairing-device.ts';
import { type PairingPlatform, pairingPlatform } from '../pairing/pairing-platform.ts';
import { anonymous, type Scenario } from './scenario.ts';

const ATTEMPTS = 6;
const functionName = 'thingstead-pairing';
/** Nobody but the client tries again. */
const settleSeconds = 0;

interface World {
  readonly on: PairingPlatform;
  readonly ada: Person;
  readonly ben: Person;
  readonly operator: Person;
}
const worlds = new WeakMap<Platform, Promise<World>>();

async function worldOf(platform: Platform): Promise<World> {
  const known = worlds.get(platform);
  const made =
    known ??
    pairingPlatform(platform).then(async (on) => {
      const [ada, ben, operator] = await Promise.all([on.person(), on.person(), on.person(['operator'])]);
      return { on, ada, ben, operator };
    });
  worlds.set(platform, made);
  const world = await made;
  if (known) {
    // An attempt that is cut off counts as a wrong code, of which ten are taken in ten minutes.
    await platform.advance(601);
    // Access tokens live for 15 minutes.
    await Promise.all([world.ada, world.ben, world.operator].map((each) => each.refresh()));
  }
  return world;
}

/** As an app does it: the same request until there is an answer. */
async function again(person: Person, method: string, path: string, body?: unknown): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const { status } = await person.call(method, path, body);
    if (status < 500 || attempt === ATTEMPTS) return status;
  }
}

/** Nobody has the thing any more: one person can have about a hundred by themselves. */
async function leave({ operator }: World, thing: string): Promise<void> {
  await again(operator, 'POST', `/operator/things/${thing}/decommission`);
}

/** Who has the thing, by all rows that say so. */
async function rowsOf({ on, ada, ben }: World, thing: string): Promise<object> {
  const target: GrantTarget = { kind: 'thing', name: thing };
  const of = async (person: Person) => ({
    role: (await on.grantOf(person.person, target))?.role,
    member: (await on.accessRow(memberKey(target, target, person.person)))?.role,
  });
  const owner = await on.accessRow({ pk: targetKey(target), sk: 'owner' });
  return {
    owner: owner && { person: owner.person, shares: owner.shares },
    ...{ ada: await of(ada), ben: await of(ben) },
    owned: (await on.accessRow(ownedThingsKey(thing.split('-')[0] ?? '')))?.things,
  };
}

interface Play {
  readonly title: string;
  readonly expected: Readonly<Record<string, unknown>>;
  /** Makes what is needed, and gives what is then asked for. */
  prepare(world: World, device: PairingDevice, run: number): Promise<() => Promise<unknown>>;
}

function scenario({ title, expected, prepare }: Play): Scenario {
  return {
    ...{ title, functionName, settleSeconds, expected },
    async begin(platform, run) {
      const world = await worldOf(platform);
      // Each in a site of its own, which counts it.
      const device = await world.on.device(`crash${expected.owned ?? 'x'}${title.length}n${run}-lamp`);
      const act = await prepare(world, device, run);
      return {
        act: async () => void (await act()),
        async outcome() {
          await device.client.endAsync(true);
          const { ada, ben } = world;
          const names = { [device.thing]: 'thing', [ada.person]: 'ada', [ben.person]: 'ben' };
          const rows = anonymous(await rowsOf(world, device.thing), names);
          await leave(world, device.thing);
          return rows;
        },
      };
    },
  };
}

async function paired({ ada }: World, device: PairingDevice): Promise<string> {
  await again(ada, 'POST', '/pairings', { code: await device.code() });
  return `/things/${device.thing}`;
}

export const pairingScenarios: readonly Scenario[] = [
  {
    title: 'a device that asks for a code, and a person who types the first that it shows',
    functionName: 'thingstead-pairing-codes',
    // Lambda tries again after one minute and after two.
    settleSeconds: 200,
    expected: { verdicts: ['accepted'], status: 201, failed: 0 },
    async begin(platform, run) {
      const world = await worldOf(platform);
      const device = await pairingDevice(platform, await world.on.joined(`asking${run}`));
      const answers: { readonly verdict: string; readonly code?: string }[] = [];
      const topic = pairingTopic(device.thing);
      device.client.on('message', (name, payload) =>
        answers.push({ verdict: name.slice(topic.length + 1), ...JSON.parse(payload.toString()) }),
      );
      return {
        async act() {
          await device.client.tryPublish(topic, JSON.stringify({ id: 'once' }));
          await platform.idle();
        },
        async outcome() {
          await device.client.endAsync(true);
          const status = await again(world.ada, 'POST', '/pairings', { code: answers[0]?.code });
          await leave(world, device.thing);
          return {
            verdicts: [...new Set(answers.map(({ verdict }) => verdict))],
            status,
            failed: await platform.messagesIn('thingstead-pairing-codes-failed', 'thingstead-pairing-codes-errors'),
          };
        },
      };
    },
  },
  scenario({
    title: 'a person who pairs',
    expected: { owner: { person: '<ada>', shares: 0 }, ada: { role: 'owner' }, owned: 1 },
    async prepare({ ada }, device) {
      const code = await device.code();
      return () => again(ada, 'POST', '/pairings', { code });
    },
  }),
  scenario({
    title: 'a person who accepts a share',
    expected: { owner: { shares: 1 }, ben: { role: 'viewer', member: 'viewer' } },
    async prepare(world, device) {
      const path = await paired(world, device);
      const { body } = await world.ada.call('POST', `${path}/invitations`, { role: 'viewer' });
      return () => again(world.ben, 'POST', '/invitations', { token: body.token });
    },
  }),
  scenario({
    title: 'a viewer who becomes the owner',
    expected: { owner: { person: '<ben>', shares: 0 }, ada: {}, ben: { role: 'owner' }, owned: 1 },
    async prepare(world, device) {
      const { on, ada, ben, operator } = world;
      const path = await paired(world, device);
      await on.share(ada, path, ben, { role: 'viewer' });
      await on.share(ada, path, operator, { role: 'viewer' });
      const { body } = await ada.call('POST', `${path}/invitations`, { role: 'owner' });
      return () => again(ben, 'POST', '/invitations', { token: body.token });
    },
  }),
  scenario({
    title: 'an owner who gives up what is shared',
    expected: { ada: {}, ben: {}, owned: 0 },
    async prepare(world, device) {
      const { on, ada, ben } = world;
      const path = await paired(world, device);
      await on.share(ada, path, ben, { role: 'controller' });
      return () => again(ada, 'DELETE', `${path}/grant`);
    },
  }),
  scenario({
    title: 'an operator who takes a device out of service',
    expected: { ada: {}, ben: {}, owned: 0 },
    async prepare(world, device) {
      await paired(world, device);
      return () => again(world.operator, 'POST', `/operator/things/${device.thing}/decommission`);
    },
  }),
];
