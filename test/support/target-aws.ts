import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { getCACertificates } from 'node:tls';
import { DescribeEndpointCommand, IoTClient } from '@aws-sdk/client-iot';
import type { Target } from './target.ts';
import { removeMade } from './target-aws-clean-up.ts';
import { stackOutputs } from './target-aws-outputs.ts';
import { untilItPasses } from './until-it-passes.ts';

const STACKS = ['ThingsteadState', 'ThingsteadPlatform'];
/** What AWS may take beyond the time that a feature states: alarms, delivery and propagation have no stated limit. */
const PATIENCE_SECONDS = 120;
/** After this long nothing more is expected of something that must have no result. A registration takes one to three seconds. */
const IDLE_MS = 5000;
/** AWS IoT takes one CONNECT a second from a client id (quota "Connect requests per second per client ID"). */
const CONNECT_INTERVAL_MS = 1100;

/**
 * The stacks deployed in the account and region of the SDK's default credentials. Time is real, and what is read is read
 * again until it is as it should be. @throws Error that says what to run when the stacks are not there.
 */
export async function startAwsTarget(): Promise<Target> {
  const iot = new IoTClient({});
  const region = await iot.config.region();
  const outputs = await stackOutputs(STACKS, region, iot.config.credentials);
  const { endpointAddress: host } = await iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
  if (!host) throw new Error(`AWS IoT names no data endpoint in ${region}`);
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-roots-'));
  const rootCaFile = path.join(folder, 'roots.pem');
  writeFileSync(rootCaFile, trustedRoots());
  const connects = new Map<string, number>();

  return {
    config: { region },
    mqtt: { host, port: 8883 },
    deviceHttps: { host, port: 8443 },
    rootCaFile,
    outputs,
    advance: (seconds) => wait(seconds * 1000),
    idle: () => wait(IDLE_MS),
    soon: (check, seconds = 0) => untilItPasses(check, seconds + PATIENCE_SECONDS),
    mayConnect: async (clientId) => {
      const now = Date.now();
      const earliest = Math.max(now, (connects.get(clientId) ?? 0) + CONNECT_INTERVAL_MS);
      connects.set(clientId, earliest);
      await wait(earliest - now);
    },
    stop: async (made) => {
      rmSync(folder, { recursive: true, force: true });
      // A registration that was started last may still be at work.
      await wait(IDLE_MS);
      const left = await removeMade(iot, region, made);
      if (left.length > 0) process.stderr.write(`\nNOT REMOVED from the account:\n  ${left.join('\n  ')}\n`);
    },
  };
}

/** The roots that Node.js trusts, those of NODE_EXTRA_CA_CERTS included, for clients that take a file. */
function trustedRoots(): string {
  return getCACertificates('default').join('\n');
}
