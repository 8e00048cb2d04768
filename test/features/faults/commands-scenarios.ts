/** Commands that are given, executed and forgotten: what their two functions make of them. */
import { randomUUID } from 'node:crypto';
import type { Command } from '@thingstead/contracts/routes/commands';
import { newPerson, type Person } from '../../support/person.ts';
import type { Platform } from '../../support/platform.ts';
import { commandsPlatform } from '../commands/commands-platform.ts';
import { anonymous, type Scenario } from './scenario.ts';

const ATTEMPTS = 6;
/** A message on the queue of deliveries comes again after three minutes; Lambda tries again after one minute and after two. */
const settleSeconds = 420;
const TTL_SECONDS = 60;

interface World {
  readonly on: Awaited<ReturnType<typeof commandsPlatform>>;
  readonly mary: Person;
}
const worlds = new WeakMap<Platform, Promise<World>>();

function worldOf(platform: Platform): Promise<World> {
  const known = worlds.get(platform);
  if (known) return known;
  const made = commandsPlatform(platform).then(async (on) => ({ on, mary: await newPerson(platform) }));
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
async function giveAgainAndAgain({ on, mary }: World, thing: string): Promise<void> {
  const key = randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    try {
      await on.give(mary, thing, { name: 'blink', ttlSeconds: 3600 }, key);
      return;
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error;
    }
  }
}

async function outcomeOf(platform: Platform, { mary }: World, thing: string, done: () => unknown): Promise<unknown> {
  await mary.refresh();
  const { body } = await mary.call('GET', `/things/${thing}/commands`);
  const commands: readonly Command[] = body.commands;
  const outcome = {
    // When it came about does not matter.
    commands: commands.map(({ name, state, result }) => ({ name, state, result })),
    done: done(),
    failed: await platform.messagesIn('thingstead-commands-failed', 'thingstead-commands-errors'),
  };
  return anonymous(outcome, { [thing]: 'thing' });
}

export const commandsScenarios: readonly Scenario[] = [
  {
    title: 'a command that is given to a device that is connected',
    functionName: 'thingstead-commands',
    settleSeconds,
    expected: { commands: [{ name: 'blink', state: 'EXECUTED' }], done: 1, failed: 0 },
    async begin(platform) {
      const world = await worldOf(platform);
      const device = await thingOf(world);
      const { client, received } = await world.on.connect(device);
      return {
        act: () => giveAgainAndAgain(world, device.thing),
        async outcome() {
          await client.endAsync(true);
          return outcomeOf(platform, world, device.thing, () => new Set(received.map(({ id }) => id)).size);
        },
      };
    },
  },
  {
    title: 'a device that comes back to two commands',
    functionName: 'thingstead-command-deliveries',
    settleSeconds,
    expected: {
      commands: [
        { name: 'blink', state: 'EXECUTED' },
        { name: 'blink', state: 'EXECUTED' },
      ],
      done: 2,
      failed: 0,
    },
    async begin(platform) {
      const world = await worldOf(platform);
      const device = await thingOf(world);
      for (let n = 0; n < 2; n += 1) await giveAgainAndAgain(world, device.thing);
      let ids = new Set<string>();
      let end = async (): Promise<void> => {};
      return {
        async act() {
          const { client, received } = await world.on.connect(device);
          await platform.idle();
          end = async () => {
            ids = new Set(received.map(({ id }) => id));
            await client.endAsync(true);
          };
        },
        async outcome() {
          await end();
          return outcomeOf(platform, world, device.thing, () => ids.size);
        },
      };
    },
  },
  {
    title: 'a command that nobody executes',
    functionName: 'thingstead-command-deliveries',
    settleSeconds,
    expected: { commands: [{ name: 'blink', state: 'EXPIRED' }], done: 0, failed: 0 },
    async begin(platform) {
      const world = await worldOf(platform);
      const device = await thingOf(world);
      await world.on.give(world.mary, device.thing, { name: 'blink', ttlSeconds: TTL_SECONDS });
      return {
        act: () => platform.advance(TTL_SECONDS + 5),
        outcome: () => outcomeOf(platform, world, device.thing, () => 0),
      };
    },
  },
];
