/** A device asks for its next certificate. */
import { X509Certificate } from 'node:crypto';
import { MAX_OPEN_REQUESTS, type OpenRequest, type RenewalRow } from '@thingstead/contracts/certificate-store';
import type { IdentityClaim } from '@thingstead/contracts/registration';
import type { DeviceCertificate } from '../registration/ports.ts';
import { admit, checkIssued } from './admit.ts';
import { issueCertificate } from './issue.ts';
import { type Ports, type Refused, type Renewed, refused } from './ports.ts';
import { certifiedKey, requestedKey } from './requested-key.ts';

const DAY_MS = 86_400_000;
/** A device whose clock is a little slow must not find its certificate "not yet valid". */
const BACKDATED_MS = 3_600_000;
/** New keys that one thing may ask for in a day; one that was cut off asks for the same key again. */
const MAX_ASKED = 5;
const WINDOW_MS = DAY_MS;
/** Of several that change one row at a time, one comes through. */
const MAX_ATTEMPTS = 5;

/** The certificate with which a thing asks. */
export interface InUse {
  readonly claim: IdentityClaim;
  readonly certificate: DeviceCertificate;
}

/**
 * The certificate that has the thing's name, when it is this one, in use and not revoked. For everybody else there is one reason, so that nothing can be learned from it.
 */
export async function inUse(
  thing: string,
  certificateId: string,
  { records, registry }: Ports,
): Promise<InUse | Refused> {
  const claim = await records.claim(thing);
  if (claim?.certificateId !== certificateId)
    return refused('refused', 'another certificate has the name of the thing');
  const certificate = await registry.certificate(certificateId);
  if (certificate?.status !== 'ACTIVE') return refused('refused', 'the certificate is not active');
  if (await isRevoked(certificateId, certificate, records)) return refused('refused', 'the certificate is revoked');
  return { claim, certificate };
}

async function isRevoked(
  certificateId: string,
  { pem, caCertificateId = '' }: DeviceCertificate,
  records: Ports['records'],
): Promise<boolean> {
  const { serialNumber } = new X509Certificate(pem);
  return records.isRevoked({ certificateId, caCertificateId, serialNumber });
}

/** Over MQTT: the connection has proven that the device has the key of `certificateId`. */
export async function renew(
  { thing, certificateId, csr }: { thing: string; certificateId: string; csr: string | undefined },
  ports: Ports,
): Promise<Renewed> {
  const using = await inUse(thing, certificateId, ports);
  if ('code' in using) return using;
  const key =
    csr === undefined ? certifiedKey(new X509Certificate(using.certificate.pem)) : await requestedKey(csr, thing);
  if (!key.ok) return refused('invalid', key.reason);
  return renewFor(using, key, ports);
}

/**
 * The certificate for a key, of a thing whose present one was proven. INVARIANTS:
 * - the same key gets the same certificate, as long as that is good and not confirmed: it is in the row before anybody else knows of it;
 * - ACTIVE comes last, and what was revoked meanwhile does not stay so;
 * - the name stays with the present certificate: it moves when the device says over a connection that the new one works.
 */
export async function renewFor(
  using: InUse,
  key: { readonly publicKey: Buffer; readonly keyHash: string },
  ports: Ports,
): Promise<Renewed> {
  const { thing } = using.claim;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const now = ports.now();
    const row = (await ports.records.renewal(thing)) ?? newRow(thing);
    const open = row.requests.find(({ keyHash }) => keyHash === key.keyHash);
    const good = open?.issued && (await checkIssued(thing, open, open.issued, ports));
    if (good && typeof good !== 'string') return admit(using, key.keyHash, good, ports);
    // What cannot be let in any more is asked for anew, or this key would never get another one.
    const known = good === undefined ? open : undefined;
    const problem = known ? undefined : (notDue(using, row, ports) ?? tooMany(row, now));
    if (problem) return problem;
    const request = known ?? {
      keyHash: key.keyHash,
      publicKey: key.publicKey.toString('base64'),
      requestedAt: now,
    };
    const issued = await issue(thing, request, ports);
    if (known && !issued) return pending();
    const checked = issued && (await checkIssued(thing, request, issued, ports));
    if (typeof checked === 'string') return refused('refused', checked, true);
    const next = withRequest(row, { ...request, ...(issued && { issued }) }, { isNew: !known, now });
    if (!(await ports.records.putRenewal(next))) continue;
    if (!checked) {
      ports.reports.pending({ thing, keyHash: key.keyHash });
      return pending();
    }
    return admit(using, key.keyHash, checked, ports);
  }
  return refused('busy', 'several requests of this thing change the same row; ask again', true);
}

function pending(): Refused {
  return refused('pending', 'an operator signs it; ask again later', true);
}

function newRow(thing: string): RenewalRow {
  return { thing, version: 0, requests: [], asked: 0, windowEndsAt: 0 };
}

function notDue(
  { claim, certificate }: InUse,
  { wantedAt }: RenewalRow,
  { settings, now }: Ports,
): Refused | undefined {
  if (wantedAt !== undefined && wantedAt > claim.claimedAt) return undefined;
  const { validFromDate, validToDate } = new X509Certificate(certificate.pem);
  const life = validToDate.getTime() - validFromDate.getTime();
  const { renewWindowDays } = settings;
  const window = renewWindowDays === undefined ? life / 2 : renewWindowDays * DAY_MS;
  if (validToDate.getTime() - now() <= window) return undefined;
  const from = new Date(validToDate.getTime() - window).toISOString();
  return refused('not-due', `the certificate is renewed from ${from} on`, true);
}

function tooMany({ asked, windowEndsAt }: RenewalRow, now: number): Refused | undefined {
  if (windowEndsAt <= now || asked < MAX_ASKED) return undefined;
  return refused('busy', `${MAX_ASKED} keys were asked for within a day; ask again later`, true);
}

function withRequest(
  row: RenewalRow,
  request: OpenRequest,
  { isNew, now }: { readonly isNew: boolean; readonly now: number },
): RenewalRow {
  const others = row.requests.filter(({ keyHash }) => keyHash !== request.keyHash);
  const window = row.windowEndsAt > now ? row : { asked: 0, windowEndsAt: now + WINDOW_MS };
  return {
    ...row,
    requests: [...others, request].slice(-MAX_OPEN_REQUESTS),
    asked: window.asked + (isNew ? 1 : 0),
    windowEndsAt: window.windowEndsAt,
  };
}

/** Undefined when it is for an operator to sign, or when they have not made the CA yet. */
async function issue(
  thing: string,
  { publicKey }: OpenRequest,
  { settings, records, signer, now, newSerialNumber }: Ports,
): Promise<OpenRequest['issued']> {
  if (settings.issuer === 'OPERATOR') return undefined;
  const ca = await records.issuer();
  if (!ca) return undefined;
  const end = now() + settings.validityDays * DAY_MS;
  const certificate = await issueCertificate(
    ca.certificate,
    {
      thing,
      publicKey: Buffer.from(publicKey, 'base64'),
      serialNumber: newSerialNumber(),
      notBefore: new Date(now() - BACKDATED_MS),
      // Never longer than its CA.
      notAfter: new Date(Math.min(end, new X509Certificate(ca.certificate).validToDate.getTime())),
    },
    signer,
  );
  const certificateId = new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
  return { certificate, certificateId, caCertificateId: ca.certificateId };
}
