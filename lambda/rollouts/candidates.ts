/** Whom a rollout is for: the lists that are read for it, and what is made of each thing in them. */
import { createHash } from 'node:crypto';
import type { FirmwareDeviceRow, RolloutRelease } from '@thingstead/contracts/rollout-store';
import type { RolloutTarget, SkipReason } from '@thingstead/contracts/rollouts';
import { listShards, siteOf, THINGS_INDEXES, type ThingRow } from '@thingstead/contracts/things';
import { beyond, inBoth, inOrder, isIn, namesOfSite, namesWith } from '../things/name-range.ts';
import type { List } from '../things/ports.ts';
import type { CandidatePorts } from './ports.ts';

/** Devices without a rollout's hold that have not taken an offer for so long may be offered something else. */
export const ABANDONED_MS = 86_400_000;

/** Where listing goes on: the how manieth list, and the name up to which it was read. */
export interface Place {
  readonly list: number;
  readonly name: string;
}

export const BEGINNING: Place = { list: 0, name: '' };

export interface Candidate {
  readonly thing: string;
  /** Sorts all of a rollout; the same for every rollout of a release, so that what a dry run shows is what comes. */
  readonly order: string;
  readonly skip: SkipReason | undefined;
}

export interface CandidatePage {
  readonly candidates: readonly Candidate[];
  /** Undefined: that was the last one. */
  readonly next: Place | undefined;
}

/** What is passed over comes last, so that whoever goes on in the order does not meet it. */
export const SKIPPED_ORDER = 'z';

/** The next candidates, from at most `limit` names: those that the target does not mean are not among them. */
export async function candidatesFrom(
  place: Place,
  limit: number,
  { target, release }: { readonly target: RolloutTarget; readonly release: RolloutRelease },
  { lists, offers }: CandidatePorts,
  now: number,
): Promise<CandidatePage> {
  const chosen = listsFor(target, release.product);
  const { names, next } = await namesFrom(place, limit, target, chosen, lists);
  const sampled = names.filter((name) => target.percent === undefined || shareOf(name) < target.percent / 100);
  const [rows, offered] = await Promise.all([lists.rows(sampled), offers.readAll(sampled)]);
  const candidates = sampled.flatMap((thing): Candidate[] => {
    const row = rows.get(thing);
    if (!isMeant(thing, row, target, release.product)) return [];
    const skip = skipReason(row, offered.get(thing), release, now);
    return [{ thing, order: orderOf(thing, row, skip, release), skip }];
  });
  return { candidates, next };
}

type Chosen = readonly List[] | undefined;

/** Undefined: the target names its things. */
function listsFor({ things, site, firmware, connected }: RolloutTarget, product: string): Chosen {
  const of = (index: List['index'], value: string): readonly List[] =>
    listShards(value).map((partition) => ({ index, partition }));
  if (things) return undefined;
  if (site !== undefined) return [{ index: THINGS_INDEXES.site, partition: site }];
  if (firmware !== undefined) return of(THINGS_INDEXES.firmware, firmware);
  if (connected !== undefined) return of(THINGS_INDEXES.connected, String(connected));
  return of(THINGS_INDEXES.type, product);
}

async function namesFrom(
  { list, name }: Place,
  limit: number,
  { things = [], site, prefix = '' }: RolloutTarget,
  chosen: Chosen,
  lists: CandidatePorts['lists'],
): Promise<{ readonly names: readonly string[]; readonly next: Place | undefined }> {
  const all = site === undefined ? namesWith(prefix) : inBoth(namesWith(prefix), namesOfSite(site));
  const range = all && (name === '' ? all : beyond(all, name));
  const asked = chosen?.[list];
  const names = !range
    ? []
    : chosen === undefined
      ? [...new Set(things)]
          .filter((each) => isIn(each, range))
          .sort(inOrder)
          .slice(0, limit)
      : asked
        ? await lists.names(asked, range, limit)
        : [];
  const last = names.at(-1);
  if (last !== undefined && names.length === limit) return { names, next: { list, name: last } };
  return { names, next: chosen && list + 1 < chosen.length ? { list: list + 1, name: '' } : undefined };
}

/** Things that somebody names are told why they are left out; of a list, the others are just not meant. */
function isMeant(thing: string, row: ThingRow | undefined, target: RolloutTarget, product: string): boolean {
  if (target.things) return true;
  return (
    row !== undefined &&
    row.thingType === product &&
    (target.site === undefined || siteOf(thing) === target.site) &&
    (target.firmware === undefined || row.firmwareVersion === target.firmware) &&
    (target.connected === undefined || (row.presence?.connected ?? false) === target.connected)
  );
}

/** Why a device does not get a release; undefined: it does. */
export function skipReason(
  row: ThingRow | undefined,
  offered: FirmwareDeviceRow | undefined,
  { product, version, counter, minimumCounter, hardwareRevisions }: RolloutRelease,
  now: number,
): SkipReason | undefined {
  const running = offered?.running;
  const hardware = running?.hardwareRevision ?? row?.hardwareRevision;
  if (!row) return 'no-such-thing';
  if (row.thingType !== product || (running?.product ?? product) !== product) return 'other-product';
  if (hardware !== undefined && !hardwareRevisions.includes(hardware)) return 'other-hardware';
  if (running ? running.counter >= counter : row.firmwareVersion === version) return 'has-it-already';
  if (running && Math.max(running.counter, 1) < minimumCounter) return 'not-reachable-from-here';
  return offered && isHeld(offered, now) ? 'in-another-rollout' : undefined;
}

/** True when nobody else may offer this device anything now. */
export function isHeld({ state, rollout, offeredAt = 0 }: FirmwareDeviceRow, now: number): boolean {
  return state === 'OFFERED' && (rollout !== undefined || offeredAt >= now - ABANDONED_MS);
}

/** Those that are connected come first: a wave of those that are away would have to wait for them. */
function orderOf(
  thing: string,
  row: ThingRow | undefined,
  skip: SkipReason | undefined,
  { product, counter }: RolloutRelease,
): string {
  const group = skip ? SKIPPED_ORDER : row?.presence?.connected ? '0' : '1';
  return group + hashOf(`${product}#${counter}#${thing}`).toString('hex', 0, 4);
}

/** 0 to 1, the same in every rollout. */
function shareOf(thing: string): number {
  return hashOf(thing).readUInt32BE() / 2 ** 32;
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
