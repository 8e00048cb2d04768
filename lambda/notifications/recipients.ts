import type { Notice } from '@thingstead/contracts/notices';
import type { Preferences, Target } from '@thingstead/contracts/notifications';
import { siteOf } from '@thingstead/contracts/things';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import type { PersonalNotice } from './compose.ts';
import type { Directory, Person } from './ports.ts';

const CONCURRENT_READS = 25;

/** The things of a notice that one person watches. */
interface Watched {
  readonly things: Set<string>;
  /** The person watches the group, and not only things that happen to be in it. */
  group: boolean;
}

/** By person: what of the notice they watch, themselves, through its site or through its gateway. */
export async function watchersOf(notice: Notice, directory: Directory): Promise<ReadonlyMap<string, Watched>> {
  const watched = new Map<string, Watched>();
  await mapConcurrent([...targetsOf(notice)], CONCURRENT_READS, async ([, { target, things }]) => {
    const isGroup = target.kind === notice.group.kind && target.name === notice.group.name;
    for (const person of await directory.watchers(target)) {
      const known = watched.get(person) ?? { things: new Set<string>(), group: false };
      for (const thing of things) known.things.add(thing);
      known.group ||= isGroup;
      watched.set(person, known);
    }
  });
  return watched;
}

function targetsOf({
  group,
  things,
}: Notice): ReadonlyMap<string, { readonly target: Target; readonly things: string[] }> {
  const targets = new Map<string, { readonly target: Target; readonly things: string[] }>();
  const add = (kind: Target['kind'], name: string, thing: string) => {
    const known = targets.get(`${kind}#${name}`) ?? { target: { kind, name }, things: [] };
    known.things.push(thing);
    targets.set(`${kind}#${name}`, known);
  };
  for (const { thing } of things) {
    add('thing', thing, thing);
    const site = siteOf(thing);
    if (site !== undefined) add('site', site, thing);
    if (group.kind === 'gateway') add('gateway', group.name, thing);
  }
  return targets;
}

/** The notice as this person wants it; undefined when nothing of it is left. */
export function personal(notice: Notice, watched: Watched, person: Person, now: number): PersonalNotice | undefined {
  const wants = (preferences: Preferences | undefined): boolean =>
    (preferences?.mutedUntil ?? 0) <= now && (preferences?.kinds?.includes(notice.kind) ?? true);
  if (!wants(person.preferences)) return undefined;
  const things = notice.things.filter(({ thing }) => watched.things.has(thing) && wants(person.things.get(thing)));
  if (things.length === 0) return undefined;
  const { id, kind, at } = notice;
  return { id, kind, at, things, group: watched.group ? notice.group : undefined };
}
