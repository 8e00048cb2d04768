/** The route for devices that cannot connect, without a network. */
import { createPrivateKey, sign } from 'node:crypto';
import { renewalProof } from '@thingstead/contracts/certificates';
import type { Expired, Recovered } from '../../device/src/certificates/renewal-over-https.ts';
import type { World } from './certificate-world.ts';

/** @param inToken PEM of the key that a token holds. */
export async function renewOverHttpsWith(
  world: World,
  { certificate, key, csr, at }: Expired,
  inToken: string,
): Promise<Recovered> {
  const asked = { certificate, at, ...(csr !== undefined && { csr }) };
  const pem = key.kind === 'file' ? key.pem : inToken;
  const signature = sign('sha256', Buffer.from(renewalProof(asked)), createPrivateKey(pem));
  const { statusCode, body } = await world.http({ ...asked, signature: signature.toString('base64') });
  if (statusCode !== 200) return { ok: false, reason: `${statusCode}` };
  return { ok: true, certificate: JSON.parse(body).certificate };
}
