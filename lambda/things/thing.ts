import type { Thing } from '@thingstead/contracts/routes/things';
import { siteOf, type ThingRow } from '@thingstead/contracts/things';
import type { Access } from '../http/request.ts';

/** A thing as someone with this access sees it; nothing of it is older than what they may see. */
export function thingFor(thing: string, row: ThingRow | undefined, { role, visibleFrom }: Access): Thing {
  const { sensors = [], capabilities = [], presence } = row ?? {};
  return {
    thing,
    site: siteOf(thing),
    label: row && labelFor(row, visibleFrom),
    role,
    thingType: row?.thingType,
    model: row?.model,
    hardwareRevision: row?.hardwareRevision,
    serial: row?.serial,
    firmwareVersion: row?.firmwareVersion,
    sensors,
    capabilities,
    gateway: row?.gateway,
    connected: presence?.connected,
    since: presence && presence.since >= visibleFrom ? presence.since : undefined,
  };
}

/** The label, unless it was given under an earlier owner than the one from whom the caller's access comes. */
function labelFor({ label, labelledFor = 0 }: ThingRow, visibleFrom: number): string | undefined {
  return labelledFor >= visibleFrom ? label : undefined;
}
