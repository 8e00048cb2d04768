import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DeviceCertificate } from '../../test/support/certificates.ts';
import { temporaryPath } from './assembly.ts';
import type { BenchRuntime } from './runtime.ts';

/** Writes certificate, key and configuration of a device agent. @returns the configuration's file. */
export function agentConfig(
  device: DeviceCertificate,
  { endpoints }: BenchRuntime,
  parts: Readonly<Record<string, unknown>>,
): string {
  const folder = temporaryPath('agent');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'certificate.crt'), device.pem);
  writeFileSync(path.join(folder, 'private.key'), device.keyPem, { mode: 0o600 });
  const file = path.join(folder, 'agent.json');
  const config = {
    thing: device.thing,
    endpoint: endpoints.mqtt,
    certificateFile: 'certificate.crt',
    privateKeyFile: 'private.key',
    rootCaFile: endpoints.rootCaFile,
    ...parts,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
