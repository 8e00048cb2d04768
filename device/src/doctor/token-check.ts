import { TokenSigner } from '../certificates/token-signer.ts';
import { systemClock } from '../clock.ts';
import type { AgentConfig } from '../config.ts';
import { messageOf } from '../configuration-error.ts';
import type { Identity } from '../identity.ts';
import { type Finding, ok, warn } from './finding.ts';

/** Nothing that the cloud would take for a proof. */
const SAMPLE = Buffer.from('thingstead doctor\n');

/** Whether a key in a token could prove the device over HTTPS once its certificate has expired: it signs something. */
export async function checkTokenSignature(
  { renewal }: AgentConfig,
  identity: Identity | undefined,
): Promise<readonly Finding[]> {
  if (identity?.key.kind !== 'token' || renewal.url === undefined) return [];
  try {
    const signer = new TokenSigner(systemClock(0), process.env);
    await signer.sign(SAMPLE, identity.certificate, identity.key, new AbortController().signal);
    return [ok('token-signature', 'pkcs11-tool signs with the key in the token')];
  } catch (error) {
    const advice =
      'it connects and renews all the same, but could not come back once its certificate has expired: apt install opensc, or pkcs11.tool';
    return [warn('token-signature', messageOf(error), advice)];
  }
}
