import type { CommandRow } from '@thingstead/contracts/command-store';
import { type CommandMessage, CommandMessage as MessageSchema } from '@thingstead/contracts/commands';
import { reaches } from '@thingstead/contracts/grants';
import * as v from 'valibot';
import { expire, transition } from './life-cycle.ts';
import type { DeliveryPorts, Ports } from './ports.ts';

/**
 * Publishes a command to its device, as often as it is called: the device does it once. It is SENT when the thing was
 * connected as far as anyone knew; that somebody heard it, only the device can say.
 */
export async function publish(row: CommandRow, connected: boolean, ports: DeliveryPorts): Promise<void> {
  await ports.topics.publish(row.thing, messageOf(row));
  ports.reports.published(row);
  if (!connected || row.state !== 'QUEUED') return;
  const changedAt = ports.now();
  await transition(row, ({ state }) => (state === 'QUEUED' ? { state: 'SENT', changedAt } : undefined), ports);
}

/**
 * Publishes a command that has waited, if whoever gave it may give it still: a thing that was sold meanwhile does nothing for
 * the one who sold it. Else the command ends here, unless the device has it already.
 */
export async function deliver(row: CommandRow, connected: boolean, ports: Ports): Promise<void> {
  if (await isStillAllowed(row, ports)) return publish(row, connected, ports);
  if (row.state !== 'DELIVERED') await expire(row, ports, 'whoever gave it has lost the access to do so');
}

async function isStillAllowed({ authority, givenBy, givenAt, thing }: CommandRow, { access }: Ports): Promise<boolean> {
  if (authority === 'staff') return true;
  const found = await access(givenBy, thing);
  // Access that was lost and given again is another: what was commanded under the earlier one is void.
  return found?.role !== undefined && reaches(found.role, 'controller') && givenAt >= found.visibleFrom;
}

function messageOf({ id, name, payload, voidAt }: CommandRow): CommandMessage {
  const value: unknown = payload === undefined ? null : JSON.parse(payload);
  return v.parse(MessageSchema, { id, name, payload: value, expiresAt: voidAt });
}
