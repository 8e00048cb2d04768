import { X509Certificate } from 'node:crypto';
import type { OpenRequest } from '@thingstead/contracts/certificate-store';
import { checkCertificate } from '../registration/certificate.ts';
import { type Ports, type Renewed, refused } from './ports.ts';
import type { InUse } from './renew.ts';

type IssuedRequest = OpenRequest & { readonly issued: NonNullable<OpenRequest['issued']> };

/**
 * Lets a certificate in that was issued: known to AWS IoT, with the policy, for the thing, and ACTIVE last. It may be cut off
 * anywhere and repeated. The certificate is checked as one that registers itself: an operator may have signed another than was asked for.
 */
export async function admit(
  { claim: { thing, certificateId: presentId }, certificate: present }: InUse,
  { keyHash, publicKey, issued }: IssuedRequest,
  ports: Ports,
): Promise<Renewed> {
  const { registry, records, reports, now } = ports;
  const { certificate: pem, certificateId, caCertificateId } = issued;
  const ca = await registry.authority(caCertificateId);
  if (!ca?.active) return refused('refused', 'the CA of the new certificate is not registered, or not active', true);
  const identity = checkCertificate(pem, ca.pem, now());
  if (typeof identity === 'string') return refused('refused', `the new certificate is not good: ${identity}`);
  const isTheKey = spkiOf(pem).toString('base64') === publicKey;
  if (identity.thing !== thing || !isTheKey) return refused('refused', 'the new certificate is for something else');

  const isRevoked = async (): Promise<boolean> => {
    const { serialNumber } = new X509Certificate(present.pem);
    const both = [
      { certificateId, caCertificateId, serialNumber: identity.serialNumber },
      { certificateId: presentId, caCertificateId: present.caCertificateId ?? '', serialNumber },
    ];
    return (await Promise.all(both.map((each) => records.isRevoked(each)))).some(Boolean);
  };
  // Before AWS IoT knows of it: whoever takes the thing out of service takes this one too.
  await records.announce({ thing, certificateId, requestedAt: now() });
  if (await isRevoked()) return refused('refused', 'a certificate of the thing is revoked');
  await registry.register(pem, ca.pem);
  const registered = await registry.certificate(certificateId);
  if (!registered || registered.status === 'REVOKED') return refused('refused', 'the new certificate was revoked');
  await registry.attachPolicy(registered.arn);
  await registry.attachThing(registered.arn, thing);
  if (registered.status !== 'ACTIVE') await registry.setStatus(certificateId, 'ACTIVE');
  // What others decided while this ran was not seen by the checks: it is looked at again.
  if ((await isRevoked()) || !(await isWanted(thing, keyHash, certificateId, ports))) {
    await registry.setStatus(certificateId, 'INACTIVE');
    return refused('refused', 'the new certificate is not wanted any more');
  }
  reports.renewed({ thing, certificateId });
  return { ok: true, certificate: pem, certificateId };
}

async function isWanted(thing: string, keyHash: string, certificateId: string, { records }: Ports): Promise<boolean> {
  const row = await records.renewal(thing);
  if (row?.requests.some((each) => each.keyHash === keyHash)) return true;
  return (await records.claim(thing))?.certificateId === certificateId;
}

function spkiOf(pem: string): Buffer {
  return new X509Certificate(pem).publicKey.export({ format: 'der', type: 'spki' });
}
