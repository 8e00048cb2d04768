import { X509Certificate } from 'node:crypto';
import type { OpenRequest } from '@thingstead/contracts/certificate-store';
import { checkCertificate } from '../registration/certificate.ts';
import { type Ports, type Renewed, refused } from './ports.ts';
import type { InUse } from './renew.ts';

export type Issued = NonNullable<OpenRequest['issued']>;

/** What is checked of a certificate before it is let in, as of one that registers itself. */
export interface GoodCertificate {
  readonly issued: Issued;
  readonly ca: string;
  readonly serialNumber: string;
}

/** A certificate that can be let in, or what is wrong with it: it has expired, its CA is not active, an operator has signed another than was asked for. */
export async function checkIssued(
  thing: string,
  { publicKey }: Pick<OpenRequest, 'publicKey'>,
  issued: Issued,
  { registry, now }: Ports,
): Promise<GoodCertificate | string> {
  const ca = await registry.authority(issued.caCertificateId);
  if (!ca?.active) return 'the CA of the new certificate is not registered, or not active';
  const identity = checkCertificate(issued.certificate, ca.pem, now());
  if (typeof identity === 'string') return `the new certificate is not good: ${identity}`;
  const isTheKey = spkiOf(issued.certificate).toString('base64') === publicKey;
  if (identity.thing !== thing || !isTheKey) return 'the new certificate is for something else';
  return { issued, ca: ca.pem, serialNumber: identity.serialNumber };
}

/**
 * Lets a certificate in that was issued: known to AWS IoT, with the policy, for the thing, and ACTIVE last. It may be cut off
 * anywhere and repeated.
 */
export async function admit(
  { claim: { thing, certificateId: presentId }, certificate: present }: InUse,
  keyHash: string,
  { issued, ca, serialNumber: newSerialNumber }: GoodCertificate,
  ports: Ports,
): Promise<Renewed> {
  const { registry, records, reports, now } = ports;
  const { certificate: pem, certificateId, caCertificateId } = issued;
  const isRevoked = async (): Promise<boolean> => {
    const { serialNumber } = new X509Certificate(present.pem);
    const both = [
      { certificateId, caCertificateId, serialNumber: newSerialNumber },
      { certificateId: presentId, caCertificateId: present.caCertificateId ?? '', serialNumber },
    ];
    return (await Promise.all(both.map((each) => records.isRevoked(each)))).some(Boolean);
  };
  // Before AWS IoT knows of it: whoever takes the thing out of service takes this one too.
  await records.announce({ thing, certificateId, requestedAt: now() });
  if (await isRevoked()) return refused('refused', 'a certificate of the thing is revoked');
  await registry.register(pem, ca);
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
