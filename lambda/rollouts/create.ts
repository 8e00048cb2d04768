import type { RolloutRelease, RolloutRow } from '@thingstead/contracts/rollout-store';
import type { NewRollout, RolloutTarget } from '@thingstead/contracts/rollouts';
import { BEGINNING } from './candidates.ts';
import type { CandidatePorts, Releases, Rollouts, Ticks } from './ports.ts';

/** Names that one refusal has room for. */
const MAX_SHOWN = 10;

export interface CreatePorts {
  readonly rollouts: Pick<Rollouts, 'create' | 'read'>;
  readonly releases: Pick<Releases, 'find'>;
  readonly lists: CandidatePorts['lists'];
  readonly ticks: Ticks;
  /** A new ULID. */
  newId(now: number): string;
  /** Epoch milliseconds. */
  now(): number;
}

export type Created =
  | { readonly kind: 'created'; readonly rollout: RolloutRow }
  | { readonly kind: 'no-release' }
  | { readonly kind: 'refused'; readonly reason: string };

/** The release, if it can be brought to devices now. */
export async function findRelease(
  { product, counter }: Pick<NewRollout, 'product' | 'counter'>,
  { releases, now }: Pick<CreatePorts, 'releases' | 'now'>,
): Promise<{ readonly kind: 'found'; readonly release: RolloutRelease } | Exclude<Created, { kind: 'created' }>> {
  const found = await releases.find(product, counter);
  if (!found) return { kind: 'no-release' };
  const { state, ...release } = found;
  if (state !== 'PUBLISHED') return { kind: 'refused', reason: `the release is ${state}` };
  if (release.expiresAt <= now()) return { kind: 'refused', reason: 'the release has expired' };
  return { kind: 'found', release };
}

/**
 * Makes a rollout; the same again is the same. Its first tick is on the queue before it is stored: a rollout that there is moves,
 * whatever happens here.
 */
export async function create(
  { id: chosen, product, counter, ...settings }: NewRollout,
  createdBy: string,
  ports: CreatePorts,
): Promise<Created> {
  const { rollouts, ticks, newId } = ports;
  const before = chosen === undefined ? undefined : await rollouts.read(chosen);
  if (before) return same(before, { product, counter });
  const found = await findRelease({ product, counter }, ports);
  if (found.kind !== 'found') return found;
  const unknown = await unknownThings(settings.target, ports);
  if (unknown.length > 0) return { kind: 'refused', reason: `there is no thing ${listed(unknown)}` };
  const createdAt = ports.now();
  const id = chosen ?? newId(createdAt);
  const isForAll = Object.values(settings.target).every((each) => each === undefined);
  const rollout: RolloutRow = {
    ...{ id, release: found.release, state: 'EXPANDING', createdAt, createdBy, changedAt: createdAt },
    settings: { ...settings, makeCurrent: settings.makeCurrent ?? isForAll },
    ...{ listed: BEGINNING, wave: 0, cursor: '', started: 0, allowance: { starts: 0, at: createdAt } },
    ...{ revision: 0, tick: 0, nextTickAt: createdAt, events: 1 },
  };
  const text = `release ${counter} (${found.release.version}) of ${product}`;
  await ticks.send({ rollout: id, tick: 0, at: createdAt }, 0);
  if (await rollouts.create(rollout, { kind: 'created', number: 0, at: createdAt, text, by: createdBy })) {
    return { kind: 'created', rollout };
  }
  const other = await rollouts.read(id);
  if (!other) throw new Error(`rollout ${id} is there, and is not`);
  return same(other, { product, counter });
}

/** Those that are named and are not there: who names a thing means it. */
async function unknownThings({ things = [] }: RolloutTarget, { lists }: CreatePorts): Promise<readonly string[]> {
  const named = [...new Set(things)];
  const rows = await lists.rows(named);
  return named.filter((thing) => !rows.has(thing));
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_SHOWN).join(', ');
  return names.length > MAX_SHOWN ? `${shown} and ${names.length - MAX_SHOWN} others` : shown;
}

function same(rollout: RolloutRow, { product, counter }: Pick<NewRollout, 'product' | 'counter'>): Created {
  const isSame = rollout.release.product === product && rollout.release.counter === counter;
  return isSame ? { kind: 'created', rollout } : { kind: 'refused', reason: 'another rollout has this id' };
}
