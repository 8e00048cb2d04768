/** The rows of the registration table, with their keys, and the event that starts a registration. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

/** SHA-256 of the certificate's DER in lower-case hex: what AWS IoT calls its id. */
export const CertificateId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'));

const ThingName = v.pipe(v.string(), v.regex(THING_NAME, 'must be 1 to 64 of a-z A-Z 0-9 _ -'));
const EpochMilliseconds = v.pipe(v.number(), v.integer());

/** Published by AWS IoT on every CONNECT with a certificate that is PENDING_ACTIVATION; it may come more than once. */
export const CertificateRegisteredEvent = v.looseObject({
  certificateId: CertificateId,
  caCertificateId: CertificateId,
});
export type CertificateRegisteredEvent = v.InferOutput<typeof CertificateRegisteredEvent>;

/** The limits of thing attributes: AWS IoT registry, CreateThing. */
const Attributes = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_.,@/:#-]{1,128}$/, 'is no name of a thing attribute')),
    v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/, 'is no value of a thing attribute')),
  ),
  v.maxEntries(50),
);

/**
 * What the operator knows about a device before it connects. With `certificateId` or `caCertificateId` only that certificate,
 * or certificates of that CA, may take the name; with `certificateId` it may also replace the one that has it.
 */
export const ManifestEntry = v.object({
  thing: ThingName,
  certificateId: v.optional(CertificateId),
  caCertificateId: v.optional(CertificateId),
  /** Must exist; the default thing type when left out. */
  thingType: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'is no name of a thing type'))),
  attributes: v.optional(Attributes),
  addedAt: EpochMilliseconds,
});
export type ManifestEntry = v.InferOutput<typeof ManifestEntry>;

/** A certificate that must never be active. */
export const RevocationRow = v.object({
  revokedAt: EpochMilliseconds,
  reason: v.optional(v.pipe(v.string(), v.maxLength(256))),
});
export type RevocationRow = v.InferOutput<typeof RevocationRow>;

/** The certificate that has a thing's name. Written once per name; moved only by a manifest entry or a rotation record. */
export const IdentityClaim = v.object({
  thing: ThingName,
  certificateId: CertificateId,
  claimedAt: EpochMilliseconds,
  /** When the certificate expires. */
  notAfter: v.optional(EpochMilliseconds),
  /** That day, as `expiryDay` gives it: partition of the index by which the certificates of a day are found. */
  expiresOn: v.optional(v.string()),
});
export type IdentityClaim = v.InferOutput<typeof IdentityClaim>;

/** Index of claims: partition `expiresOn`, sort `pk`. */
export const CLAIMS_BY_EXPIRY = 'by-expiry';

/** The day in UTC: `2027-05-03`. @param notAfter epoch milliseconds */
export function expiryDay(notAfter: number): string {
  return new Date(notAfter).toISOString().slice(0, 10);
}

/** Announces the next certificate of a thing, so that it may take the name while the present one is still active. */
export const RotationRecord = v.object({
  thing: ThingName,
  certificateId: CertificateId,
  requestedAt: EpochMilliseconds,
});
export type RotationRecord = v.InferOutput<typeof RotationRecord>;

/** Why a certificate was not activated. All of them but `revoked` leave it PENDING_ACTIVATION. */
export const HELD_REASONS = {
  'ca-unknown': 'the CA that issued it is not registered in this account and region',
  'ca-inactive': 'the CA that issued it is registered but not active',
  'ca-registration-disabled': 'automatic registration is switched off for the CA that issued it',
  'ca-expired': 'the certificate of the CA is outside its validity period',
  'certificate-unreadable': 'it is no X.509 certificate that can be parsed',
  'signature-invalid': 'it is not signed with the key of the CA it names',
  'not-yet-valid': 'its validity period begins in the future',
  expired: 'its validity period is over',
  'key-weak': 'its key is neither RSA of 2048 bits or more nor on the curve P-256, P-384 or P-521',
  'name-invalid': 'its subject has not exactly one common name that is valid as a thing name',
  revoked: 'it is on the revocation list; it was set INACTIVE',
  'manifest-invalid': 'the manifest entry of its thing cannot be read',
  'not-in-manifest': 'the fleet is run with a manifest and has no entry for its thing',
  'manifest-mismatch': 'the manifest entry names another certificate or another CA',
  'name-taken': 'another certificate has the name, and neither a manifest entry nor a rotation record names this one',
} as const;
export type HeldReason = keyof typeof HELD_REASONS;

/** A certificate that was not activated, for the operator to look at. Gone as soon as it is let in. */
export const HeldCertificate = v.object({
  certificateId: CertificateId,
  caCertificateId: v.optional(CertificateId),
  /** Its common name, when it has exactly one that is valid. Self-asserted: it proves nothing. */
  thing: v.optional(ThingName),
  reason: v.picklist(Object.keys(HELD_REASONS) as readonly HeldReason[]),
  firstSeenAt: EpochMilliseconds,
  lastSeenAt: EpochMilliseconds,
  /** How often it was refused. Events may be repeated, so this is no exact number of connection attempts. */
  count: v.pipe(v.number(), v.integer()),
});
export type HeldCertificate = v.InferOutput<typeof HeldCertificate>;

/** The table has a partition key `pk` and nothing else: every access is by full key. */
export function manifestKey(thing: string): string {
  return `manifest#${thing}`;
}

export function revokedCertificateKey(certificateId: string): string {
  return `revoked#${certificateId}`;
}

/**
 * The key of a revocation by the serial number, as a CRL has it: lower-case hex without leading zeros or colons.
 * `serialNumber` may be written in any of the usual ways.
 */
export function revokedSerialKey(caCertificateId: string, serialNumber: string): string {
  const serial = serialNumber
    .replaceAll(':', '')
    .toLowerCase()
    .replace(/^0+(?=.)/, '');
  return `revoked#${caCertificateId}#${serial}`;
}

export function claimKey(thing: string): string {
  return `claim#${thing}`;
}

export function rotationKey(thing: string): string {
  return `rotation#${thing}`;
}

export function heldKey(certificateId: string): string {
  return `held#${certificateId}`;
}
