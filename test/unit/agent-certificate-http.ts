/** The route for devices that cannot connect, without a network. */
import { createPrivateKey, sign } from 'node:crypto';
import { renewalProof } from '@thingstead/contracts/certificates';
import type { Expired, Recovered } from '../../device/src/certificates/renewal-over-https.ts';
import type { World } from './certificate-world.ts';

export async function renewOverHttpsWith(world: World, { certificate, key, csr, at }: Expired): Promise<Recovered> {
  const signature = sign('sha256', Buffer.from(renewalProof({ certificate, csr, at })), createPrivateKey(key));
  const { statusCode, body } = await world.http({ certificate, csr, at, signature: signature.toString('base64') });
  if (statusCode !== 200) return { ok: false, reason: `${statusCode}` };
  return { ok: true, certificate: JSON.parse(body).certificate };
}
