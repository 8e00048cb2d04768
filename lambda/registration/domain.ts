import type { HeldReason, ManifestEntry } from '@thingstead/contracts/registration';
import { checkCertificate } from './certificate.ts';
import type { DeviceCertificate, Ports } from './ports.ts';

/** A certificate that passed every check, and what it becomes. */
interface Candidate {
  readonly certificateId: string;
  readonly caCertificateId: string;
  readonly arn: string;
  readonly thing: string;
  readonly serialNumber: string;
  readonly notAfter: number;
  readonly entry: ManifestEntry | undefined;
  /** A manifest entry or a rotation record names exactly this certificate. */
  readonly named: boolean;
}

interface Refused {
  readonly reason: HeldReason;
  readonly thing?: string;
  readonly caCertificateId?: string;
}

/**
 * Decides about a certificate that AWS IoT has announced. INVARIANTS:
 * - ACTIVE comes last: a crash before it leaves a device outside, and the next event goes on from there;
 * - every step may be repeated, also by several of these at the same time, with the same result;
 * - a name is taken by one conditional write, so that of several certificates one gets it;
 * - nothing is destroyed: what is refused stays as it is, except that a revoked certificate becomes INACTIVE.
 */
export async function register(certificateId: string, ports: Ports): Promise<void> {
  const certificate = await ports.registry.certificate(certificateId);
  if (certificate?.status === 'ACTIVE' || certificate?.status === 'INACTIVE') {
    return complete(certificateId, certificate, ports);
  }
  if (certificate?.status !== 'PENDING_ACTIVATION') {
    return ports.reports.ignored(certificateId, certificate?.status ?? 'DELETED');
  }
  const candidate = await examine(certificateId, certificate, ports);
  if ('reason' in candidate) return refuse(certificateId, candidate, ports);
  if (!(await takeName(candidate, ports))) {
    return refuse(certificateId, { ...candidate, reason: 'name-taken' }, ports);
  }
  await provision(candidate, ports);
  // The operator may have decided otherwise while the checks ran.
  const before = await ports.registry.certificate(certificateId);
  if (before?.status === 'PENDING_ACTIVATION') await ports.registry.setStatus(certificateId, 'ACTIVE');
  else if (before?.status !== 'ACTIVE') return ports.reports.ignored(certificateId, before?.status ?? 'DELETED');
  await conclude(candidate, ports);
}

/**
 * Goes on where a run ended that was cut off: after it had the name, or before it said why it had made the certificate
 * INACTIVE. Without the name, ACTIVE was the operator's doing; INACTIVE was, unless the certificate is revoked.
 */
async function complete(certificateId: string, certificate: DeviceCertificate, ports: Ports): Promise<void> {
  const candidate = await examine(certificateId, certificate, ports);
  if ('reason' in candidate && candidate.reason === 'revoked') return refuse(certificateId, candidate, ports);
  if ('reason' in candidate || certificate.status === 'INACTIVE') {
    return ports.reports.ignored(certificateId, certificate.status);
  }
  if ((await ports.records.claimant(candidate.thing)) !== certificateId) {
    return ports.reports.ignored(certificateId, certificate.status);
  }
  await provision(candidate, ports);
  return conclude(candidate, ports);
}

/** All checks that only read. */
async function examine(
  certificateId: string,
  certificate: DeviceCertificate,
  { registry, records, settings, now }: Ports,
): Promise<Candidate | Refused> {
  const { arn, pem, caCertificateId } = certificate;
  const authority = caCertificateId === undefined ? undefined : await registry.authority(caCertificateId);
  if (caCertificateId === undefined) return { reason: 'ca-unknown' };
  if (!authority) return { reason: 'ca-unknown', caCertificateId };
  if (!authority.active) return { reason: 'ca-inactive', caCertificateId };
  if (!authority.autoRegistration) return { reason: 'ca-registration-disabled', caCertificateId };
  const identity = checkCertificate(pem, authority.pem, now());
  if (typeof identity === 'string') return { reason: identity, caCertificateId };

  const { thing, serialNumber, notAfter } = identity;
  const known = { thing, caCertificateId };
  const [revoked, entry, nextCertificateId] = await Promise.all([
    records.isRevoked({ certificateId, caCertificateId, serialNumber }),
    records.manifestEntry(thing),
    records.nextCertificate(thing),
  ]);
  if (revoked) return { reason: 'revoked', ...known };
  if (entry === 'invalid') return { reason: 'manifest-invalid', ...known };
  const inRotation = nextCertificateId === certificateId;
  if (!entry && settings.manifest === 'required') return { reason: 'not-in-manifest', ...known };
  // A rotation record is newer than the manifest and names one certificate exactly.
  if (!inRotation && entry && !allows(entry, certificateId, caCertificateId)) {
    return { reason: 'manifest-mismatch', ...known };
  }
  const named = inRotation || entry?.certificateId === certificateId;
  return { certificateId, caCertificateId, arn, thing, serialNumber, notAfter, entry, named };
}

function allows(entry: ManifestEntry, certificateId: string, caCertificateId: string): boolean {
  return (
    (entry.certificateId === undefined || entry.certificateId === certificateId) &&
    (entry.caCertificateId === undefined || entry.caCertificateId === caCertificateId)
  );
}

/** The claim decides among certificates that come through here; principals also show what was attached by other ways. */
async function takeName(candidate: Candidate, { registry, records, now }: Ports): Promise<boolean> {
  const { certificateId, arn, thing, notAfter, named } = candidate;
  const principals = await registry.principalsOf(thing);
  if (!named && principals.some((principal) => principal !== arn)) return false;
  return records.claim({ thing, certificateId, claimedAt: now(), notAfter }, { replace: named });
}

/** Everything a device needs but the permission to connect. */
async function provision({ arn, thing, entry }: Candidate, { registry, settings }: Ports): Promise<void> {
  const attributes = entry?.attributes ?? {};
  const type = entry?.thingType ?? settings.defaultThingType;
  if (!(await registry.createThing({ name: thing, type, attributes }))) {
    const existing = await registry.thing(thing);
    // A thing that the operator made keeps its type unless the manifest has another.
    const wanted = entry?.thingType ?? existing?.type ?? type;
    const differs = Object.entries(attributes).some(([name, value]) => existing?.attributes[name] !== value);
    if (existing?.type !== wanted || differs) await registry.updateThing({ name: thing, type: wanted, attributes });
  }
  await registry.attachPolicy(arn);
  await registry.attachThing(arn, thing);
}

/** A revocation that came while the certificate was being activated was not seen by the check: it is looked at again. */
async function conclude(candidate: Candidate, ports: Ports): Promise<void> {
  const { certificateId, thing } = candidate;
  if (await ports.records.isRevoked(candidate))
    return refuse(certificateId, { ...candidate, reason: 'revoked' }, ports);
  await ports.records.release(certificateId);
  ports.reports.admitted({ certificateId, thing });
}

/** Leaves a certificate outside, records why, and tells the operator. It may try again as often as it likes. */
async function refuse(certificateId: string, { reason, thing, caCertificateId }: Refused, ports: Ports): Promise<void> {
  // Positive evidence; and an INACTIVE certificate causes no further events.
  if (reason === 'revoked') await ports.registry.setStatus(certificateId, 'INACTIVE');
  const refusal = { certificateId, caCertificateId, thing, reason, at: ports.now() };
  await ports.records.hold(refusal);
  ports.reports.held(refusal);
}
