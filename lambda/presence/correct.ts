/** Puts right what events have left wrong: the row, and the shadow. */
import type { PresenceRow } from '@thingstead/contracts/presence';
import { change } from './change.ts';
import { ask, corrected } from './observe.ts';
import type { Ports } from './ports.ts';
import { isSameOutage, timesOf } from './state.ts';

/** Makes the row say what the broker says. It is asked after the row was read, so that a later event is not undone. */
export function correctRow(thing: string, ports: Ports): Promise<PresenceRow | undefined> {
  return change(thing, ports, async (row) => {
    if (!row?.presence) return undefined;
    const truth = await ask(thing, ports);
    const { connected, outage } = row.presence;
    const same = truth.connected || !outage || isSameOutage(outage, truth.since, timesOf(row, ports.settings));
    if (connected === truth.connected && same) return undefined;
    ports.reports.repaired({ thing, store: 'row', connected: truth.connected });
    return { next: corrected(row, truth, ports) };
  });
}

/** Makes the shadow say so too, if it says anything about the connection. */
export async function correctShadow(thing: string, connected: boolean, ports: Ports): Promise<void> {
  const { shadows, reports } = ports;
  const shadow = await shadows.reported(thing);
  if (!shadow || shadow.connected === connected) return;
  // Whoever changed it in the meantime has raised its version, and that update comes as an observation.
  if (await shadows.correct(thing, connected, shadow.version)) reports.repaired({ thing, store: 'shadow', connected });
}
