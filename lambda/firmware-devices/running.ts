import type { FirmwareRequest } from '@thingstead/contracts/firmware';
import { updateRegistry } from '../onboarding/registry-attributes.ts';
import type { RunningFirmware, RunningPorts } from './ports.ts';

type Said = Extract<FirmwareRequest, { type: 'running' }>;

export type Running =
  | {
      readonly ok: true;
      /** Its type in the registry; a device has no say in it. Undefined: it has none. */
      readonly product: string | undefined;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * Takes what a device runs. INVARIANTS:
 * - the thing is the one of the topic, for which the device's policy vouches;
 * - what arrived later holds, in its row and in the registry, which follows the row as on-boarding has it do;
 * - every step may be repeated, also by several of these at the same time, with the same result.
 */
export async function takeRunning(
  { thing, at, said }: { readonly thing: string; readonly at: number; readonly said: Said },
  ports: RunningPorts,
): Promise<Running> {
  const { registry, descriptions, devices, versions, attributes } = ports;
  const registered = await registry.thing(thing);
  if (!registered) return { ok: false, reason: `there is no thing ${thing} in the registry` };
  const { type: _, ...members } = said;
  const running: RunningFirmware = { ...members, at };
  await devices.writeRunning(thing, running);
  await versions.write(thing, running);
  // Also for one that came too late: the run that brought the later one may have been cut off.
  const last = await descriptions.last(thing);
  // What never described itself gets its attributes when it does.
  if (last) await updateRegistry(last, { registry, descriptions, reports: attributes });
  return { ok: true, product: registered.type };
}
