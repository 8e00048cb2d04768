import {
  COMMAND_RETENTION_SECONDS,
  type CommandRow,
  IDEMPOTENCY_SECONDS,
  type IdempotencyRow,
} from '@thingstead/contracts/command-store';
import { publish } from '../command-deliveries/deliver.ts';
import { FIRST_DELAY_SECONDS } from '../command-deliveries/tick.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { GivenKey, Ports } from './ports.ts';

export interface GivenCommand {
  readonly thing: string;
  readonly name: string;
  readonly payload: unknown;
  readonly ttlSeconds: number;
  readonly person: string;
  readonly key: string;
  readonly authority: CommandRow['authority'];
}

export type Given =
  | { readonly kind: 'accepted'; readonly command: CommandRow }
  | { readonly kind: 'no-thing' }
  /** The key is another command's. */
  | { readonly kind: 'another' };

/** Requests with one key that come at the same time; each sees what the fastest has stored. */
const ATTEMPTS = 5;

/**
 * Accepts a command once for each key. INVARIANTS:
 * - a command that is stored has a tick, which is on the queue before it: it is delivered or expires, whatever happens here;
 * - a command that is not stored was never accepted, and its tick comes to nothing;
 * - whether the device could be reached changes nothing of the answer: the tick tries again.
 */
export async function give(request: GivenCommand, ports: Ports): Promise<Given> {
  const { things, ticks, newId, now } = ports;
  const { thing, name, payload, ttlSeconds, person, key, authority } = request;
  const hash = fingerprintOf({ thing, name, payload, ttlSeconds });
  const [before, found] = await Promise.all([ports.given.underKey(person, key), things.find(thing)]);
  if (before && now() < before.endsAt) return same(before, hash, ports);
  if (!found) return { kind: 'no-thing' };

  const givenAt = now();
  const id = newId(givenAt);
  const command: CommandRow = {
    ...{ thing, id, name, state: 'QUEUED', givenBy: person, authority, givenAt, changedAt: givenAt },
    ...(payload !== undefined && { payload: JSON.stringify(payload) }),
    voidAt: givenAt + ttlSeconds * 1000,
    ...{ tick: 0, waiting: thing },
    expiresAt: Math.floor(givenAt / 1000) + COMMAND_RETENTION_SECONDS,
  };
  const endsAt = givenAt + IDEMPOTENCY_SECONDS * 1000;
  const row: IdempotencyRow = { thing, id, hash, endsAt, expiresAt: Math.ceil(endsAt / 1000) };
  await ticks.send({ thing, id, tick: 0, at: givenAt }, FIRST_DELAY_SECONDS);
  const stored = await store(command, { person, key, row }, ports);
  if (stored) return same(stored, hash, ports);
  await publishNow(command, found.connected, ports);
  return accepted(command, ports);
}

/** Undefined when it is stored; else what was stored under the key before. */
async function store(command: CommandRow, key: GivenKey, { given }: Ports): Promise<IdempotencyRow | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await given.create(command, key, command.givenAt)) return undefined;
    const other = await given.underKey(key.person, key.key);
    // The answer to the first attempt may have been lost.
    if (other?.id === command.id) return undefined;
    if (other && command.givenAt < other.endsAt) return other;
  }
  throw new Error(`the key of command ${command.id} was written by others ${ATTEMPTS} times`);
}

async function publishNow(command: CommandRow, connected: boolean, ports: Ports): Promise<void> {
  try {
    await publish(command, connected, ports);
  } catch (error) {
    ports.reports.failed(`delivery of ${command.id} to ${command.thing}`, error);
  }
}

async function same({ thing, id, hash }: IdempotencyRow, wanted: string, ports: Ports): Promise<Given> {
  if (hash !== wanted) return { kind: 'another' };
  const command = await ports.commands.read(thing, id);
  if (!command) throw new Error(`command ${id} of ${thing} is not there, though its key is`);
  return { kind: 'accepted', command };
}

/** As it is now: a device may be fast. */
async function accepted(command: CommandRow, { commands }: Ports): Promise<Given> {
  return { kind: 'accepted', command: (await commands.read(command.thing, command.id)) ?? command };
}
