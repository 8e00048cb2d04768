import path from 'node:path';
import type { SignedDocument } from '@thingstead/contracts/firmware';
import type { DeviceEndpoint } from './cloud.ts';
import { SECRET_MODE, writeNewFile } from './new-file.ts';
import { certificateIdOf, issueCertificate, type Pair } from './x509.ts';

export type SensorKind = 'simulator' | 'board';

export interface NewDevice {
  readonly name: string;
  readonly ca: Pair;
  readonly days: number;
  readonly folder: string;
  readonly endpoint: DeviceEndpoint;
  readonly sensors: SensorKind;
  /** Where it asks for its next certificate when its own has expired. */
  readonly renewalUrl?: string | undefined;
  /** It takes updates into slots. */
  readonly firmware?: NewDeviceFirmware | undefined;
  /** Reads and publishes every few seconds, so that there is something to see; on AWS that would cost for nothing. */
  readonly demo: boolean;
}

export interface NewDeviceFirmware {
  /** A thing type. */
  readonly product: string;
  /** The first trust document. */
  readonly trust: SignedDocument;
}

export interface CreatedDevice {
  readonly certificateId: string;
  readonly configFile: string;
}

const SENSORS = {
  simulator: [
    {
      name: 'temperature',
      source: { kind: 'simulator', shape: 'sine', mean: 21, amplitude: 6, periodSeconds: 600 },
      unit: 'Cel',
    },
    { name: 'humidity', source: { kind: 'simulator', shape: 'walk', mean: 60, amplitude: 25 }, unit: '%RH' },
  ],
  board: [
    { name: 'board.temperature', source: { kind: 'board', value: 'temperature' }, unit: 'Cel' },
    { name: 'board.load', source: { kind: 'board', value: 'load' } },
  ],
} as const;

/**
 * Writes `device.key`, `device.crt` and the agent's `device.json` into a folder, and `trust.json` for one that takes updates.
 *
 * @throws CommandError (conflict) when one of them is there already.
 */
export async function createDevice({
  name,
  ca,
  days,
  folder,
  endpoint,
  sensors,
  renewalUrl,
  firmware,
  demo,
}: NewDevice): Promise<CreatedDevice> {
  const { certificate, privateKey } = await issueCertificate(ca, name, days, Date.now());
  const configFile = path.join(folder, 'device.json');
  const { rootCaFile, ...address } = endpoint;
  const config = {
    thing: name,
    endpoint: address,
    certificateFile: 'device.crt',
    privateKeyFile: 'device.key',
    ...(rootCaFile === undefined ? {} : { rootCaFile }),
    sensors: SENSORS[sensors].map((each) => ({ ...each, intervalSeconds: demo ? 1 : 10 })),
    publish: { basicIngest: true, intervalSeconds: demo ? 3 : 60 },
    ...(renewalUrl === undefined ? {} : { renewal: { url: renewalUrl } }),
    // Made-up readings, a lamp that is as it is told to be, and folders to look into.
    ...(sensors === 'simulator'
      ? {
          state: { power: { simulator: true }, brightness: { simulator: true } },
          files: { incoming: 'in', outgoing: 'out' },
        }
      : {}),
    ...(firmware === undefined
      ? {}
      : {
          firmware: {
            ...{ installer: { type: 'slots', directory: 'slots' }, product: firmware.product, trustFile: 'trust.json' },
            ...(demo ? { healthSeconds: 5 } : {}),
          },
        }),
    logLevel: 'info',
  };
  // The key first: when it is there already, nothing is written.
  writeNewFile(path.join(folder, 'device.key'), privateKey, SECRET_MODE);
  writeNewFile(path.join(folder, 'device.crt'), certificate);
  if (firmware) writeNewFile(path.join(folder, 'trust.json'), `${JSON.stringify(firmware.trust, null, 2)}\n`);
  writeNewFile(configFile, `${JSON.stringify(config, null, 2)}\n`);
  return { certificateId: certificateIdOf(certificate), configFile };
}
