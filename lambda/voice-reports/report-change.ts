import { type AlexaLinkRow, type ChangedShadow, VOICE_MEMBERS, type VoiceThingRow } from '@thingstead/contracts/voice';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { capabilitiesOf } from '../alexa/capabilities.ts';
import { changeReport, type Property } from '../alexa/messages.ts';
import { connectivity, propertyOf } from '../alexa/properties.ts';
import { accessTo, targetsAbout } from '../authorization/access.ts';
import type { Ports } from './ports.ts';
import { send } from './send.ts';

const CONCURRENCY = 10;

interface Change {
  readonly changed: readonly Property[];
  readonly others: readonly Property[];
  readonly cause: 'APP_INTERACTION' | 'PHYSICAL_INTERACTION';
}

/**
 * Tells everybody's Alexa who may see the thing and has linked the skill. Safe to call again with the same change: who was told is not
 * told again; and a change that is older than what was told last is not told any more.
 */
export async function reportChange(event: ChangedShadow, ports: Ports): Promise<void> {
  const { thing } = event;
  const links = await linksAbout(thing, ports);
  if (links.length === 0) return;
  const row = await ports.things.read(thing);
  const change = row && changeOf(event, row);
  if (!change) return;
  const results = await mapConcurrent(links, CONCURRENCY, (link) =>
    tell(link, event, change, ports).then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  // One person's trouble must not keep others from being told.
  const failures = results.filter((each) => each !== undefined);
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} people could not be told of ${thing}`);
}

async function linksAbout(thing: string, ports: Ports): Promise<readonly AlexaLinkRow[]> {
  const targets = targetsAbout({ kind: 'thing', name: thing });
  const people = (await Promise.all(targets.map((target) => ports.people.people(target)))).flat();
  const links = await mapConcurrent([...new Set(people)], CONCURRENCY, (person) => ports.links.find(person));
  return links.filter((link) => link !== undefined);
}

async function tell(link: AlexaLinkRow, event: ChangedShadow, change: Change, ports: Ports): Promise<void> {
  const { person } = link;
  const { thing, timestamp, current } = event;
  if (!(await accessTo(person, { kind: 'thing', name: thing }, ports))) return;
  const at = timestamp * 1000;
  const last = await ports.reported.last(person, thing);
  // Versions begin again when a thing was deleted and made anew.
  if (last && last.version >= current.version && last.at >= at) return;
  const report = changeReport(thing, change.cause, change, ports.newId());
  if (!(await send(link, report, ports))) return;
  await ports.reported.write(person, thing, { version: current.version, at });
  ports.reports.sent({ name: 'ChangeReport', person, things: [thing] });
}

/** What Alexa can know of it; undefined when nothing of that has changed. */
function changeOf({ previous, current, timestamp }: ChangedShadow, row: VoiceThingRow): Change | undefined {
  const { reported = {}, desired = {} } = current.state;
  const before = previous?.state?.reported ?? {};
  const members = VOICE_MEMBERS.filter((member) =>
    capabilitiesOf(row).some((each) => each.member === member && each.sensor === undefined),
  );
  const hasChanged = (member: string): boolean => JSON.stringify(before[member]) !== JSON.stringify(reported[member]);
  const propertyNow = (member: (typeof members)[number]): readonly Property[] => {
    const at = timeOf(current.metadata?.reported?.[member]) ?? timestamp * 1000;
    const property = propertyOf(member, { value: reported[member], at });
    return property ? [property] : [];
  };
  const health = connectivity(
    typeof reported.connected === 'boolean' ? reported.connected : row.presence?.connected === true,
    timestamp * 1000,
  );
  const healthChanged = hasChanged('connected') && typeof reported.connected === 'boolean';
  const moved = members.filter(hasChanged);
  const changed = [...moved.flatMap(propertyNow), ...(healthChanged ? [health] : [])];
  if (changed.length === 0) return undefined;
  const others = members.filter((member) => !moved.includes(member)).flatMap(propertyNow);
  const asked = moved.some((member) => Object.hasOwn(desired, member) && desired[member] === reported[member]);
  return {
    changed,
    others: healthChanged ? others : [...others, health],
    cause: asked ? 'APP_INTERACTION' : 'PHYSICAL_INTERACTION',
  };
}

/** Of a member's metadata, epoch milliseconds. */
function timeOf(metadata: unknown): number | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('timestamp' in metadata)) return undefined;
  return typeof metadata.timestamp === 'number' ? metadata.timestamp * 1000 : undefined;
}
