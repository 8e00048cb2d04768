import { isDeepStrictEqual } from 'node:util';
import type { DescribedThing, DescriptionEvent } from '@thingstead/contracts/onboarding';
import { siteOf } from '@thingstead/contracts/things';
import type { Ports } from './ports.ts';
import { readDescription } from './read-description.ts';
import { updateRegistry } from './registry-attributes.ts';

/** A message may have more wrong members than an answer has room for. */
const MAX_REASON = 1000;

/**
 * Takes what a device says of itself. INVARIANTS:
 * - the thing is the one of the topic, for which the device's policy vouches; its type is the registry's. A type decides
 *   settings, alarms and limits: a device that chose its own could switch off the notice that it is gone;
 * - a description replaces only one that arrived earlier, in one conditional write; the registry follows the row;
 * - every step may be repeated, also by several of these at the same time, with the same result;
 * - the answer comes last: a device that has none may send the same again.
 */
export async function describe(event: DescriptionEvent, ports: Ports): Promise<void> {
  const { thing, at } = event;
  const { registry, descriptions, shadows, answers, reports, settings, now } = ports;
  const read = readDescription(event);
  if (!read.ok) return reject(thing, read, ports);
  const { id } = read;
  const registered = await registry.thing(thing);
  if (!registered) return reject(thing, { id, reason: `there is no thing ${thing} in the registry` }, ports);

  const { gateway, ...said } = read.value;
  const site = siteOf(thing);
  const { type } = registered;
  const description: DescribedThing = {
    thing,
    ...(site !== undefined && { site }),
    ...said,
    ...(gateway !== undefined && { gateway }),
    ...(type !== undefined && { thingType: type }),
    describedAt: at,
  };
  const { expectedIntervalSeconds, ...deviceSettings } =
    (type === undefined ? undefined : settings.thingTypes[type]) ?? {};
  const dueAt = expectedIntervalSeconds === undefined ? undefined : now() + expectedIntervalSeconds * 1000;
  const written = await descriptions.write(description, dueAt);
  const last = written ? description : await descriptions.last(thing);
  if (last?.describedAt === at && !isSameDescription(last, description)) {
    const reason =
      'another description arrived in the same millisecond, and nobody knows which one holds; send it again';
    return reject(thing, { id, reason }, ports);
  }
  // Also for one that came too late: the run that brought the later one may have been cut off.
  if (last) await updateRegistry(last, ports);
  // Without a shadow the rule of the last wills has nothing to read, and fails. The model is what does not change.
  await shadows.createIfNone(thing, { model: description.model });
  await answers.accepted(thing, id, deviceSettings);
  reports.accepted({ thing, superseded: last?.describedAt !== at });
}

async function reject(
  thing: string,
  { id, reason }: { readonly id: string | undefined; readonly reason: string },
  { answers, reports }: Ports,
): Promise<void> {
  const short = reason.slice(0, MAX_REASON);
  await answers.rejected(thing, id, short);
  reports.rejected({ thing, reason: short });
}

/** By what the device said: the operator may have given the thing another type in the meantime. */
function isSameDescription({ thingType: _, ...a }: DescribedThing, { thingType: __, ...b }: DescribedThing): boolean {
  return isDeepStrictEqual(a, b);
}
