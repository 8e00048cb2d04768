import type { DescribedThing } from '@thingstead/contracts/onboarding';
import type { Ports, RegisteredThing } from './ports.ts';

/** https://docs.aws.amazon.com/general/latest/gr/iot-core.html: attributes of a thing with and without a thing type. */
const MAX_WITH_TYPE = 50;
const MAX_WITHOUT_TYPE = 3;
/** In the order in which they are let go when there is no room for all. */
const ATTRIBUTES = ['model', 'firmwareVersion', 'serial', 'hardwareRevision'] as const;
const MAX_ATTEMPTS = 5;

/** A thing was changed by others several times on end; the event comes again. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
}

/** What it takes to have the registry follow the row. */
export interface RegistryPorts extends Pick<Ports, 'registry' | 'descriptions'> {
  readonly reports: Pick<Ports['reports'], 'attributesLeftOut'>;
}

/**
 * Makes the attributes in the registry those of the last description; attributes of other names stay. INVARIANTS:
 * - the registry is read after the row was written, or an earlier run that is still at work would not be seen;
 * - the row is read again after the registry was written, since a later description may have found the registry right just
 *   before that;
 * - it is written only over the version that was read, so that a call whose answer was lost has no second effect.
 *
 * @throws ContentionError
 */
export async function updateRegistry(last: DescribedThing, ports: RegistryPorts): Promise<void> {
  const { registry, descriptions, reports } = ports;
  const { thing } = last;
  let description = last;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const registered = await registry.thing(thing);
    // It was deleted in the meantime.
    if (!registered) return;
    const { changed, leftOut } = plan(description, registered);
    if (leftOut.length > 0) reports.attributesLeftOut(thing, leftOut);
    if (Object.keys(changed).length === 0) return;
    const written = await registry.setAttributes(thing, changed, registered.version);
    const now = await descriptions.last(thing);
    if (!now || (written && now.describedAt === description.describedAt)) return;
    description = now;
  }
  throw new ContentionError(`${thing} was changed by others ${MAX_ATTEMPTS} times while its attributes were written`);
}

function plan(
  description: DescribedThing,
  { type, attributes }: RegisteredThing,
): { readonly changed: Readonly<Record<string, string>>; readonly leftOut: readonly string[] } {
  const changed: Record<string, string> = {};
  const leftOut: string[] = [];
  let room = (type === undefined ? MAX_WITHOUT_TYPE : MAX_WITH_TYPE) - Object.keys(attributes).length;
  for (const name of ATTRIBUTES) {
    if (attributes[name] === description[name]) continue;
    const isNew = attributes[name] === undefined;
    if (isNew && room <= 0) {
      leftOut.push(name);
      continue;
    }
    if (isNew) room -= 1;
    changed[name] = description[name];
  }
  return { changed, leftOut };
}
