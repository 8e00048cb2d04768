/** Rows of the registration table that are about renewals: one per thing, and the one of the CA whose key is in KMS. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';
import { CertificateId } from './registration.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Pem = v.pipe(v.string(), v.maxLength(16 * 1024));

/** More of one thing are not kept: the oldest goes. */
export const MAX_OPEN_REQUESTS = 4;

/** A key for which a thing asks a certificate; with the certificate once there is one. */
export const OpenRequest = v.object({
  /** SHA-256 of the public key's SPKI in DER, in hex: the same key gets the same certificate. */
  keyHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** SPKI in DER, in base64. */
  publicKey: v.pipe(v.string(), v.maxLength(4096)),
  requestedAt: EpochMilliseconds,
  issued: v.optional(
    v.object({
      certificate: Pem,
      certificateId: CertificateId,
      /** The registered CA that has signed it. */
      caCertificateId: CertificateId,
    }),
  ),
});
export type OpenRequest = v.InferOutput<typeof OpenRequest>;

/** What a thing asks for. Every change adds one to the version, under the condition that nobody else has. */
export const RenewalRow = v.object({
  thing: v.pipe(v.string(), v.regex(THING_NAME)),
  version: v.pipe(v.number(), v.safeInteger()),
  /** The newest last. Those that came before a certificate which the thing confirms go with it. */
  requests: v.array(OpenRequest),
  /** New keys that were asked for in the window that ends then. */
  asked: v.pipe(v.number(), v.safeInteger()),
  windowEndsAt: EpochMilliseconds,
  /** An operator wants a new certificate in place of any that was claimed before. */
  wantedAt: v.optional(EpochMilliseconds),
});
export type RenewalRow = v.InferOutput<typeof RenewalRow>;

/** The CA that signs renewals, whose key is in KMS. */
export const IssuerRow = v.object({
  certificate: Pem,
  certificateId: CertificateId,
  createdAt: EpochMilliseconds,
});
export type IssuerRow = v.InferOutput<typeof IssuerRow>;

/** How renewals are decided; the deployment's `thingstead:certificates`. */
export const CertificateSettings = v.object({
  /** Who signs: a key in KMS, at once; or an operator, with a key that no cloud has. */
  issuer: v.picklist(['KMS', 'OPERATOR']),
  validityDays: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** A certificate may be renewed when it lives no longer than this. Half of its life unless it is given. */
  renewWindowDays: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  /** So long after its expiry a certificate is still renewed, over HTTPS. */
  shelfYears: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type CertificateSettings = v.InferOutput<typeof CertificateSettings>;

export function renewalKey(thing: string): string {
  return `renewal#${thing}`;
}

export const ISSUER_KEY = 'issuer';
