/**
 * Random sequences of pairing, sharing, transferring, leaving and taking away. After each, who can really read or command which
 * thing, tried over REST and over MQTT, is what a small model says. Several worlds of people and things live side by side.
 */
import { type Role, reaches } from '@thingstead/contracts/grants';
import fc from 'fast-check';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { pairingDevice } from '../pairing/pairing-device.ts';

const EXHAUSTIVE = process.env.THINGSTEAD_EXHAUSTIVE === '1';
const SEQUENCES = EXHAUSTIVE ? 500 : 6;
const WORLDS = EXHAUSTIVE ? 10 : 3;
const LIMIT_MS = EXHAUSTIVE ? 1_800_000 : 120_000;
const PEOPLE = 4;
const THINGS = 2;

const step = fc.record({
  what: fc.constantFrom('pair', 'share', 'transfer', 'leave', 'unshare'),
  who: fc.nat(PEOPLE - 1),
  whom: fc.nat(PEOPLE - 1),
  thing: fc.nat(THINGS - 1),
  role: fc.constantFrom<Role>('viewer', 'controller'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly people: readonly Person[];
  readonly things: readonly DeviceCertificate[];
  /** By thing: the roles of people. */
  readonly model: readonly Map<number, Role>[];
}

let platform: Platform;
let worlds: readonly World[];

beforeAll(async () => {
  platform = await startPlatform();
  const ca = await createCa(unique('sharing'));
  await platform.registerCa(ca);
  worlds = await Promise.all(
    Array.from({ length: WORLDS }, async (_, world) => ({
      people: await Promise.all(
        Array.from({ length: PEOPLE }, async () => {
          const person = await newPerson(platform);
          await person.identify();
          return person;
        }),
      ),
      things: await Promise.all(
        Array.from({ length: THINGS }, async (_, thing) => {
          const device = await issue(ca, unique(`shared${world}_${thing}`));
          await platform.join(device);
          return device;
        }),
      ),
      model: Array.from({ length: THINGS }, () => new Map<number, Role>()),
    })),
  );
}, LIMIT_MS);
afterAll(() => platform.stop());

/** The thing asks for a code. It connects for that: through all the time that passes it would not stay connected. */
async function codeOf(device: DeviceCertificate): Promise<string> {
  const pairing = await pairingDevice(platform, device);
  const code = await pairing.code();
  await pairing.client.endAsync();
  return code;
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`nothing at ${index}`);
  return found;
}

/** Does one step, on the platform and in the model: what the model does not allow, the platform must refuse. */
async function take({ what, who, whom, thing, role }: Step, { people, things, model }: World): Promise<void> {
  const device = at(things, thing);
  const name = device.thing;
  const roles = at(model, thing);
  const [actor, other] = [at(people, who), at(people, whom)];
  const isOwner = roles.get(who) === 'owner';
  switch (what) {
    case 'pair': {
      if (roles.size > 0) return;
      const { status } = await actor.call('POST', '/pairings', { code: await codeOf(device) });
      expect(status).toBe(201);
      roles.set(who, 'owner');
      return;
    }
    case 'share':
    case 'transfer': {
      const given = what === 'transfer' ? 'owner' : role;
      const { status, body } = await actor.call('POST', `/things/${name}/invitations`, { role: given });
      expect(status).toBe(isOwner ? 201 : roles.has(who) ? 403 : 404);
      if (!isOwner) return;
      const accepted = await other.call('POST', '/invitations', { token: body.token });
      expect(accepted.status).toBe(who === whom ? 409 : 201);
      if (who === whom) return;
      if (given === 'owner') roles.clear();
      roles.set(whom, given);
      return;
    }
    case 'leave': {
      const { status } = await actor.call('DELETE', `/things/${name}/grant`);
      expect(status).toBe(roles.has(who) ? 204 : 404);
      if (isOwner) roles.clear();
      roles.delete(who);
      return;
    }
    case 'unshare': {
      const { status } = await actor.call('DELETE', `/things/${name}/grants/${other.person}`);
      const there = roles.has(whom);
      expect(status).toBe(isOwner ? (who === whom ? 409 : there ? 204 : 404) : roles.has(who) ? 403 : 404);
      if (isOwner && who !== whom) roles.delete(whom);
    }
  }
}

type Reach = readonly string[];

/** What a person can do with a thing by the model. */
function expectedReach(role: Role | undefined): Reach {
  if (!role) return [];
  const reading = ['REST read', 'MQTT read'];
  return reaches(role, 'controller') ? [...reading, 'REST command', 'MQTT command'].sort() : reading.sort();
}

/** What a person can really do with each thing: tried. */
async function triedReach(person: Person, things: readonly DeviceCertificate[]): Promise<readonly Reach[]> {
  const mqtt = await person.connect('tab1', { version: 5 }).catch(() => undefined);
  const reach: Reach[] = [];
  for (const { thing: name } of things) {
    const can: string[] = [];
    const { status } = await person.call('GET', `/things/${name}/state`);
    if (status === 200) can.push('REST read');
    const set = await person.call('PATCH', `/things/${name}/state`, { desired: { power: true } });
    if (set.status === 200) can.push('REST command');
    if ((await mqtt?.subscribe(`$aws/things/${name}/shadow/update/documents`)) === 'accepted') can.push('MQTT read');
    const update = JSON.stringify({ state: { desired: { power: true } } });
    if ((await mqtt?.publish(`$aws/things/${name}/shadow/update`, update)) === 'accepted') can.push('MQTT command');
    reach.push(can.sort());
  }
  await mqtt?.end();
  return reach;
}

/** Everybody's reach is what the model says. */
async function look({ people, things, model }: World): Promise<void> {
  for (const [index, person] of people.entries()) {
    await person.refresh();
    const expected = model.map((roles) => expectedReach(roles.get(index)));
    expect([index, await triedReach(person, things)]).toEqual([index, expected]);
  }
}

it(
  `reach what the model says, ${SEQUENCES} sequences`,
  async () => {
    const sequence = fc.array(step, { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.array(sequence, { minLength: WORLDS, maxLength: WORLDS }), async (sequences) => {
        await Promise.all(
          worlds.map(async (world, index) => {
            for (const each of at(sequences, index)) await take(each, world);
          }),
        );
        // Tokens live for 15 minutes, and so do the counters of codes that a thing has asked for.
        await platform.advance(601);
        await platform.idle();
        await Promise.all(worlds.map(look));
      }),
      // One sequence goes on where the other has ended, so a failure cannot be made smaller.
      { numRuns: SEQUENCES / WORLDS, endOnFailure: true },
    );
  },
  LIMIT_MS,
);
