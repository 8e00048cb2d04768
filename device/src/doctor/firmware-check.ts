import type { AgentConfig } from '../config.ts';
import { ConfigurationError } from '../configuration-error.ts';
import { readTrustFile } from '../firmware/trust-file.ts';
import { type Finding, fail, ok } from './finding.ts';

/** Whom the device trusts to release: with a bad document the agent does not start. Nothing without updates. */
export function checkFirmware({ firmware }: Pick<AgentConfig, 'firmware'>): readonly Finding[] {
  if (!firmware) return [];
  const { product, trustFile, installer } = firmware;
  try {
    const { version } = readTrustFile(trustFile).trust;
    return [ok('firmware', `${product} through ${installer.type}; ${trustFile} is version ${version}`)];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const [problem = '', advice = 'is firmware.trustFile right, and may the user of the agent read it?'] =
      error.problems;
    return [fail('firmware', problem, advice)];
  }
}
