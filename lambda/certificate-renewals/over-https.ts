/** A device whose certificate has expired cannot connect: it asks over HTTPS, with a signature of its old key. */
import { constants, createHash, verify, X509Certificate } from 'node:crypto';
import { type RenewalRequest, renewalProof } from '@thingstead/contracts/certificates';
import { THING_NAME } from '@thingstead/contracts/names';
import { commonName } from '../registration/certificate.ts';
import { type Ports, type Renewed, refused } from './ports.ts';
import { inUse, renewFor } from './renew.ts';
import { certifiedKey, requestedKey } from './requested-key.ts';

/** How far the clock of the device may be off. */
const CLOCK_MS = 3_600_000;
const YEAR_MS = 366 * 86_400_000;

export interface OverHttps {
  readonly thing: string;
  readonly outcome: Renewed;
}

/**
 * The next certificate, for who has the key of the one that has the thing's name. What anybody could send is refused before a table is read. A request that is
 * sent again by somebody else gets them a certificate whose key they do not have.
 */
export async function renewOverHttps(request: RenewalRequest, ports: Ports): Promise<OverHttps> {
  const proven = provenIdentity(request, ports.now());
  if (typeof proven === 'string') return { thing: '', outcome: refused('refused', proven) };
  const { thing, certificate } = proven;
  return { thing, outcome: await renewProven(thing, certificate, request, ports) };
}

async function renewProven(
  thing: string,
  certificate: X509Certificate,
  { csr }: RenewalRequest,
  ports: Ports,
): Promise<Renewed> {
  const { registry, settings, now } = ports;
  const key = csr === undefined ? certifiedKey(certificate) : await requestedKey(csr, thing);
  if (!key.ok) return refused('invalid', key.reason);
  const using = await inUse(thing, createHash('sha256').update(certificate.raw).digest('hex'), ports);
  if ('code' in using) return using;
  const { caCertificateId } = using.certificate;
  const ca = caCertificateId === undefined ? undefined : await registry.authority(caCertificateId);
  if (!ca?.active) return refused('refused', 'the CA of the certificate is not registered, or not active');
  if (now() > certificate.validToDate.getTime() + settings.shelfYears * YEAR_MS) {
    return refused('refused', `the certificate expired more than ${settings.shelfYears} years ago`);
  }
  return renewFor(using, key, ports);
}

/** Whose certificate it is, when the request is signed with its key and new; else what is wrong. */
function provenIdentity(
  request: RenewalRequest,
  now: number,
): { readonly thing: string; readonly certificate: X509Certificate } | string {
  if (Math.abs(request.at - now) > CLOCK_MS) return 'the request is of another time';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(request.certificate);
  } catch {
    return 'the certificate cannot be read';
  }
  const thing = commonName(certificate);
  if (thing === undefined || !THING_NAME.test(thing)) return 'the certificate names no thing';
  const key = { key: certificate.publicKey, dsaEncoding: 'der', padding: constants.RSA_PKCS1_PADDING } as const;
  const isSigned = verify('sha256', Buffer.from(renewalProof(request)), key, Buffer.from(request.signature, 'base64'));
  return isSigned ? { thing, certificate } : 'the request is not signed with the key of the certificate';
}
