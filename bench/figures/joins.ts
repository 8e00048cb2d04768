import { readFileSync } from 'node:fs';
import { platformAssembly } from '../support/assembly.ts';
import { type Figure, type Row, say } from '../support/figure.ts';
import { createFleet, invite } from '../support/fleet.ts';
import { startLoad } from '../support/load.ts';
import { startBareBroker } from '../support/peers.ts';
import { startRuntime } from '../support/runtime.ts';

const DEVICES = 100;
const CONNECTING = 25;

/** Just-in-time registration: unknown certificate, refused, registered by the function, accepted. */
export const joins: Figure = {
  name: 'joins',
  title: `Just-in-time registration, ${DEVICES} devices, ${CONNECTING} at a time`,
  async measure() {
    const fleet = await createFleet(DEVICES);
    const runtime = await startRuntime(await platformAssembly(), { quiet: true });
    const rows: Row[] = [];
    say('joins: just-in-time registration');
    try {
      await invite(fleet, runtime);
      const { host, port } = runtime.endpoints.mqtt;
      const target = { host, port, trust: readFileSync(runtime.endpoints.rootCaFile, 'utf8') };
      const common = { devices: fleet.devices, refused: 'again', connecting: CONNECTING } as const;
      const load = await startLoad({ ...common, target });
      rows.push(
        {
          what: 'unknown certificate to accepted connection',
          value: DEVICES / load.connected.seconds,
          unit: 'joins/s',
        },
        { what: 'connections tried per join', value: load.connected.attempts / DEVICES, unit: 'connections' },
      );
      await load.stop();
      const again = await startLoad({ ...common, target });
      rows.push({ what: 'the same devices again', value: DEVICES / again.connected.seconds, unit: 'connections/s' });
      await again.stop();
    } finally {
      await runtime.stop();
    }
    const peer = await startBareBroker(fleet);
    const load = await startLoad({
      devices: fleet.devices,
      refused: 'fail',
      connecting: CONNECTING,
      target: peer.target,
    });
    rows.push({
      what: `${peer.name}, any certificate`,
      value: DEVICES / load.connected.seconds,
      unit: 'connections/s',
    });
    await load.stop();
    await peer.stop();
    return rows;
  },
};
